//! Semaphore: five seats, twenty guests.
//!
//! A lock admits one. What admits five?

mod bounded;
mod processes;
mod semaphore;

use semaphore::Semaphore;
use shared::lesson::equals;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

const SEATS: usize = 5;
const GUESTS: usize = 20;

fn main() -> ExitCode {
    lesson![
        nobody_counts,
        five_inside,
        bounded::one_release_too_many,
        processes::five_processes,
        price;
        semaphore,
    ]
    .run()
}

/// Twenty threads enter and nobody counts them. How many are inside at once?
///
/// - [x] all twenty
/// - [ ] as many as there are cores
/// - [ ] one: they enter one after the other
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
///
/// - [ ] twenty
/// - [x] five, never more
/// - [ ] five on average, sometimes more
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

/// What does a permit cost when nobody has to wait for it?
fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 100_000;
    let seats = Semaphore::new(SEATS, None);
    stage.measure("between threads", TIMES, || {
        let mut taken = 0;
        for _ in 0..TIMES {
            seats.acquire();
            taken += 1;
            seats.release()?;
        }
        Ok([taken, *seats.free()])
    })?;
    let seats = shared::process::Semaphore::new(SEATS)?;
    stage.measure("between processes", TIMES, || {
        let mut taken = 0;
        for _ in 0..TIMES {
            let _permit = seats.acquire()?;
            taken += 1;
        }
        Ok([taken, seats.available()])
    })?;
    Ok(())
}
