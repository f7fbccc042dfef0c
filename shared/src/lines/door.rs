//! The listening socket.

use crate::Result;
use nix::sys::socket::{Backlog, listen};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

/// Binds a socket to an address, and listens there.
///
/// # Errors
/// One line that says what was tried, and what to do.
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
