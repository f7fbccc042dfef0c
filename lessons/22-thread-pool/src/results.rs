//! What becomes of a job.

use crate::executor::{self, Executor};
use crate::future::Future;
use crate::tracks::Tracks;
use crossbeam_channel::bounded;
use shared::Stage;
use shared::lesson::{differs_from, equals};
use std::sync::Barrier;
use std::thread;

/// Three jobs, two workers; the first job takes longest. Whose result comes
/// first?
///
/// - [x] that of job 2: what is done first comes first
/// - [ ] that of job 1: results come in the order of the jobs
/// - [ ] that of job 1 or 2, by luck
pub fn as_completed(stage: &Stage) -> shared::Result {
    let (tracks, third_begun) = (Tracks::new(stage, 2), Barrier::new(2));
    let work = |job| {
        let worker = tracks.here();
        let _work = worker.begin(&format!("job {job}"));
        if job != 2 {
            third_begun.wait(); // so the second has ended
        }
        worker.pause(if job == 1 { 1.5 } else { 1.0 });
        job
    };
    thread::scope(|scope| {
        let pool = Executor::new(scope, 2)?;
        let jobs = (1..=3).map(|job| pool.submit(move || work(job)));
        let futures = jobs.collect::<shared::Result<Vec<_>>>()?;
        for future in executor::as_completed(futures) {
            tracks.main().note("result of job", future.result()?);
        }
        shared::Result::Ok(())
    })?;
    let first: u64 = tracks.main().noted("result of job")?;
    stage.claim("the result that comes first: job", first, equals(2));
    Ok(())
}

/// Two callbacks are added to a job before it is done, the first of which
/// panics; one is added afterwards. Which thread calls them?
///
/// - [x] the worker the first two, main the last one
/// - [ ] the worker all three: it has the result
/// - [ ] main all three: it has added them
pub fn callback(stage: &Stage) -> shared::Result {
    let (tracks, go) = (Tracks::new(stage, 1), Barrier::new(2));
    let tell = |job: &Future<()>| {
        let text = format!("the result is {}", said(&job.result()));
        tracks.here().note("callback", text);
    };
    thread::scope(|scope| {
        let pool = Executor::new(scope, 1)?;
        let job = pool.submit(|| work(&tracks, "job 1", || go.wait()))?;
        job.on_done(|_| {
            tracks.here().note("callback", "panics");
            panic!("a mistake in a callback");
        });
        job.on_done(tell);
        go.wait();
        // Not for `job.result()`: that returns before the callbacks are called.
        let other = pool.submit(|| work(&tracks, "job 2", || ()))?;
        tracks.main().span("waits", || other.result())?;
        job.on_done(tell);
        shared::Result::Ok(())
    })?;
    let trace = stage.trace()?;
    let callers = trace.order_of("callback");
    stage.claim(
        "added before: called by",
        callers.iter().take(2).collect(),
        equals(vec![&"worker 1"; 2]),
    );
    stage.claim(
        "added after: called by",
        callers.iter().skip(2).collect(),
        equals(vec![&"main"]),
    );
    Ok(())
}

/// A job: waits until it may go on, and works.
fn work<R>(tracks: &Tracks, job: &str, wait: impl FnOnce() -> R) {
    let _work = tracks.here().begin(job);
    wait();
    tracks.here().pause(1.0);
}

/// One job runs, two wait. Main cancels the first two, closes the executor,
/// hands one more in, and cancels whatever still waits. Which of the four are
/// run?
///
/// - [ ] the first and the third
/// - [ ] the third: the first is cancelled as it runs
/// - [x] the first alone
pub fn never_run(stage: &Stage) -> shared::Result {
    let (tracks, begun) = (Tracks::new(stage, 1), Barrier::new(2));
    let (main, (go, may_go)) = (tracks.main(), bounded(1));
    let wait = || (begun.wait(), may_go.recv());
    thread::scope(|scope| {
        let pool = Executor::new(scope, 1)?;
        let first = pool.submit(|| work(&tracks, "job 1", wait))?;
        let second = pool.submit(|| work(&tracks, "job 2", || ()))?;
        let third = pool.submit(|| work(&tracks, "job 3", || ()))?;
        begun.wait();
        let cancelled = [first.cancel(), second.cancel()];
        main.note("cancel the first, the second", cancelled.to_vec());
        pool.close();
        main.note("close returns, the first is done", first.is_done());
        let late = pool.submit(|| work(&tracks, "job 4", || ()));
        main.note("submit after close", said(&late));
        main.say("cancels whatever still waits");
        pool.cancel_waiting();
        go.send(())?;
        main.span("waits", || pool.shutdown());
        main.note("shutdown returns, the first is done", first.is_done());
        main.note("result of the third", said(&third.result()));
        shared::Result::Ok(())
    })?;
    let cancelled: [bool; 2] = main.noted("cancel the first, the second")?;
    let late: String = main.noted("submit after close")?;
    let early = main.noted("close returns, the first is done")?;
    let waited = main.noted("shutdown returns, the first is done")?;
    let trace = stage.trace()?;
    stage.claim(
        "cancelled: only the job that waits",
        cancelled,
        equals([false, true]),
    );
    stage.claim("close waits for nobody", early, equals(false));
    stage.claim("submit after close: refused", late, differs_from("ok".into()));
    stage.claim("shutdown waits for what is begun", waited, equals(true));
    let ran = trace.order_on("worker 1");
    stage.claim("jobs that were run: the first", ran, equals(vec!["job 1"]));
    Ok(())
}

fn said<T, E: ToString>(result: &Result<T, E>) -> String {
    result.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned())
}
