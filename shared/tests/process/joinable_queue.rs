//! `JoinableQueue`: `join` returns when each item was reported done.

use std::time::{Duration, Instant};

use shared::process::{JoinableQueue, Lock, Process, QueueError};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{SOON, asleep, eventually};

pub const CASES: &[Case] = cases!("joinable_queue":
    join_returns_when_each_was_reported_done,
    join_returns_at_once_when_nothing_was_put,
    join_does_not_return_before,
    the_last_task_done_wakes_all_who_join,
    task_done_too_often_is_an_error,
    a_killed_worker_leaves_its_item_unfinished,
);

fn join_returns_when_each_was_reported_done() -> Outcome {
    let work = JoinableQueue::bounded(4)?;
    let done = Lock::new(0)?;
    let workers: Vec<_> = (0..4)
        .map(|_| {
            Process::spawn(|| {
                for n in &work {
                    *done.lock()? += n;
                    work.task_done()?;
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        })
        .collect::<Result<_, _>>()?;
    for n in 1..=10 {
        work.put(&n)?;
    }
    work.join();
    assert_eq!(*done.lock()?, 55);
    work.put(&100)?;
    work.join();
    assert_eq!(*done.lock()?, 155);
    work.close();
    for worker in workers {
        worker.join()?;
    }
    Ok(())
}

fn join_returns_at_once_when_nothing_was_put() -> Outcome {
    let work = JoinableQueue::<u8>::bounded(4)?;
    work.join();
    assert_eq!(work.unfinished(), 0);
    Ok(())
}

fn join_does_not_return_before() -> Outcome {
    let work = JoinableQueue::bounded(4)?;
    work.put(&1)?;
    work.put(&2)?;
    assert_eq!(work.unfinished(), 2);
    work.get()?;
    work.get()?;
    work.task_done()?;
    let a_while = Duration::from_millis(60);
    let began = Instant::now();
    assert!(!work.join_timeout(a_while), "one is not done");
    assert!((a_while..SOON).contains(&began.elapsed()));
    work.task_done()?;
    assert!(work.join_timeout(Duration::ZERO));
    Ok(())
}

fn the_last_task_done_wakes_all_who_join() -> Outcome {
    let work = JoinableQueue::bounded(1)?;
    work.put(&1)?;
    let joining = || Process::spawn(|| work.join());
    let joiners = [joining()?, joining()?, joining()?];
    for joiner in &joiners {
        assert!(eventually(|| asleep(joiner.pid())));
    }
    work.get()?;
    work.task_done()?;
    for joiner in joiners {
        joiner.join()?;
    }
    Ok(())
}

fn task_done_too_often_is_an_error() -> Outcome {
    let work = JoinableQueue::bounded(4)?;
    assert!(matches!(work.task_done(), Err(QueueError::TaskDone)));
    work.put(&1)?;
    work.task_done()?;
    let again = Process::spawn(|| {
        matches!(work.task_done(), Err(QueueError::TaskDone))
    })?;
    assert!(again.join()?);
    work.put(&2)?;
    assert_eq!(work.unfinished(), 1);
    Ok(())
}

fn a_killed_worker_leaves_its_item_unfinished() -> Outcome {
    let work = JoinableQueue::bounded(4)?;
    work.put(&1)?;
    let worker = Process::spawn(|| {
        let _ = work.get();
        crate::support::sleep_until_killed();
    })?;
    assert!(eventually(|| work.is_empty()));
    worker.kill()?;
    assert!(worker.join().is_err());
    assert!(!work.join_timeout(Duration::from_millis(60)));
    work.task_done()?;
    work.join();
    Ok(())
}
