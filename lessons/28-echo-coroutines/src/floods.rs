//! Clients that leave the server no moment to wait, more of them than workers.

use crate::service::{BOTH, Service};
use crate::{WORKERS, crowd};
use nix::poll::{PollFd, PollFlags, poll};
use shared::lesson::equals;
use shared::lines::{Client, PATIENCE};
use shared::process::{Event, Process, Queue};
use shared::{Stage, Track};
use std::io::{self, ErrorKind::WouldBlock, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;

/// So often another one asks meanwhile.
const ASKS: usize = 10;

/// More clients than workers send lines as fast as they can, and take every
/// answer: there is always something to read. Is another client answered
/// meanwhile?
///
/// - [ ] by neither
/// - [ ] by tokio alone
/// - [x] by both
pub fn many_floods(stage: &Stage) -> shared::Result {
    let mut answered = Vec::new();
    for (name, serve) in BOTH {
        let service = Service::start(stage, name, serve)?;
        let mut quick = Client::connect(service.address)?;
        let flooding = stage.track(format!("floods, {name}"));
        let asking = stage.track(format!("quick, {name}"));
        let (begun, enough) = (Queue::bounded(WORKERS + 1)?, Event::new()?);
        let one = || flood(service.address, &flooding, &begun, &enough);
        let floods = (0..=WORKERS).map(|_| Process::spawn(one));
        let floods: Vec<_> = floods.collect::<Result<_, _>>()?;
        let mut begun = floods.iter().map(|_| begun.get_timeout(PATIENCE));
        let all = begun.all(|begun| begun.is_ok());
        let asks = (0..ASKS)
            .take_while(|_| all && crowd::is_answered(&asking, &mut quick));
        answered.push(asks.count());
        enough.set();
        floods.into_iter().try_for_each(Process::join)?;
        drop(quick);
        service.hall.is_empty_soon();
    }
    stage.claim(
        "answered while all flood: by may, by tokio",
        answered,
        equals(vec![ASKS; BOTH.len()]),
    );
    Ok(())
}

/// One of them, in a process of its own, until it is enough.
fn flood(
    server: SocketAddr,
    track: &Track,
    begun: &Queue<()>,
    enough: &Event,
) -> shared::Result {
    let mut stream = TcpStream::connect(server)?;
    stream.set_nonblocking(true)?;
    let (lines, mut answers) = ("a\n".repeat(1 << 15), vec![0; 1 << 16]);
    let (mut taken, mut floods) = (0, None);
    while !enough.is_set() {
        let both = PollFlags::POLLIN | PollFlags::POLLOUT;
        poll(&mut [PollFd::new(stream.as_fd(), both)], 100_u8)?;
        while none_yet(stream.write(lines.as_bytes()))? > 0 {}
        taken += none_yet(stream.read(&mut answers))?;
        if floods.is_none() && taken > 1 << 12 {
            floods = Some(track.begin("floods"));
            begun.put(&())?;
        }
    }
    Ok(())
}

/// How many bytes; 0 if none could be taken without waiting.
fn none_yet(bytes: io::Result<usize>) -> io::Result<usize> {
    match bytes {
        Err(error) if error.kind() == WouldBlock => Ok(0),
        bytes => bytes,
    }
}
