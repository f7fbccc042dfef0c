//! A hundred threads, each adding one.

use crate::lock;
use shared::lesson::equals;
use shared::{Stage, Track};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex};
use std::thread;

const THREADS: usize = 100;

/// A hundred threads read, wait, and write one more. How many are lost?
///
/// - [ ] none: each writes one more
/// - [ ] half of them, about
/// - [x] all but one: they write the same number
pub fn all_read_first(stage: &Stage) -> shared::Result {
    let number = &AtomicI64::new(0);
    let all_have_read = &Barrier::new(THREADS);
    thread::scope(|scope| {
        for track in hundred(stage) {
            scope.spawn(move || {
                let seen = number.load(Relaxed);
                track.span("waits", || all_have_read.wait());
                number.store(seen + 1, Relaxed);
                track.mark_with("writes", [("number", (seen + 1).into())]);
            });
        }
    });
    let lost = THREADS as i64 - number.load(Relaxed);
    stage.claim("lost: all but one", lost, equals(99));
    Ok(())
}

fn hundred(stage: &Stage) -> Vec<Track> {
    (1..=THREADS).map(|n| stage.track(format!("thread {n}"))).collect()
}

/// The same, but each has the lock from reading to writing. How many are lost?
///
/// - [x] none: each reads what the last one wrote
/// - [ ] all but one: all of them still wait
/// - [ ] a few: the lock protects each access, not the sum
pub fn one_at_a_time(stage: &Stage) -> shared::Result {
    let number = &Mutex::new(0);
    thread::scope(|scope| {
        for track in hundred(stage) {
            scope.spawn(move || {
                let mut number = track.span("waits", || lock(number));
                let seen = *number;
                track.span("has the lock", || track.pause(0.02));
                *number = seen + 1;
                track.mark_with("writes", [("number", (seen + 1).into())]);
            });
        }
    });
    let lost = THREADS as i64 - *lock(number);
    stage.claim("lost: none", lost, equals(0));
    Ok(())
}
