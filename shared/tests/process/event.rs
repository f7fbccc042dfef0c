//! `Event`: whoever waits gets through when it is set.

use std::time::{Duration, Instant};

use shared::process::{Event, Process, Queue, QueueError, Signal};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{SOON, asleep, eventually, state};

pub const CASES: &[Case] = cases!("event":
    five_waiters_all_wake,
    a_second_wait_passes_at_once,
    a_timed_wait_says_which_it_was,
    setting_and_clearing_twice_is_harmless,
    a_waiter_gets_through_though_it_was_cleared_at_once,
    a_killed_waiter_hinders_nobody,
    a_stopped_waiter_hinders_nobody,
    a_set_wakes_who_sleeps,
);

fn five_waiters_all_wake() -> Outcome {
    let go = Event::new()?;
    let waiters: Vec<_> = (0..5)
        .map(|_| Process::spawn(|| go.wait()))
        .collect::<Result<_, _>>()?;
    for waiter in &waiters {
        assert!(eventually(|| asleep(waiter.pid())));
        assert!(waiter.is_alive());
    }
    go.set();
    for waiter in waiters {
        waiter.join()?;
    }
    Ok(())
}

fn a_second_wait_passes_at_once() -> Outcome {
    let go = Event::new()?;
    go.set();
    go.wait();
    go.wait();
    assert!(go.wait_timeout(Duration::ZERO));
    go.clear();
    assert!(!go.wait_timeout(Duration::ZERO));
    Ok(())
}

fn a_timed_wait_says_which_it_was() -> Outcome {
    let go = Event::new()?;
    let a_while = Duration::from_millis(60);
    let began = Instant::now();
    assert!(!go.wait_timeout(a_while));
    assert!((a_while..SOON).contains(&began.elapsed()));
    let setter = Process::spawn(|| go.set())?;
    assert!(go.wait_timeout(SOON));
    setter.join()?;
    Ok(())
}

fn setting_and_clearing_twice_is_harmless() -> Outcome {
    let go = Event::new()?;
    assert!(!go.is_set());
    go.clear();
    assert!(!go.is_set());
    go.set();
    go.set();
    assert!(go.is_set());
    go.clear();
    go.clear();
    assert!(!go.is_set());
    go.set();
    assert!(go.is_set());
    Ok(())
}

fn a_waiter_gets_through_though_it_was_cleared_at_once() -> Outcome {
    let go = Event::new()?;
    for _ in 0..50 {
        let waiters: Vec<_> = (0..5)
            .map(|_| Process::spawn(|| go.wait_timeout(SOON)))
            .collect::<Result<_, _>>()?;
        assert!(eventually(|| waiters.iter().all(|w| asleep(w.pid()))));
        go.set();
        go.clear();
        for waiter in waiters {
            assert!(waiter.join()?, "a waiter missed it");
        }
    }
    Ok(())
}

fn a_killed_waiter_hinders_nobody() -> Outcome {
    let go = Event::new()?;
    for _ in 0..20 {
        let killed = Process::spawn(|| go.wait())?;
        let waiter = Process::spawn(|| go.wait())?;
        assert!(eventually(|| asleep(killed.pid()) && asleep(waiter.pid())));
        killed.kill()?;
        assert!(killed.join().is_err());
        go.set();
        waiter.join()?;
        go.clear();
    }
    Ok(())
}

fn a_stopped_waiter_hinders_nobody() -> Outcome {
    let go = Event::new()?;
    let stopped = Process::spawn(|| go.wait())?;
    let waiter = Process::spawn(|| go.wait())?;
    assert!(eventually(|| asleep(stopped.pid()) && asleep(waiter.pid())));
    stopped.send(Signal::STOP)?;
    assert!(eventually(|| state(stopped.pid()) == Some('T')));
    go.set();
    waiter.join()?;
    stopped.send(Signal::CONT)?;
    stopped.join()?;
    Ok(())
}

fn a_set_wakes_who_sleeps() -> Outcome {
    let go = Event::new()?;
    let woke = Queue::bounded(1)?;
    let waiter = Process::spawn(|| {
        for n in 0..100 {
            go.wait();
            go.clear();
            woke.put(&n)?;
        }
        Ok::<_, QueueError>(())
    })?;
    let mut woken = Duration::ZERO;
    for n in 0..100 {
        assert!(eventually(|| asleep(waiter.pid())));
        let began = Instant::now();
        go.set();
        assert_eq!(woke.get()?, n);
        woken += began.elapsed();
    }
    waiter.join()?;
    // Without the wake-up each round would last until the sleeper looks again
    // by himself, 50 ms.
    assert!(woken < Duration::from_secs(2), "{woken:?}");
    Ok(())
}
