//! What a site tells of itself.

use serde::Deserialize;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a site has counted so far: [`Site::counted`](super::Site::counted).
/// To ask for that counts for nothing.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Counted {
    /// How much was asked for.
    pub requests: usize,
    /// How much of it was being answered at once, at most.
    #[serde(rename = "in_flight_peak")]
    pub at_once: usize,
}

/// However busy a machine is, its own site answers by then.
const PATIENCE: Duration = Duration::from_secs(20);

impl Counted {
    pub(super) fn at(site: SocketAddr) -> io::Result<Self> {
        let mut socket = TcpStream::connect(site)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(b"GET /stats HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok(serde_json::from_str(body)?)
    }
}
