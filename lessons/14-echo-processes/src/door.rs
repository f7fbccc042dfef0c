//! The listening socket.

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{Backlog, listen};
use shared::process::Process;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

/// Binds a socket to an address, and listens there.
pub fn open(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address);
    let advice = |error: &io::Error| match error.kind() {
        ErrorKind::AddrInUse => {
            "another program has that port; end it (`ss -ltnp` names it), or \
             choose another port"
        }
        ErrorKind::PermissionDenied => "choose a port from 1024 on",
        ErrorKind::AddrNotAvailable => {
            "choose an address of this machine, such as 127.0.0.1"
        }
        _ => "choose another address",
    };
    let listener = listener.map_err(|error| {
        let advice = advice(&error);
        let tried = format!("cannot listen on {address}: {advice}");
        anyhow::Error::new(error).context(tried)
    })?;
    // std lets 128 clients wait; more that come at once would have to try
    // again, a second later.
    listen(&listener, Backlog::MAXCONN)?;
    Ok(listener)
}

/// Waits until a client is at the door, or a child has ended.
pub fn wait(
    listener: &Option<TcpListener>,
    children: &[Process<()>],
) -> Result<()> {
    let ends = children.iter().filter_map(Process::pidfd);
    let fds = listener.iter().map(AsFd::as_fd).chain(ends);
    let fds = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    match poll(&mut fds.collect::<Vec<_>>(), PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno).context("cannot wait for clients"),
    }
}

/// The client at the door, if there still is one.
pub fn accept(listener: &Option<TcpListener>) -> Result<Option<TcpStream>> {
    let Some(listener) = listener else { return Ok(None) };
    match listener.accept() {
        Ok((client, _address)) => Ok(Some(client)),
        Err(error) => match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EBADF | Errno::EINVAL | Errno::ENOTSOCK) => {
                Err(error).context("cannot accept clients")
            }
            Some(
                Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM,
            ) => {
                // The client stays at the door, and nothing tells when there
                // is room again.
                thread::sleep(Duration::from_millis(100));
                Ok(None)
            }
            // It has left, or its network is down: accept(2).
            _ => Ok(None),
        },
    }
}
