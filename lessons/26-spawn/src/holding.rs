//! A sleep that holds the thread.

use crate::in_a_coroutine;
use may::{coroutine, go};
use shared::lesson::equals;
use shared::{Stage, Track};
use std::thread;
use std::time::Instant;

/// Three coroutines have one thread and sleep a second each: first as a thread
/// does, then as a coroutine does. Who sleeps while others sleep?
pub fn who_is_held_up(stage: &Stage) -> shared::Result {
    let second = stage.time(1.0);
    let three = ["anna", "ben", "carl"].map(|name| stage.coroutine_track(name));
    in_a_coroutine(|| {
        each(&three, "holds the thread", || thread::sleep(second));
        each(&three, "sleeps", || coroutine::sleep(second));
        Ok(())
    })?;
    let trace = stage.trace()?;
    let at_once = |name| trace.peak(name);
    stage.claim(
        "thread::sleep: at once",
        at_once("holds the thread"),
        equals(1),
    );
    stage.claim("coroutine::sleep: at once", at_once("sleeps"), equals(3));
    Ok(())
}

/// Spawns a coroutine for each of them that sleeps, and joins all.
fn each(three: &[Track], name: &str, sleep: impl Fn() + Sync) {
    coroutine::scope(|scope| {
        for me in three {
            let sleep = &sleep;
            go!(scope, move || {
                let from = Instant::now();
                sleep();
                me.span_at(name, from, Instant::now());
            });
        }
    });
}
