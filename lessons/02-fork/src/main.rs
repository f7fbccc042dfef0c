//! Fork: one call, two returns.
//!
//! The system copies a running process. Who is who afterwards, what do the
//! two still share, and who cleans up?
#![expect(unsafe_code, reason = "fork is what this lesson shows")]

mod child;
mod ending;
mod limit;

use child::{fork_and_wait, in_child, wait_for};
use nix::unistd::{Pid, getpid, getppid};
use nix::{errno::Errno, libc};
use shared::lesson::{equals, fork_error};
use shared::{Stage, lesson};
use std::io::{self, BufWriter, Write, pipe};
use std::{hint::black_box, process::ExitCode};

fn main() -> ExitCode {
    lesson![
        one_call_two_returns,
        memory_is_copied,
        ending::ended_but_not_gone,
        ending::adopted,
        printed_twice,
        limit::no_more_processes,
        price,
    ]
    .run()
}

/// fork() is called once and returns twice. What does it return to each?
///
/// - [ ] to each its own pid
/// - [x] to the parent the child's pid, to the child 0
/// - [ ] to both the child's pid
fn one_call_two_returns(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let (me, birth) = (getpid().as_raw(), parent.hand_over("forks"));
    // SAFETY: this process has one thread, so the child may do anything.
    let returned = unsafe { libc::fork() };
    // Both go on here; its pid tells which of them this is.
    let who = if getpid().as_raw() == me { &parent } else { &child };
    who.note("fork returned", returned);
    if returned == 0 {
        child.take_over("born", birth);
        child.note("my pid", getpid().as_raw());
        child.note("my parent's pid", getppid().as_raw());
        child.span("runs", || child.pause(1.0));
        // SAFETY: ends the child before it goes on as a second lesson.
        unsafe { libc::_exit(0) }
    }
    let pid = Errno::result(returned).map_err(fork_error)?;
    wait_for(Pid::from_raw(pid), &parent)?;
    let (born, ppid) =
        (child.noted("my pid")?, child.noted("my parent's pid")?);
    stage.claim("the child got 0", child.noted("fork returned")?, equals(0));
    stage.claim("the parent got the child's pid", pid, equals(born));
    stage.claim("the child's parent is the caller", ppid, equals(me));
    Ok(())
}

/// Money is 100. The child makes it 200. What does the parent have?
///
/// - [x] 100, and at the same address as the child's 200
/// - [ ] 200, for there is one address
/// - [ ] 100, for the child's money is at another address
fn memory_is_copied(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let mut money = black_box(100);
    let address = format!("{:p}", &money);
    let pid = in_child(|| {
        money += 100;
        child.note("money", money);
        child.note("at", format!("{:p}", &money));
        child.span("runs", || child.pause(1.0));
        0
    })?;
    wait_for(pid, &parent)?;
    parent.note("money", money);
    parent.note("at", address.as_str());
    stage.claim("the child has 200", child.noted("money")?, equals(200));
    stage.claim("the parent has 100", black_box(money), equals(100));
    stage.claim("at one address", child.noted("at")?, equals(address));
    Ok(())
}

/// Text waits in a buffer when a process forks. How often is it written?
///
/// - [ ] once, by the parent: it is the parent's text
/// - [x] twice; once if it was written before the fork
/// - [ ] once, by whoever is the first to write
fn printed_twice(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    for (buffer_is, times) in [("full", 2), ("empty", 1)] {
        let (paper, ink) = pipe()?;
        let mut buffer = BufWriter::new(ink);
        write!(buffer, "paid 100; ")?;
        if buffer_is == "empty" {
            buffer.flush()?;
        }
        let pid = in_child(|| i32::from(buffer.flush().is_err()))?;
        wait_for(pid, &parent)?;
        drop(buffer); // writes what is left in it
        let text = io::read_to_string(paper)?;
        parent.note(&format!("buffer {buffer_is}"), text.as_str());
        let claim = format!("buffer {buffer_is} at the fork: copies");
        stage.claim(&claim, text.matches("paid").count(), equals(times));
    }
    Ok(())
}

/// What does a child cost? And if the parent holds 64 MiB more?
fn price(stage: &Stage) -> shared::Result {
    // Child n exits with code n; what comes of all is the sum.
    let repeat = |times| (0..times).map(fork_and_wait).sum();
    let _: i32 = repeat(20)?; // the first ones cost more
    stage.measure("fork and wait", 100, || repeat(100))?;
    let memory = black_box(vec![1_u8; 64 << 20]);
    stage.measure("with 64 MiB more", 20, || repeat(20))?;
    drop(memory);
    Ok(())
}
