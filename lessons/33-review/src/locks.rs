//! Questions 5, 6 and 7: what locks are for, and what they can do to you.

use shared::Stage;
use shared::lesson::equals;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Barrier, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Question 5: two threads need one lock to compute, as Python code needs the
/// GIL, and give it up to wait. What can they do at the same time?
///
/// - [ ] nothing: they take turns at all they do
/// - [ ] compute, and wait
/// - [x] wait, but not compute
pub fn one_lock(stage: &Stage) -> shared::Result {
    let (gil, answer) = (&Mutex::new(()), &Barrier::new(2));
    thread::scope(|scope| {
        for name in ["anna", "ben"] {
            let track = stage.track(name);
            scope.spawn(move || {
                for _ in 1..=2 {
                    let held = track.span("blocked", || lock(gil));
                    track.span("computes", || track.pause(0.3));
                    drop(held);
                    track.span("waits", || {
                        answer.wait(); // both have asked
                        track.pause(0.3); // it is on its way
                    });
                }
            });
        }
    });
    let trace = stage.trace()?;
    stage.claim("compute at once: one", trace.peak("computes"), equals(1));
    stage.claim("wait at once: both", trace.peak("waits"), equals(2));
    Ok(())
}

/// Question 6: two threads add 1 to a number. Both read before one writes;
/// then with a lock, so that nobody can come between. What is the number?
///
/// - [x] one without the lock, two with it
/// - [ ] two in both cases
/// - [ ] one or two without the lock, by luck; two with it
pub fn lost_update(stage: &Stage) -> shared::Result {
    let (number, both_have_read) = (&AtomicU32::new(0), &Barrier::new(2));
    let locked = &Mutex::new(0);
    thread::scope(|scope| {
        for name in ["anna", "ben"] {
            let track = stage.track(name);
            scope.spawn(move || {
                let seen = number.load(Relaxed);
                track.note("reads", seen);
                track.span("waits", || both_have_read.wait());
                number.store(seen + 1, Relaxed);
                track.note("writes", seen + 1);
                let mut held = lock(locked);
                track.span("has the lock", || track.pause(0.3));
                *held += 1;
                track.note("with the lock", *held);
            });
        }
    });
    let (number, locked) = (number.load(Relaxed), *lock(locked));
    stage.claim("without a lock: one of two is lost", number, equals(1));
    stage.claim("with a lock: none is lost", locked, equals(2));
    Ok(())
}

/// Question 7: anna holds a fork and wants the knife, ben holds the knife and
/// wants the fork. Neither waits, they only try. Who gets both?
///
/// - [ ] who tries first
/// - [x] neither
/// - [ ] both, one after the other
pub fn circle(stage: &Stage) -> shared::Result {
    let (fork, knife) = (&Mutex::new(()), &Mutex::new(()));
    let both = &Barrier::new(2);
    thread::scope(|scope| {
        for (name, first, second) in
            [("anna", fork, knife), ("ben", knife, fork)]
        {
            let track = stage.track(name);
            scope.spawn(move || {
                let held = lock(first);
                track.span("holds one", || {
                    both.wait(); // each of them has one
                    track.note("gets both", second.try_lock().is_ok());
                    track.pause(0.3);
                    both.wait(); // each of them has tried
                });
                drop(held);
            });
        }
    });
    let trace = stage.trace()?;
    let got = ["anna", "ben"].map(|name| trace.noted(name, "gets both"));
    let got = got.into_iter().collect::<Result<Vec<bool>, _>>()?;
    stage.claim("who gets both: neither", got, equals(vec![false; 2]));
    Ok(())
}

/// Who panicked with the lock in hand has left nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
