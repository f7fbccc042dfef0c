//! Thread states: new, runnable, running, blocked, ended.
//!
//! The system has a letter for what a thread is doing. Which one is it when,
//! and what moves a thread on?

mod birth;
mod busy;
mod cores;
mod halted;
mod life;
mod price;
mod task;

use shared::lesson::equals;
use shared::{Stage, lesson};
use std::io::{Read, pipe};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use task::{Seen, start};

fn main() -> ExitCode {
    lesson![
        birth::new,
        busy::one_core,
        blocked,
        halted::undisturbed,
        halted::stopped,
        life::ended,
        life::life,
        price::price;
        cores, task,
    ]
    .run()
}

/// One waits for a lock, one for a byte, one for the time. How does the system
/// see each of them?
///
/// - [ ] each in a state of its own, with a letter of its own
/// - [ ] the sleeper as asleep, the others as busy
/// - [x] all three as asleep
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
