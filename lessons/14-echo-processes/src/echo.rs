//! What a client is answered.

use shared::Track;
use shared::lines::{LONGEST, NOT_UTF8, TOO_LONG};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process;
use std::time::Duration;

/// How long the server waits for a client to take some of an answer. Each
/// write has that time: who reads a little now and then is never cut off.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Serves a client until it leaves, and says so.
pub fn attend(client: &TcpStream, child: &Track) {
    child.say(format!("process {} serves", process::id()));
    attend_with(PATIENCE, client, child);
}

/// The same without a word, as long as nothing goes wrong.
pub fn unheard(client: &TcpStream, child: &Track) {
    attend_with(PATIENCE, client, child);
}

pub fn attend_with(patience: Duration, client: &TcpStream, child: &Track) {
    let _serves = child.begin("serves");
    if let Err(error) = echo(client, patience) {
        let why = match error.kind() {
            ErrorKind::WouldBlock => "it reads too slowly".to_owned(),
            _ => error.to_string(),
        };
        child.note("drops it", why);
    }
}

/// Records an answer, and says it if `is_told`: of a crowd's, ten are.
pub fn heard(client: &Track, answer: &str, is_told: bool) {
    client.record("answer", answer);
    if is_told {
        client.say(format!("answer: {answer}"));
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
