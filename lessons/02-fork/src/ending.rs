//! What is left when a child or its parent ends.

use crate::child::{in_child, wait_for};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, getpid, getppid};
use shared::Stage;
use shared::lesson::equals;
use std::fs;
use std::io::{Read, Write, pipe};

/// A child has ended, and nobody has waited for it yet. What is left of it?
///
/// - [ ] nothing: the system has cleared it away
/// - [ ] its memory, until the parent ends
/// - [x] a zombie: an entry with its exit code, until it is waited for
pub fn ended_but_not_gone(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let pid = in_child(|| {
        child.span("runs", || child.pause(0.5));
        7
    })?;
    // Returns when the child has ended, and leaves it as it is.
    waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?;
    let entry = format!("/proc/{pid}/stat");
    // pid (command) state ..., as proc_pid_stat(5) says.
    let stat = fs::read_to_string(&entry).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|s| s.chars().next());
    parent.note("state", state.map(String::from));
    parent.span("leaves it", || parent.pause(1.0));
    parent.note("exit code", wait_for(pid, &parent)?);
    parent.note("still there", fs::exists(entry)?);
    let code = parent.noted("exit code")?;
    stage.claim("waitpid yields its exit code", code, equals(7));
    if state.is_none() {
        stage.cannot_show("what is left of it", "/proc is not there");
        return Ok(());
    }
    stage.claim("before waitpid a zombie", state, equals(Some('Z')));
    let there = parent.noted("still there")?;
    stage.claim("after waitpid nothing", there, equals(false));
    Ok(())
}

/// A parent ends before its child. Who is the child's parent then?
///
/// - [ ] process 1, for every orphan
/// - [ ] nobody: it ends with its parent
/// - [x] the process that has asked for orphans: here the lesson
pub fn adopted(stage: &Stage) -> shared::Result {
    let (lesson, me) = (stage.track("me"), getpid().as_raw());
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let (mut ear, mut mouth) = pipe()?;
    let pid = in_child(|| {
        let born = in_child(|| {
            // Sleeps until the lesson has seen the parent's end.
            let _ = child.span("sleeps", || ear.read_exact(&mut [0]));
            child.note("my parent's pid", getppid().as_raw());
            child.span("runs", || child.pause(0.5));
            0
        });
        parent.note("my pid", getpid().as_raw());
        parent.note("my child's pid", born.map_or(0, Pid::as_raw));
        parent.span("runs", || parent.pause(1.0));
        0
    })?;
    lesson.note("my pid", me);
    wait_for(pid, &lesson)?;
    mouth.write_all(&[1])?;
    wait_for(Pid::from_raw(parent.noted("my child's pid")?), &lesson)?;
    let ppid: i32 = child.noted("my parent's pid")?;
    // This process has asked for orphans (PR_SET_CHILD_SUBREAPER, prctl(2)).
    // Where nobody has, process 1 adopts them.
    stage.claim("the one that asked for orphans", ppid, equals(me));
    Ok(())
}
