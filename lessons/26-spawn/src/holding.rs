//! A sleep that keeps the thread.

use crate::in_a_coroutine;
use may::{coroutine, go};
use shared::lesson::equals;
use shared::{Stage, Track};
use std::thread;
use std::time::Instant;

/// Three coroutines have one thread and sleep a second each: at first as a
/// thread does, then as a coroutine does. Who sleeps at the same time?
///
/// - [ ] all three, both times
/// - [x] at first one at a time, then all three
/// - [ ] one at a time, both times: there is one thread
pub fn who_is_held_up(stage: &Stage) -> shared::Result {
    let second = stage.time(1.0);
    let three = ["anna", "ben", "carl"].map(|name| stage.coroutine_track(name));
    in_a_coroutine(|| {
        all_sleep(&three, "keeps the thread", || thread::sleep(second));
        all_sleep(&three, "sleeps", || coroutine::sleep(second));
        Ok(())
    })?;
    let trace = stage.trace()?;
    let kept = trace.peak("keeps the thread");
    stage.claim("asleep at once by thread::sleep", kept, equals(1));
    let asleep = trace.peak("sleeps");
    stage.claim("asleep at once by coroutine::sleep", asleep, equals(3));
    Ok(())
}

/// Each of them sleeps in a coroutine of its own.
fn all_sleep(three: &[Track], how: &str, nap: impl Fn() + Sync) {
    coroutine::scope(|scope| {
        for me in three {
            let nap = &nap;
            go!(scope, move || {
                let from = Instant::now();
                nap();
                me.span_at(how, from, Instant::now());
                me.say("has slept");
            });
        }
    });
}
