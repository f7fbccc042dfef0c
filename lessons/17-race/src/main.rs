//! Race: lost updates.
//!
//! One thread adds to a number, another takes away from it, just as often. Why
//! is it not 0 afterwards, and what makes it 0?

mod by_hand;
mod hundred;
mod late;
mod outcomes;
mod price;

use price::measured;
use shared::lesson::{differs_from, equals};
use shared::{Stage, lesson};
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;

const MILLION: i64 = 1_000_000;

fn main() -> ExitCode {
    lesson![
        both_read_first,
        late::one_late_write,
        by_hand::by_hand,
        outcomes::two_hundred_runs,
        outcomes::left_to_luck,
        lock_or_atomic,
        hundred::all_read_first,
        hundred::one_at_a_time;
        price,
    ]
    .run()
}

/// Anna adds one, ben takes one away, and both read before one of them writes.
/// Is the number 0 again?
///
/// - [ ] yes: one has added, the other taken away
/// - [ ] now and then: it depends on who writes last
/// - [x] no: one update is lost
fn both_read_first(stage: &Stage) -> shared::Result {
    let (number, both_have_read) = (&AtomicI64::new(0), &Barrier::new(2));
    thread::scope(|scope| {
        for (name, change) in [("anna", 1), ("ben", -1)] {
            let track = stage.track(name);
            scope.spawn(move || {
                track.pause_between(0.1, 0.9);
                let seen = number.load(Relaxed);
                track.note("reads", seen);
                track.span("waits", || both_have_read.wait());
                track.span("thinks", || track.pause_between(0.5, 1.5));
                number.store(seen + change, Relaxed);
                track.note("writes", seen + change);
            });
        }
    });
    let left = number.load(Relaxed);
    stage.claim("one update is lost: not 0", left, differs_from(0));
    Ok(())
}

/// Reads, then writes: two steps, and anything may happen in between.
fn update(number: &AtomicI64, change: i64) {
    let seen = number.load(Relaxed);
    number.store(seen + change, Relaxed);
}

fn repeat(times: i64, body: impl Fn()) {
    (0..times).for_each(|_| body());
}

/// A million each: with a lock; and with an addition that is one step. Is it
/// 0, and what does it cost?
///
/// - [ ] 0 with the lock; an atomic only makes each access whole
/// - [x] 0 with either: each makes one step of the two
/// - [ ] 0 with the atomic; a lock guards each access, not the sum
fn lock_or_atomic(stage: &Stage) -> shared::Result {
    let race = AtomicI64::new(0);
    let (made, price) = measured(|change| update(&race, change));
    stage.figure_of(made, "read, then write", price)?;
    let locked = Mutex::new(0);
    let (made, price) = measured(|change| *lock(&locked) += change);
    stage.figure_of([made, *lock(&locked)], "with a lock", price)?;
    let atomic = AtomicI64::new(0);
    let (made, price) = measured(|change| {
        atomic.fetch_add(change, Relaxed);
    });
    stage.figure_of([made, atomic.load(Relaxed)], "with an atomic", price)?;

    let number = stage.track("number");
    number.note("with a lock", *lock(&locked));
    number.note("with an atomic", atomic.load(Relaxed));
    stage.claim("with a lock: 0", *lock(&locked), equals(0));
    stage.claim("with an atomic: 0", atomic.into_inner(), equals(0));
    Ok(())
}

/// Two threads: one to add 1, the other -1.
fn both(body: impl Fn(i64) + Sync) {
    thread::scope(|scope| {
        scope.spawn(|| body(1));
        scope.spawn(|| body(-1));
    });
}

/// A number is never half changed, even if its last user panicked.
fn lock(number: &Mutex<i64>) -> MutexGuard<'_, i64> {
    number.lock().unwrap_or_else(PoisonError::into_inner)
}
