//! Clients that never read, more of them than workers.

use crate::service::{BOTH, Service};
use crate::{WORKERS, crowd};
use anyhow::ensure;
use shared::Stage;
use shared::lesson::equals;
use shared::lines::Client;
use std::io::{self, ErrorKind::WouldBlock, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// So often another one asks while they are stuck.
const ASKS: usize = 10;
/// Nobody is dropped meanwhile.
const ENDLESS: Duration = Duration::from_secs(3600);
/// More bytes than the system keeps for them.
const MOST: usize = 1 << 28;

/// More clients than workers send and read no answer, until the server takes
/// no more: its `write` to each of them waits. Who answers another client?
///
/// - [ ] nobody: every worker is stuck in a `write`
/// - [x] the server, at once: a `write` that waits gives its thread away
/// - [ ] the server, when the deaf ones are cut off
pub fn many_deaf(stage: &Stage) -> shared::Result {
    let mut answered = Vec::new();
    for (name, serve) in BOTH {
        let service = Service::start_with(ENDLESS, stage, name, serve)?;
        let mut quick = Client::connect(service.address)?;
        let mut deaf = Deaf::connect(service.address, WORKERS + 1)?;
        let track = stage.track(format!("deaf, {name}"));
        let asking = stage.track(format!("quick, {name}"));
        let (mut answers, mut stuck) = (0, None);
        while answers < ASKS {
            if deaf.send()? > 0 {
                (answers, stuck) = (0, None);
            } else {
                stuck = stuck.or_else(|| Some(track.begin("blocked")));
            }
            if !crowd::is_answered(&asking, &mut quick) {
                break;
            }
            answers += usize::from(stuck.is_some());
        }
        drop((stuck, deaf, quick));
        service.hall.is_empty_soon();
        answered.push(answers);
    }
    for ((name, _), answers) in BOTH.iter().zip(answered) {
        let text = format!("{name}: answered while all deaf ones are stuck");
        stage.claim(&text, answers, equals(ASKS));
    }
    Ok(())
}

/// Clients that read nothing.
struct Deaf {
    streams: Vec<TcpStream>,
    sent: usize,
}

impl Deaf {
    fn connect(server: SocketAddr, number: usize) -> io::Result<Self> {
        let streams = (0..number).map(|_| TcpStream::connect(server));
        let streams: Vec<_> = streams.collect::<Result<_, _>>()?;
        for stream in &streams {
            stream.set_nonblocking(true)?;
        }
        Ok(Self { streams, sent: 0 })
    }

    /// All send until no more is taken. How many bytes were.
    fn send(&mut self) -> shared::Result<usize> {
        // Each begins with the end of the one before, of which a part may be
        // all that was taken.
        let line = format!("\n{}", "do you hear me? ".repeat(1 << 12));
        let before = self.sent;
        for stream in &mut self.streams {
            loop {
                match stream.write(line.as_bytes()) {
                    Ok(bytes) => self.sent += bytes,
                    Err(error) if error.kind() == WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
                ensure!(
                    self.sent < MOST,
                    "cannot bring the server's `write` to wait; run the \
                     lesson again: it has taken {} bytes",
                    self.sent
                );
            }
        }
        Ok(self.sent - before)
    }
}
