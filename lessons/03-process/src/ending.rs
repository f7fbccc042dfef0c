//! How a process ends, and what does not end it.

use crate::for_ever;
use nix::sys::signal::{SigSet, Signal::SIGTERM};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use shared::lesson::equals;
use shared::process::{Event, Process, SpawnError};
use shared::{Stage, Track};

/// Two who sleep for ever are asked to end. One does not listen. And then?
pub fn terminate_and_kill(stage: &Stage) -> shared::Result {
    let (parent, begun) = (stage.track("parent"), Event::new()?);
    let (meek, deaf) = (stage.track("meek"), stage.track("deaf"));
    let process = Process::spawn(|| for_ever("sleeps", &meek, &begun))?;
    begun.wait();
    parent.pause(0.5);
    process.terminate()?;
    let end = process.wait().to_string();
    parent.note("meek, asked to end", end.as_str());
    let by_term = "killed by SIGTERM".to_owned();
    stage.claim("terminate ends one", end, equals(by_term));

    begun.clear();
    let process = Process::spawn(|| {
        SigSet::from(SIGTERM).thread_block()?;
        for_ever("sleeps", &deaf, &begun);
        Ok::<_, nix::Error>(())
    })?;
    begun.wait();
    process.terminate()?;
    let lives = process.join_timeout(stage.time(0.5)).is_none();
    parent.note("deaf, asked to end, lives", lives);
    process.kill()?;
    let end = process.wait().to_string();
    parent.note("deaf, killed", end.as_str());
    stage.claim("the other lives on", lives, equals(true));
    let by_kill = "killed by SIGKILL".to_owned();
    stage.claim("until kill ends it", end, equals(by_kill));
    Ok(())
}

/// A parent ends while its child still has work to do. Does the child end too?
pub fn parent_ends_first(stage: &Stage) -> shared::Result {
    let [me, parent, child] =
        ["me", "parent", "child"].map(|name| stage.track(name));
    let parent_ended = Event::new()?;
    let process = Process::spawn(|| {
        let second = Process::spawn(|| {
            child.span("waits", || parent_ended.wait());
            child.span("works on", || child.pause(1.0));
        })?;
        parent.span("works", || parent.pause(1.0));
        Ok::<_, SpawnError>(second.pid())
    })?;
    let orphan = process.join()?;
    parent_ended.set();
    wait_for_orphan(orphan, &me)?;
    let worked = stage.trace()?.count("works on");
    stage.claim("works on after its parent's end", worked, equals(1));
    Ok(())
}

/// Waits for a child that this process did not start, but adopted.
fn wait_for_orphan(pid: u32, me: &Track) -> shared::Result {
    let pid = pid as i32;
    me.span("waits", || waitpid(Pid::from_raw(pid), None))?;
    me.reaped(pid, None);
    Ok(())
}
