//! An address at which nobody listens.

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket,
};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// A port of 127.0.0.1 that is taken, and at which nobody listens: whoever
/// calls there is refused, for as long as this lives.
#[derive(Debug)]
pub struct DeadEnd {
    /// Bound, and never made to listen.
    _socket: OwnedFd,
    address: SockaddrIn,
}

impl DeadEnd {
    /// One at a free port.
    ///
    /// # Errors
    /// When the system gives no port.
    pub fn new() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket =
            socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        bind(socket.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0))?;
        let address = getsockname(socket.as_raw_fd())?;
        Ok(Self { _socket: socket, address })
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
