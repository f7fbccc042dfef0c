//! Clients and the door of a server that answers lines in upper case.
//!
//! Whoever writes such a server, in whatever way, has it visited by these: the
//! usual [`Client`], and those that servers fall over ([`ODD_LINES`],
//! [`ODD_ENDS`]). A line ends in `\n`, and is UTF-8.

mod client;
mod door;
mod odd;

pub use client::{Client, PATIENCE};
pub use door::open;
pub use odd::{Ending, Exchange, ODD_ENDS, ODD_LINES, Odd};

/// The longest line that is answered, in bytes, with its end.
pub const LONGEST: usize = 1 << 20;
/// The answer to a line that is longer.
pub const TOO_LONG: &str = "error: a line has 1 MiB at most\n";
/// The answer to a line that is no text.
pub const NOT_UTF8: &str = "error: not UTF-8\n";

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, BufRead, BufReader, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    const HERE: &str = "127.0.0.1:0";

    /// Serves as it should, or with one fault.
    fn echo(client: TcpStream, faulty: bool) -> io::Result<()> {
        client.set_write_timeout(Some(Duration::from_millis(50)))?;
        let mut input = BufReader::new(&client);
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\n") && line.len() < LONGEST {
                let bytes = input.fill_buf()?;
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let length = end.map_or(bytes.len(), |end| end + 1);
                line.extend_from_slice(&bytes[..length]);
                input.consume(length);
                if faulty || length == 0 {
                    break;
                }
            }
            if line.is_empty() {
                return Ok(());
            }
            if line.len() >= LONGEST && !line.ends_with(b"\n") {
                return (&client).write_all(TOO_LONG.as_bytes());
            }
            let answer = str::from_utf8(&line).map(str::to_uppercase);
            let answer = answer.as_deref().unwrap_or(NOT_UTF8);
            (&client).write_all(answer.as_bytes())?;
        }
    }

    fn serve(faulty: bool) -> SocketAddr {
        let here = HERE.parse().expect("that is an address");
        let door = open(here).expect("some port is free");
        let address = door.local_addr().expect("it is bound");
        thread::spawn(move || {
            for client in door.incoming().flatten() {
                thread::spawn(move || echo(client, faulty));
            }
        });
        address
    }

    #[test]
    fn a_good_server_is_told_so() {
        let server = serve(false);
        for (name, visit) in ODD_LINES {
            let exchange = visit(server).expect(name);
            assert!(exchange.answer == exchange.expected, "{name}");
        }
        let ends = ODD_ENDS.map(|(name, visit)| visit(server).expect(name));
        assert_eq!(ends[0], Ending::Vanished);
        assert!(matches!(ends[1], Ending::Told(_) | Ending::CutOff));
        assert_eq!(ends[2], Ending::CutOff);
    }

    #[test]
    fn one_that_takes_a_read_for_a_line_is_told_so_too() {
        let server = serve(true);
        let wrong = ODD_LINES.into_iter().filter(|(_, visit)| {
            visit(server).map_or(true, |it| it.answer != it.expected)
        });
        assert!(wrong.count() >= 2);
    }

    #[test]
    fn an_answer_within_a_time_stays_to_be_read() {
        let mut client = Client::connect(serve(false)).expect("it is there");
        let moment = Duration::from_millis(20);
        assert!(!client.is_answered_within(moment).expect("nothing is said"));
        client.send(b"a\n").expect("it takes a line");
        assert!(client.is_answered_within(PATIENCE).expect("it answers"));
        assert_eq!(client.answer().expect("it is still there"), "A");
    }

    #[test]
    fn a_door_that_is_taken() {
        let taken = TcpListener::bind(HERE).expect("some port is free");
        let address = taken.local_addr().expect("it is bound");
        let error = open(address).expect_err("somebody has it");
        let text = format!("{error:#}");
        assert!(text.contains("another port"), "{text}");
        assert!(text.contains(&address.to_string()), "{text}");
    }
}
