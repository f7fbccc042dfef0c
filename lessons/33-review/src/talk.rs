//! Question 3: the ways from one process to another.

use shared::Stage;
use shared::lesson::equals;
use shared::process::{Lock, Process};
use std::fs;
use std::io::{Read, Write, pipe};
use std::os::unix::net::UnixStream;
use std::thread::park;

/// Question 3: a child sends 42 home in four ways: by shared memory, a file, a
/// pipe and a socket. The parent sends back a signal. Who hears what?
pub fn five_ways(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let memory = &Lock::new(0)?; // in a mapping that both have
    let file = &stage.folder()?.join("number");
    let (mut ear, mut mouth) = pipe()?;
    let (mut near, mut far) = UnixStream::pair()?;
    let process = Process::spawn(move || {
        child.span("computes", || child.pause(0.5));
        *memory.lock()? = 42;
        fs::write(file, [42])?;
        mouth.write_all(&[42])?;
        far.write_all(&[42])?;
        child.span("waits", || -> shared::Result<()> {
            loop {
                park(); // until a signal ends it
            }
        })
    })?;
    let (mut pipe, mut socket) = ([0], [0]);
    parent.span("waits", || ear.read_exact(&mut pipe))?;
    near.read_exact(&mut socket)?;
    parent.note("hears by pipe", pipe[0]);
    parent.note("by socket", socket[0]);
    parent.note("by memory", *memory.lock()?);
    parent.note("by file", fs::read(file)?.first().copied());
    process.terminate()?;
    let signal = process.wait().signal().map(|signal| signal.to_string());
    parent.note("the child ended by", signal.as_deref());

    let ways = ["hears by pipe", "by socket", "by memory", "by file"];
    let heard = ways.map(|way| parent.noted::<u8>(way));
    let heard = heard.into_iter().collect::<shared::Result<Vec<_>>>()?;
    stage.claim("heard in four ways", heard, equals(vec![42; 4]));
    let signal = signal.unwrap_or_default();
    stage.claim("the signal ended it", signal.as_str(), equals("SIGTERM"));
    Ok(())
}
