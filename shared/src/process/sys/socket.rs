//! Stream sockets between processes of this machine.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, accept4, recv as nix_recv,
    send as nix_send,
};

/// Whether a call may sleep.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Yes,
    No,
}

impl Wait {
    fn flag(self) -> MsgFlags {
        match self {
            Self::Yes => MsgFlags::empty(),
            Self::No => MsgFlags::MSG_DONTWAIT,
        }
    }
}

/// Two that are connected with each other.
pub(crate) fn pair() -> nix::Result<(OwnedFd, OwnedFd)> {
    nix::sys::socket::socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC,
    )
}

/// Sends some of the bytes and says how many; never raises SIGPIPE.
pub(crate) fn send(
    socket: impl AsFd,
    bytes: &[u8],
    wait: Wait,
) -> nix::Result<usize> {
    let fd = socket.as_fd().as_raw_fd();
    again(|| nix_send(fd, bytes, MsgFlags::MSG_NOSIGNAL | wait.flag()))
}

/// Sends all of the bytes, and sleeps while there is no room.
pub(crate) fn send_all(socket: impl AsFd, mut bytes: &[u8]) -> nix::Result<()> {
    while !bytes.is_empty() {
        bytes = &bytes[send(&socket, bytes, Wait::Yes)?..];
    }
    Ok(())
}

/// Receives into the buffer and says how many bytes; 0 when the other side is
/// gone.
pub(crate) fn receive(
    socket: impl AsFd,
    buffer: &mut [u8],
    wait: Wait,
) -> nix::Result<usize> {
    let fd = socket.as_fd().as_raw_fd();
    again(|| nix_recv(fd, buffer, wait.flag()))
}

/// Whether a receive would not have to wait.
pub(crate) fn has_news(socket: impl AsFd) -> bool {
    let fd = socket.as_fd().as_raw_fd();
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT;
    nix_recv(fd, &mut [0], flags) != Err(Errno::EAGAIN)
}

/// Takes the next connection.
pub(crate) fn accept(listener: impl AsFd) -> nix::Result<OwnedFd> {
    let fd = again(|| {
        accept4(listener.as_fd().as_raw_fd(), SockFlag::SOCK_CLOEXEC)
    })?;
    // SAFETY: accept4 has just made it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn again<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            other => return other,
        }
    }
}
