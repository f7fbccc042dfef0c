//! What becomes of a job.

use shared::Stage;
use shared::lesson::equals;
use shared::process::{Event, Pool, PoolError};
use std::cell::RefCell;
use std::process;

/// A callback gets the result of a job. In which process does it run?
///
/// - [ ] in the worker that did the job
/// - [x] in the parent
/// - [ ] in a new one
pub fn callback(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let called = RefCell::new(Vec::new());
    let pool = Pool::new(2, |job: u32| {
        worker.say(format!("job {job} in process {}", process::id()));
        worker.span(&format!("job {job}"), || worker.pause(1.0));
    })?;
    for job in 1..=4 {
        pool.submit_then(job, |_pool, _result| {
            parent.say(format!("callback in process {}", process::id()));
            called.borrow_mut().push(process::id());
        })?;
    }
    pool.close();
    parent.span("waits", || pool.join())?; // and runs the callbacks
    let mut called = called.take();
    stage.claim("callbacks: one a job", called.len(), equals(4));
    called.dedup();
    let me = vec![process::id()];
    stage.claim("all of them in the parent", called, equals(me));
    Ok(())
}

/// Three jobs, two workers; the first job takes longest. Whose result comes
/// first?
///
/// - [ ] that of job 1: results come in the order of the jobs
/// - [ ] that of job 1 or 2, by luck
/// - [x] that of job 2
pub fn as_completed(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let third_begun = Event::new()?;
    let pool = Pool::new(2, |job: u32| {
        worker.span(&format!("job {job}"), || {
            if job == 1 {
                third_begun.wait(); // so the second has ended
            }
            if job == 3 {
                third_begun.set();
            }
            worker.pause(1.0);
        });
        job
    })?;
    let mut order = Vec::new();
    for (_place, job) in pool.each_unordered(1..=3)? {
        let job = job?;
        parent.say(format!("result of job {job}"));
        order.push(job);
    }
    stage.claim("the result that comes first: job", order[0], equals(2));
    Ok(())
}

/// Job 1 runs, job 2 waits, and both are to be cancelled. Job 3 comes after
/// `close`. Which of the three are done?
///
/// - [x] the first alone
/// - [ ] the first and the third: `close` waits for it
/// - [ ] none: the first is cancelled as it runs
pub fn never_run(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let (begun, go) = (Event::new()?, Event::new()?);
    let pool = Pool::new(1, |_job: u32| {
        worker.span("works", || {
            begun.set();
            go.wait();
            worker.pause(1.0);
        });
    })?;
    let (first, second) = (pool.submit(1)?, pool.submit(2)?);
    begun.wait();
    let cancelled = [first.cancel(), second.cancel()];
    parent.note("cancel the first, the second", cancelled.to_vec());
    let early = pool.join();
    parent.note("join before close", said(&early));
    pool.close();
    let late = pool.submit(3);
    parent.note("submit after close", said(&late));
    go.set();
    parent.span("waits", || pool.join())?;
    let ran = stage.trace()?.count("works");
    stage.claim(
        "cancelled: only the job that waited",
        cancelled == [false, true],
        equals(true),
    );
    let refused = matches!(early, Err(PoolError::NotClosed));
    stage.claim("join before close: refused", refused, equals(true));
    let refused = matches!(late, Err(PoolError::Closed));
    stage.claim("submit after close: refused", refused, equals(true));
    stage.claim("jobs that were run: the first", ran, equals(1));
    Ok(())
}

fn said<T>(result: &Result<T, PoolError>) -> String {
    result.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned())
}
