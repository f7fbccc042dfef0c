//! Clients that servers fall over.

use super::{Client, LONGEST, NOT_UTF8, PATIENCE};
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What came, and what was to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What came.
    pub answer: String,
    /// What was to come.
    pub expected: String,
}

impl Exchange {
    fn new(answer: String, expected: impl Into<String>) -> io::Result<Self> {
        Ok(Self { answer, expected: expected.into() })
    }
}

/// A name of at most ten letters, and the visit of such a client.
pub type Odd<T> = (&'static str, fn(SocketAddr) -> io::Result<T>);

/// They are to be answered.
pub const ODD_LINES: [Odd<Exchange>; 5] = [
    ("half", half_a_character),
    ("empty", empty_line),
    ("1 MiB", one_mebibyte),
    ("no UTF-8", not_utf8),
    ("no end", half_close),
];

fn half_a_character(server: SocketAddr) -> io::Result<Exchange> {
    let mut client = Client::connect(server)?;
    // The answer to the first line tells that the rest has been read too.
    client.send(b"one\ngr\xc3")?;
    let first = client.answer()?;
    client.send(b"\xb6\xc3\x9fe\n")?;
    let answer = format!("{first} {}", client.answer()?);
    Exchange::new(answer, "ONE GR\u{d6}SSE")
}

fn empty_line(server: SocketAddr) -> io::Result<Exchange> {
    let mut client = Client::connect(server)?;
    client.send(b"\n")?;
    Exchange::new(client.answer()?, "")
}

/// Characters of two bytes at odd places, so that every buffer ends in one.
fn one_mebibyte(server: SocketAddr) -> io::Result<Exchange> {
    let mut client = Client::connect(server)?;
    let line = format!("x{}", "\u{e9}".repeat((LONGEST - 2) / 2));
    Exchange::new(client.ask(&line)?, line.to_uppercase())
}

fn not_utf8(server: SocketAddr) -> io::Result<Exchange> {
    let mut client = Client::connect(server)?;
    client.send(b"abc\xff\n")?;
    let answer = format!("{}\n{}", client.answer()?, client.ask("still here")?);
    Exchange::new(answer, format!("{NOT_UTF8}STILL HERE"))
}

/// The last line has no end, but the client says that it was the last: it
/// closes its half of the connection, and still reads (shutdown(2)).
fn half_close(server: SocketAddr) -> io::Result<Exchange> {
    let mut client = Client::connect(server)?;
    client.send(b"last words")?;
    Exchange::new(client.finish()?, "LAST WORDS")
}

/// How a client that is not to be served for ever came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has left without a word.
    Vanished,
    /// It was told why, and cut off.
    Told(String),
    /// It was cut off.
    CutOff,
}

/// They are to be dropped.
pub const ODD_ENDS: [Odd<Ending>; 3] =
    [("vanishes", vanish), ("endless", endless_line), ("deaf", never_read)];

/// Leaves in the middle of a line, by a reset: as if its machine had crashed
/// and come back.
fn vanish(server: SocketAddr) -> io::Result<Ending> {
    let mut client = Client::connect(server)?;
    client.ask("hello")?;
    client.send(b"half a li")?;
    let reset = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(client.stream(), sockopt::Linger, &reset)?;
    Ok(Ending::Vanished)
}

/// Sends a line that never ends.
fn endless_line(server: SocketAddr) -> io::Result<Ending> {
    let mut client = Client::connect(server)?;
    send_until_cut_off(&mut client, &[b'x'; 1 << 16])?;
    Ok(client.answer().map_or(Ending::CutOff, Ending::Told))
}

/// Sends and sends, and reads no answer.
fn never_read(server: SocketAddr) -> io::Result<Ending> {
    let mut client = Client::connect(server)?;
    // What waits to be read takes little room.
    setsockopt(client.stream(), sockopt::RcvBuf, &4096)?;
    let line = format!("{}\n", "do you hear me? ".repeat(1 << 12));
    send_until_cut_off(&mut client, line.as_bytes())?;
    Ok(Ending::CutOff)
}

/// Sends `bytes` again and again, as long as anybody takes them; an error if
/// nobody puts an end to it.
fn send_until_cut_off(client: &mut Client, bytes: &[u8]) -> io::Result<()> {
    let (start, mut rest) = (Instant::now(), bytes);
    // Each write waits no longer than what is left of all the patience.
    while let Some(left @ 1..) =
        PATIENCE.as_millis().checked_sub(start.elapsed().as_millis())
    {
        let stream = client.stream();
        let left = Duration::from_millis(left as u64);
        stream.set_write_timeout(Some(left))?;
        match stream.write(rest).map_err(|error| error.kind()) {
            Ok(sent) if sent < rest.len() => rest = &rest[sent..],
            Ok(_) => rest = bytes,
            Err(ErrorKind::Interrupted) => {}
            Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                return Ok(());
            }
            Err(kind) => return Err(kind.into()),
        }
    }
    Err(ErrorKind::TimedOut.into())
}
