//! Race: lost updates.
//!
//! One thread adds to a number, another takes away from it, just as often. Why
//! is it not 0 afterwards, and what makes it 0?

mod hundred;
mod outcomes;

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
        one_late_write,
        outcomes::two_hundred_runs,
        outcomes::left_to_luck,
        lock_or_atomic,
        hundred::all_read_first,
        hundred::one_at_a_time,
    ]
    .run()
}

/// Anna adds one, ben takes one away, and both read before one of them writes.
/// Is the number 0 again?
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

/// A million updates each. Ben has read, is held up, and writes when anna is
/// through. What is left?
fn one_late_write(stage: &Stage) -> shared::Result {
    let (anna, ben) = (stage.track("anna"), stage.track("ben"));
    let (number, your_turn) = (&AtomicI64::new(0), &Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(move || {
            your_turn.wait();
            anna.span("adds", || repeat(MILLION, || update(number, 1)));
            anna.note("comes to", number.load(Relaxed));
            your_turn.wait();
        });
        scope.spawn(move || {
            let seen = number.load(Relaxed);
            ben.note("reads", seen);
            ben.span("waits", || {
                your_turn.wait(); // anna's
                your_turn.wait(); // ben's
            });
            number.store(seen - 1, Relaxed);
            ben.note("writes", seen - 1);
            let rest = || repeat(MILLION - 1, || update(number, -1));
            ben.span("takes away", rest);
        });
    });
    let left = number.load(Relaxed);
    stage.claim("not 0, but as if nobody added", left, equals(-MILLION));
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
fn lock_or_atomic(stage: &Stage) -> shared::Result {
    let race = AtomicI64::new(0);
    price(stage, "read, then write", |change| update(&race, change))?;
    let locked = Mutex::new(0);
    price(stage, "with a lock", |change| *lock(&locked) += change)?;
    let atomic = AtomicI64::new(0);
    price(stage, "with an atomic", |change| {
        atomic.fetch_add(change, Relaxed);
    })?;

    let number = stage.track("number");
    number.note("with a lock", *lock(&locked));
    number.note("with an atomic", atomic.load(Relaxed));
    stage.claim("with a lock: 0", *lock(&locked), equals(0));
    stage.claim("with an atomic: 0", atomic.into_inner(), equals(0));
    Ok(())
}

/// Measures an update, of a million by each of two threads.
fn price(
    stage: &Stage,
    label: &str,
    update: impl Fn(i64) + Sync,
) -> shared::Result<f64> {
    stage.measure(label, 2 * MILLION as u32, || {
        both(|change| repeat(MILLION, || update(change)));
        Ok(())
    })
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
