//! What becomes of a job.

use crate::executor::{self, Executor};
use crate::tracks::Tracks;
use crossbeam_channel::bounded;
use shared::Stage;
use shared::lesson::{differs_from, equals};
use std::sync::Barrier;
use std::thread;

/// Three jobs, two workers; the first job takes longest. Whose result comes
/// first?
pub fn as_completed(stage: &Stage) -> shared::Result {
    let (tracks, third_begun) = (Tracks::new(stage, 2), Barrier::new(2));
    let work = |job| {
        let worker = tracks.here();
        worker.span(&format!("job {job}"), || {
            if job != 2 {
                third_begun.wait(); // so the second has ended
            }
            worker.pause(1.0);
        });
        job
    };
    let order = thread::scope(|scope| {
        let pool = Executor::new(scope, 2)?;
        let jobs = (1..=3).map(|job| pool.submit(move || work(job)));
        let futures = jobs.collect::<shared::Result<Vec<_>>>()?;
        let mut order = Vec::new();
        for future in executor::as_completed(futures) {
            let job = future.result()?;
            tracks.main().say(format!("result of job {job}"));
            order.push(job);
        }
        shared::Result::Ok(order)
    })?;
    stage.claim("the result that comes first: job", order[0], equals(2));
    Ok(())
}

/// Two callbacks are added to a job before it is done, the first of which
/// panics; one is added afterwards. Which thread calls them?
pub fn callback(stage: &Stage) -> shared::Result {
    let (tracks, go) = (Tracks::new(stage, 1), Barrier::new(2));
    thread::scope(|scope| {
        let pool = Executor::new(scope, 1)?;
        let job = pool.submit(|| {
            tracks.here().span("job 1", || {
                go.wait();
                tracks.here().pause(1.0);
            });
        })?;
        job.on_done(|_| {
            tracks.here().note("callback", "panics");
            panic!("a mistake in a callback");
        });
        job.on_done(|job| tracks.here().note("callback", said(&job.result())));
        go.wait();
        let other = pool.submit(|| {
            tracks.here().span("job 2", || tracks.here().pause(1.0));
        })?;
        tracks.main().span("waits", || other.result())?;
        job.on_done(|job| tracks.here().note("callback", said(&job.result())));
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

/// One job runs, two wait. Main cancels the first two, closes the executor,
/// and hands one more in. Which of the four are run?
pub fn never_run(stage: &Stage) -> shared::Result {
    let (tracks, begun) = (Tracks::new(stage, 1), Barrier::new(2));
    let (main, (go, may_go)) = (tracks.main(), bounded(1));
    let pause = || tracks.here().pause(1.0);
    let work = || tracks.here().span("works", pause);
    thread::scope(|scope| {
        let pool = Executor::new(scope, 1)?;
        let first = pool.submit(|| {
            tracks.here().span("works", || {
                begun.wait();
                let _ = may_go.recv();
                pause();
            });
        })?;
        let (second, third) = (pool.submit(work)?, pool.submit(work)?);
        begun.wait();
        let cancelled = [first.cancel(), second.cancel()];
        main.note("cancel the first, the second", cancelled.to_vec());
        pool.close();
        main.note("close returns, the first is done", first.is_done());
        main.note("submit after close", said(&pool.submit(work)));
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
    let ran = stage.trace()?.count("works");
    stage.claim(
        "cancelled: only the job that waits",
        cancelled,
        equals([false, true]),
    );
    stage.claim("close waits for nobody", early, equals(false));
    stage.claim("submit after close: refused", late, differs_from("ok".into()));
    stage.claim("shutdown waits for what is begun", waited, equals(true));
    stage.claim("jobs that were run: the first", ran, equals(1));
    Ok(())
}

fn said<T, E: ToString>(result: &Result<T, E>) -> String {
    result.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned())
}
