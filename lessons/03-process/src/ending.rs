//! How a process ends, and what does not end it.

use crate::for_ever;
use anyhow::bail;
use nix::sys::signal::{SigSet, Signal::SIGTERM};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use shared::lesson::equals;
use shared::process::{Event, Process, SpawnError, current};
use shared::{Stage, Track};
use std::process::exit;

/// A process is given a name, and exits with a number of its own choice. What
/// can its parent read of it?
///
/// - [x] the name, and the number as its exit code
/// - [ ] whether it went well or not, and no more
/// - [ ] the name; the number is gone with the process
pub fn exit_code(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let process = Process::builder().name("counter").spawn::<()>(|| {
        child.note("my name", current().name());
        exit(3)
    })?;
    let end = process.wait();
    parent.note("in the end", end.to_string());
    stage.claim(
        "the name that it was given",
        child.noted("my name")?,
        equals("counter".to_owned()),
    );
    stage.claim("the exit code that it chose", end.code(), equals(Some(3)));
    Ok(())
}

/// Two who sleep for ever are asked to end. One does not listen. And then?
///
/// - [x] it lives on until it is killed
/// - [ ] after a while the system ends it all the same
/// - [ ] nothing ends it: it does not listen to a kill either
pub fn terminate_and_kill(stage: &Stage) -> shared::Result {
    let (parent, begun) = (stage.track("parent"), Event::new()?);
    let (willing, deaf) = (stage.track("willing"), stage.track("deaf"));
    let process = Process::spawn(|| for_ever("sleeps", &willing, &begun))?;
    begun.wait();
    parent.pause(0.5);
    parent.mark("asks");
    process.terminate()?;
    let end = process.wait().to_string();
    parent.note("willing, asked to end", end.as_str());
    let by_term = "killed by SIGTERM".to_owned();
    stage.claim("terminate ends one", end, equals(by_term));

    begun.clear();
    let process = Process::spawn(|| {
        SigSet::from(SIGTERM).thread_block()?;
        for_ever("sleeps", &deaf, &begun);
        Ok::<_, nix::Error>(())
    })?;
    begun.wait();
    parent.pause(0.3);
    parent.mark("asks");
    process.terminate()?;
    let lives = process.join_timeout(stage.time(0.5)).is_none();
    parent.note("deaf, asked to end, lives", lives);
    parent.mark("kills");
    process.kill()?;
    let end = process.wait().to_string();
    parent.note("deaf, killed", end.as_str());
    stage.claim("the other lives on", lives, equals(true));
    let by_kill = "killed by SIGKILL".to_owned();
    stage.claim("until kill ends it", end, equals(by_kill));
    Ok(())
}

/// A parent ends while its child still has work to do. Does the child end too?
///
/// - [ ] yes, together with its parent
/// - [ ] no: its parent cannot end before it
/// - [x] no, it works on without its parent
pub fn parent_ends_first(stage: &Stage) -> shared::Result {
    let [grandparent, parent, child] =
        ["grandparent", "parent", "child"].map(|name| stage.track(name));
    let parent_ended = Event::new()?;
    let process = Process::spawn(|| {
        let second = Process::spawn(|| {
            child.note("parent's pid before", current().parent_pid());
            child.span("waits", || parent_ended.wait());
            child.note("parent's pid after", current().parent_pid());
            child.span("works on", || child.pause(1.0));
        })?;
        parent.span("works", || parent.pause(1.0));
        Ok::<_, SpawnError>(second.pid())
    })?;
    let orphan = process.join()?;
    parent_ended.set();
    let end = wait_for_orphan(orphan, &grandparent)?;
    grandparent.note("the orphan in the end", end);
    let worked = stage.trace()?.count("works on");
    stage.claim("works on after its parent's end", worked, equals(1));
    Ok(())
}

/// Waits for a child that this process did not start, but adopted; says how it
/// ended.
fn wait_for_orphan(pid: u32, who: &Track) -> shared::Result<String> {
    let pid = pid as i32;
    match who.span("waits", || waitpid(Pid::from_raw(pid), None))? {
        WaitStatus::Exited(_, code) => {
            who.reaped(pid, None);
            Ok(format!("exited with code {code}"))
        }
        WaitStatus::Signaled(_, signal, _) => {
            who.reaped(pid, Some(signal.as_str()));
            Ok(format!("killed by {signal}"))
        }
        other => bail!("the orphan {pid} has not ended: {other:?}"),
    }
}
