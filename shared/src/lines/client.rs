//! The usual client.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a client waits for a server: longer than any answer takes, also on
/// a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Asks in lines, and reads the answers. Its waits hold the thread up, and end
/// after [`PATIENCE`].
#[derive(Debug)]
pub struct Client {
    connection: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a server.
    ///
    /// # Errors
    /// What the system says, also after 10 s.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let connection = TcpStream::connect_timeout(&address, PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        connection.set_nodelay(true)?;
        Ok(Self { connection: BufReader::new(connection) })
    }

    /// The answer to a line, without its end.
    ///
    /// # Errors
    /// Those of [`Client::send`] and of [`Client::answer`].
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(format!("{line}\n").as_bytes())?;
        self.answer()
    }

    /// Sends these bytes, as many lines as they are.
    ///
    /// # Errors
    /// What the system says; `WouldBlock` when nobody took them for 10 s.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream().write_all(bytes)
    }

    /// The next line that comes, without its end.
    ///
    /// # Errors
    /// When the server hangs up, and when nothing comes for 10 s.
    pub fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.connection.read_line(&mut line) {
            Ok(0) => Err(io::Error::other("the server hung up")),
            Ok(_) => Ok(line.trim_end_matches('\n').to_owned()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(io::Error::other("the server gave no answer for 10 s"))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether an answer comes within `time`. It stays to be read.
    ///
    /// # Errors
    /// What the system says.
    pub fn is_answered_within(&mut self, time: Duration) -> io::Result<bool> {
        self.stream().set_read_timeout(Some(time))?;
        let answered = match self.connection.fill_buf() {
            Ok(bytes) => Ok(!bytes.is_empty()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        };
        self.stream().set_read_timeout(Some(PATIENCE))?;
        answered
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        self.connection.get_mut()
    }

    /// Says that nothing more will come; what is then still answered.
    pub(super) fn finish(mut self) -> io::Result<String> {
        self.stream().shutdown(Shutdown::Write)?;
        let mut rest = String::new();
        self.connection.read_to_string(&mut rest)?;
        Ok(rest)
    }
}
