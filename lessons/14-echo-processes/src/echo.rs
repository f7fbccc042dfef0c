//! What a client is answered.

use shared::Track;
use shared::lines::{LONGEST, NOT_UTF8, TOO_LONG};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process;
use std::time::Duration;

/// How long a client may leave an answer unread.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Serves a client until it leaves, and says so.
pub fn attend(client: &TcpStream, child: &Track) {
    attend_with(PATIENCE, client, child);
}

pub fn attend_with(patience: Duration, client: &TcpStream, child: &Track) {
    child.say(format!("process {} serves", process::id()));
    let _serves = child.begin("serves");
    if let Err(error) = echo(client, patience) {
        let why = match error.kind() {
            ErrorKind::WouldBlock => "it reads no answer".to_owned(),
            _ => error.to_string(),
        };
        child.note("drops it", why);
    }
}

/// Answers each line in upper case, until the client says no more.
pub fn echo(mut client: &TcpStream, patience: Duration) -> io::Result<()> {
    client.set_write_timeout(Some(patience))?;
    client.set_nodelay(true)?; // an answer does not wait for the next one
    let mut input = BufReader::new(client);
    loop {
        // What comes may end anywhere, also in the middle of a character. It
        // is kept until the line is whole.
        let mut line = Vec::new();
        let mut most = input.by_ref().take(LONGEST as u64);
        most.read_until(b'\n', &mut line)?;
        let whole = line.ends_with(b"\n");
        if line.is_empty() {
            return Ok(());
        }
        if line.len() == LONGEST && !whole {
            client.write_all(TOO_LONG.as_bytes())?;
            return Err(io::Error::other("its line has no end"));
        }
        let answer = str::from_utf8(&line).map(str::to_uppercase);
        let answer = answer.as_deref().unwrap_or(NOT_UTF8);
        client.write_all(answer.as_bytes())?;
    }
}
