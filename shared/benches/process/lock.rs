//! Locks and semaphores.

use std::hint::black_box;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use shared::process::{Event, Lock, Process, Semaphore};

use crate::Outcome;
use crate::row::{Goal, Row};

const TIMES: u32 = 5_000_000;
const EACH: u32 = 200_000;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "lock: nobody else wants it",
            ours: ("lock", uncontended),
            goals: vec![Goal::AtMost {
                times: 1.8,
                of: ("std Mutex (threads)", std_mutex),
            }],
        },
        Row {
            name: "lock: eight processes want it",
            ours: ("lock by eight", eight),
            goals: vec![
                Goal::Python { times: 15.0, name: "lock_8" },
                Goal::Beside {
                    of: ("std Mutex by eight threads", eight_threads),
                },
            ],
        },
        Row {
            name: "semaphore: nobody else wants it",
            ours: ("semaphore", semaphore),
            goals: vec![Goal::Absolute { seconds: 25e-9 }],
        },
        Row {
            name: "lock: the holder was killed",
            ours: ("lock of a killed holder", killed_holder),
            goals: vec![Goal::Absolute { seconds: 60e-3 }],
        },
    ]
}

fn uncontended() -> Outcome<f64> {
    let lock = Lock::new(0_u32)?;
    let began = Instant::now();
    for _ in 0..TIMES {
        *black_box(&lock).lock()? += 1;
    }
    Ok(began.elapsed().as_secs_f64() / f64::from(TIMES))
}

fn std_mutex() -> Outcome<f64> {
    let lock = Mutex::new(0_u32);
    let began = Instant::now();
    for _ in 0..TIMES {
        *black_box(&lock).lock().map_err(|error| error.to_string())? += 1;
    }
    Ok(began.elapsed().as_secs_f64() / f64::from(TIMES))
}

fn eight() -> Outcome<f64> {
    let lock = Lock::new(0_u32)?;
    let began = Instant::now();
    let all = (0..8)
        .map(|_| {
            Process::spawn(|| {
                (0..EACH)
                    .try_for_each(|_| lock.lock().map(|mut count| *count += 1))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    for process in all {
        process.join()?;
    }
    let took = began.elapsed();
    assert_eq!(*lock.lock()?, 8 * EACH);
    Ok(took.as_secs_f64() / f64::from(8 * EACH))
}

fn eight_threads() -> Outcome<f64> {
    let lock = Mutex::new(0_u32);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                (0..EACH)
                    .for_each(|_| *lock.lock().expect("nobody panics") += 1)
            });
        }
    });
    Ok(began.elapsed().as_secs_f64() / f64::from(8 * EACH))
}

fn semaphore() -> Outcome<f64> {
    let semaphore = Semaphore::new(2)?;
    let began = Instant::now();
    for _ in 0..TIMES {
        drop(black_box(&semaphore).acquire()?);
    }
    Ok(began.elapsed().as_secs_f64() / f64::from(TIMES))
}

/// From the kill of the holder until the next has the lock.
fn killed_holder() -> Outcome<f64> {
    let lock = Lock::new(0_u32)?;
    let mut longest: f64 = 0.0;
    for _ in 0..20 {
        let held = Event::new()?;
        let holder = Process::spawn(|| {
            let _guard = lock.lock().expect("nobody else wants it yet");
            held.set();
            thread::sleep(Duration::from_secs(10));
        })?;
        held.wait();
        let next = Process::spawn(|| {
            let guard = lock.lock().map_err(|error| error.to_string())?;
            guard
                .dead_owner()
                .map(|_| Instant::now())
                .map(since_boot)
                .ok_or("nobody was killed".to_owned())
        })?;
        thread::sleep(Duration::from_millis(30));
        let killed = since_boot(Instant::now());
        holder.kill()?;
        longest = longest.max((next.join()? - killed).as_secs_f64());
    }
    Ok(longest)
}

/// An instant means the same in every process of a machine, but cannot be sent.
fn since_boot(instant: Instant) -> Duration {
    use nix::time::{ClockId, clock_gettime};
    let now =
        clock_gettime(ClockId::CLOCK_MONOTONIC).expect("there is such a clock");
    Duration::from(now) - instant.elapsed()
}
