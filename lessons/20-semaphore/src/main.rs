//! Semaphore: five seats, twenty guests.
//!
//! A lock admits one. What admits five?

mod bounded;
mod processes;

use anyhow::ensure;
use shared::lesson::equals;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

const SEATS: usize = 5;
const GUESTS: usize = 20;

fn main() -> ExitCode {
    lesson![
        nobody_counts,
        five_inside,
        bounded::one_release_too_many,
        processes::five_processes,
        price,
    ]
    .run()
}

/// Twenty threads enter and nobody counts them. How many are inside at once?
fn nobody_counts(stage: &Stage) -> shared::Result {
    let all_inside = Barrier::new(GUESTS);
    thread::scope(|scope| {
        for guest in guests(stage) {
            let all_inside = &all_inside;
            scope.spawn(move || {
                guest.span("inside", || {
                    guest.say("takes a seat");
                    all_inside.wait();
                    guest.pause(0.5);
                });
            });
        }
    });
    let peak = stage.trace()?.peak("inside");
    stage.claim("inside at once: all twenty", peak, equals(GUESTS));
    Ok(())
}

fn guests(stage: &Stage) -> Vec<Track> {
    (1..=GUESTS).map(|n| stage.track(format!("guest {n}"))).collect()
}

/// Twenty threads want one of five permits. How many are inside at once?
fn five_inside(stage: &Stage) -> shared::Result {
    let seats = Semaphore::new(SEATS, None);
    let (entered, first) = (AtomicUsize::new(0), Barrier::new(SEATS));
    thread::scope(|scope| {
        for guest in guests(stage) {
            let (seats, entered, first) = (&seats, &entered, &first);
            scope.spawn(move || {
                guest.span("waits", || seats.acquire());
                guest.span("inside", || {
                    guest.say("takes a seat");
                    if entered.fetch_add(1, Relaxed) < SEATS {
                        first.wait(); // until five have entered
                    }
                    guest.pause_between(1.0, 3.0);
                });
                seats.release()
            });
        }
    });
    let trace = stage.trace()?;
    let (peak, served) = (trace.peak("inside"), trace.count("inside"));
    stage.claim("inside at once: five, never more", peak, equals(SEATS));
    stage.claim("inside in the end: all twenty", served, equals(GUESTS));
    Ok(())
}

/// A number of permits. Whoever takes the last one makes others wait.
struct Semaphore {
    free: Mutex<usize>,
    returned: Condvar,
    /// How many permits there are at most; the plain kind does not ask.
    bound: Option<usize>,
}

impl Semaphore {
    fn new(permits: usize, bound: Option<usize>) -> Self {
        Self { free: Mutex::new(permits), returned: Condvar::new(), bound }
    }

    fn acquire(&self) {
        let free = self.free();
        let free = self.returned.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    fn release(&self) -> shared::Result {
        let mut free = self.free();
        ensure!(self.bound != Some(*free), "released without acquiring");
        *free += 1;
        self.returned.notify_one();
        Ok(())
    }

    /// A number is never half changed, even if its last user panicked.
    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What does a permit cost when nobody has to wait for it?
fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 100_000;
    let seats = Semaphore::new(SEATS, None);
    stage.measure("between threads", TIMES, || {
        for _ in 0..TIMES {
            seats.acquire();
            seats.release()?;
        }
        Ok(())
    })?;
    let seats = shared::process::Semaphore::new(SEATS)?;
    stage.measure("between processes", TIMES, || {
        for _ in 0..TIMES {
            drop(seats.acquire()?);
        }
        Ok(())
    })?;
    Ok(())
}
