//! Thread states: new, runnable, running, blocked, ended.
//!
//! The system has a letter for what a thread is doing. Which one is it when,
//! and what moves a thread on?

mod busy;
mod cores;
mod halted;
mod life;
mod task;

use anyhow::Context;
use shared::lesson::equals;
use shared::{Stage, lesson};
use std::hint::black_box;
use std::io::{Read, Write, pipe};
use std::process::{self, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread::{self, Builder};
use task::{Seen, Task, start};

fn main() -> ExitCode {
    lesson![
        new,
        busy::one_core,
        blocked,
        halted::undisturbed,
        halted::stopped,
        life::ended,
        life::life,
        price;
        cores, task,
    ]
    .run()
}

/// A thread is described, and not started yet. Does the system know of it?
fn new(stage: &Stage) -> shared::Result {
    let (main, worker) = (stage.track("main"), stage.track("worker"));
    let before = Task::all(process::id())?;
    let more = || {
        let mut now = Task::all(process::id())?;
        now.retain(|task| !before.contains(task));
        shared::Result::Ok(now.len())
    };
    let builder = Builder::new().name("worker".to_owned());
    let (leave, wait) = channel::<()>();
    let body = move || worker.span("waits", || wait.recv());
    main.pause(0.5);
    let described = more()?;
    main.note("described: more threads", described);
    let thread = builder
        .spawn(body)
        .context("cannot make a thread; raise the limit with `ulimit -u N`")?;
    let started = more()?;
    main.note("started: more threads", started);
    main.pause(0.5);
    drop(leave);
    let _ = thread.join();
    stage.claim("described: more threads", described, equals(0));
    stage.claim("started: more threads", started, equals(1));
    Ok(())
}

/// One waits for a lock, one for a byte, one for the time. How does the system
/// see each of them?
fn blocked(stage: &Stage) -> shared::Result {
    let (main, buyer) = (stage.track("main"), stage.track("buyer"));
    let (reader, sleeper) = (stage.track("reader"), stage.track("sleeper"));
    let (lock, (mut ear, mouth)) = (Mutex::new(()), pipe()?);
    let seen = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        let (held, mouth) = (lock.lock(), mouth);
        let buyer = start(scope, || drop(buyer.span("waits", || lock.lock())));
        let reader = start(scope, || {
            let _ = reader.span("reads", || ear.read(&mut [0]));
        });
        let sleeper = start(scope, || {
            while !seen.load(Relaxed) {
                sleeper.span("sleeps", || sleeper.pause(1.0));
            }
        });
        let found = [
            ("buyer", buyer.until_asleep_in("futex")),
            ("reader", reader.until_asleep_in("read")),
            ("sleeper", sleeper.until_asleep_in("nanosleep")),
        ];
        main.pause(0.7);
        seen.store(true, Relaxed);
        drop((held, mouth)); // here the buyer and the reader go on
        found
    });
    for (name, Seen { state, call }) in found {
        main.note(name, format!("{state} in {}", call.unwrap_or("?")));
    }
    let states = found.map(|(_, seen)| seen.state);
    stage.claim("all three are asleep", states, equals(['S', 'S', 'S']));
    match found.map(|(_, seen)| seen.call) {
        [Some(lock), Some(byte), Some(time)] => {
            let calls = ["futex", "read", "nanosleep"];
            stage.claim("in three calls", [lock, byte, time], equals(calls));
        }
        _ => stage.cannot_show("in which calls", "the system hides it"),
    }
    Ok(())
}

/// What does it cost to be blocked and woken, and what to look at a state?
fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 2_000;
    stage.measure("blocked and woken", 2 * TIMES, || {
        let (mut ping_ear, mut ping) = pipe()?;
        let (mut pong_ear, mut pong) = pipe()?;
        thread::scope(move |scope| {
            scope.spawn(move || {
                (0..TIMES).try_for_each(|_| {
                    ping_ear.read_exact(&mut [0])?;
                    pong.write_all(&[0])
                })
            });
            (0..TIMES).try_for_each(|_| {
                ping.write_all(&[0])?;
                pong_ear.read_exact(&mut [0])
            })
        })?;
        Ok(())
    })?;
    let task = Task::current();
    stage.measure("a look at a state", TIMES, || {
        (0..TIMES).for_each(|_| _ = black_box(task.state()));
        Ok(())
    })?;
    Ok(())
}
