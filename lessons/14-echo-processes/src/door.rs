//! Who comes to the listening socket.

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use shared::process::Process;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

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
        Err(errno) => {
            Err(errno).context("cannot wait for clients; run it again")
        }
    }
}

/// The client at the door, if there still is one.
pub fn accept(listener: &Option<TcpListener>) -> Result<Option<TcpStream>> {
    let Some(listener) = listener else { return Ok(None) };
    match listener.accept() {
        Ok((client, _address)) => Ok(Some(client)),
        Err(error) => match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EBADF | Errno::EINVAL | Errno::ENOTSOCK) => {
                Err(error).context("cannot accept clients; run it again")
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
