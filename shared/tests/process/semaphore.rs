//! `Semaphore`: as many inside as there are permits, and no permit is lost.

use std::thread;
use std::time::{Duration, Instant};

use shared::process::{
    Barrier, Event, Lock, Process, Queue, Semaphore, SemaphoreError,
};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{SOON, asleep, eventually, sleep_until_killed};

pub const CASES: &[Case] = cases!("semaphore":
    two_are_in_and_the_third_waits,
    permits_come_back_by_scope_error_and_panic,
    never_more_inside_than_permits,
    three_of_ten_tries_succeed,
    a_timed_one_waits_about_its_time,
    numbers_that_make_no_sense_are_refused,
    a_killed_holders_permits_come_back,
    a_waiter_gets_a_killed_holders_permit,
    a_release_wakes_who_sleeps,
);

const A_WHILE: Duration = Duration::from_millis(60);

fn two_are_in_and_the_third_waits() -> Outcome {
    let seats = Semaphore::new(2)?;
    let first = seats.acquire()?;
    let second = seats.acquire()?;
    assert_eq!(seats.available(), 0);
    let third = Process::spawn(|| seats.acquire().map(drop))?;
    assert!(eventually(|| asleep(third.pid())));
    assert!(third.is_alive());
    drop(first);
    third.join()?;
    drop(second);
    assert_eq!((seats.available(), seats.permits()), (2, 2));
    Ok(())
}

fn permits_come_back_by_scope_error_and_panic() -> Outcome {
    let seats = Semaphore::new(1)?;
    let fail = || {
        let _seat = seats.acquire()?;
        Err::<(), _>(SemaphoreError::WouldBlock)
    };
    assert!(fail().is_err());
    assert_eq!(seats.available(), 1);
    let panicked = Process::spawn(|| -> () {
        let _seat = seats.acquire();
        panic!("on purpose");
    })?;
    assert!(panicked.join().is_err());
    assert_eq!(seats.available(), 1);
    Ok(())
}

fn never_more_inside_than_permits() -> Outcome {
    let seats = Semaphore::new(7)?;
    // How many are inside, and the most that ever were.
    let inside = Lock::new((0_u32, 0_u32))?;
    let guests: Vec<_> = (0..10)
        .map(|_| {
            Process::spawn(|| {
                for _ in 0..20 {
                    let _seat = seats.acquire()?;
                    {
                        let mut inside = inside.lock()?;
                        inside.0 += 1;
                        inside.1 = inside.1.max(inside.0);
                    }
                    thread::sleep(Duration::from_micros(500));
                    inside.lock()?.0 -= 1;
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        })
        .collect::<Result<_, _>>()?;
    for guest in guests {
        guest.join()?;
    }
    assert_eq!(*inside.lock()?, (0, 7));
    assert_eq!(seats.available(), 7);
    Ok(())
}

fn three_of_ten_tries_succeed() -> Outcome {
    let seats = Semaphore::new(3)?;
    let all_have_tried = Barrier::new(10)?;
    let guests: Vec<_> = (0..10)
        .map(|_| {
            Process::spawn(|| {
                let seat = seats.try_acquire();
                // Whoever got in stays until all have tried.
                all_have_tried.wait()?;
                match seat {
                    Ok(_) => Ok(true),
                    Err(SemaphoreError::WouldBlock) => Ok(false),
                    Err(error) => Err(
                        Box::<dyn std::error::Error + Send + Sync>::from(error),
                    ),
                }
            })
        })
        .collect::<Result<_, _>>()?;
    let mut succeeded = 0;
    for guest in guests {
        succeeded += u32::from(guest.join()?);
    }
    assert_eq!(succeeded, 3);
    assert_eq!(seats.available(), 3);
    Ok(())
}

fn a_timed_one_waits_about_its_time() -> Outcome {
    let seats = Semaphore::new(1)?;
    let seat = seats.acquire_timeout(A_WHILE)?;
    let began = Instant::now();
    let late = seats.acquire_timeout(A_WHILE);
    assert!(matches!(late, Err(SemaphoreError::Timeout(t)) if t == A_WHILE));
    assert!((A_WHILE..SOON).contains(&began.elapsed()));
    drop(seat);
    assert!(seats.acquire_timeout(Duration::ZERO).is_ok());
    Ok(())
}

fn numbers_that_make_no_sense_are_refused() -> Outcome {
    assert!(matches!(Semaphore::new(0), Err(SemaphoreError::NoPermits)));
    for permits in [usize::MAX, 1 << 56] {
        assert!(matches!(
            Semaphore::new(permits),
            Err(SemaphoreError::Memory(_))
        ));
    }
    Ok(())
}

fn a_killed_holders_permits_come_back() -> Outcome {
    let seats = Semaphore::new(5)?;
    let _kept = seats.acquire()?;
    let inside = Event::new()?;
    let holder = Process::spawn(|| {
        let _two = (seats.acquire()?, seats.acquire()?);
        inside.set();
        sleep_until_killed();
        Ok::<_, SemaphoreError>(())
    })?;
    inside.wait();
    assert_eq!(seats.available(), 2);
    holder.kill()?;
    assert!(holder.join().is_err());
    assert_eq!(seats.available(), 4);
    let all: Result<Vec<_>, _> = (0..4).map(|_| seats.try_acquire()).collect();
    assert_eq!(all?.len(), 4);
    Ok(())
}

fn a_waiter_gets_a_killed_holders_permit() -> Outcome {
    let seats = Semaphore::new(1)?;
    let inside = Event::new()?;
    let holder = Process::spawn(|| {
        let _seat = seats.acquire()?;
        inside.set();
        sleep_until_killed();
        Ok::<_, SemaphoreError>(())
    })?;
    inside.wait();
    let waiter = Process::spawn(|| seats.acquire().map(drop))?;
    assert!(eventually(|| asleep(waiter.pid())));
    holder.kill()?;
    waiter.join()?;
    assert!(holder.join().is_err());
    Ok(())
}

fn a_release_wakes_who_sleeps() -> Outcome {
    let (ping, pong) = (Semaphore::new(1)?, Queue::bounded(1)?);
    let mut seat = ping.acquire()?;
    let waiter = Process::spawn(|| {
        for n in 0..100 {
            let seat = ping.acquire()?;
            pong.put(&n)?;
            // Only when it was got does the other side want the permit back.
            while !pong.is_empty() {
                thread::yield_now();
            }
            drop(seat);
            while ping.available() > 0 {
                thread::yield_now();
            }
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    let mut woken = Duration::ZERO;
    for n in 0..100 {
        assert!(eventually(|| asleep(waiter.pid())));
        let began = Instant::now();
        drop(seat);
        assert_eq!(pong.get()?, n);
        woken += began.elapsed();
        seat = ping.acquire()?;
    }
    waiter.join()?;
    drop(seat);
    // Without the wake-up each round would last until the sleeper looks again
    // by himself, 50 ms.
    assert!(woken < Duration::from_secs(2), "{woken:?}");
    Ok(())
}
