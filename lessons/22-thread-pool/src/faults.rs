//! What goes wrong in a job.

use crate::executor::Executor;
use crate::tracks::Tracks;
use shared::Stage;
use shared::lesson::equals;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Three jobs share out a cake of twelve pieces: among 4 guests, 0 and 3. What
/// becomes of the worker that divides by zero?
///
/// - [x] it goes on; whoever asks for the result gets the error
/// - [ ] it ends, and a new one takes its place
/// - [ ] it ends, and the program with it
pub fn job_panics(stage: &Stage) -> shared::Result {
    let tracks = Tracks::new(stage, 1);
    let share = |guests: u32| {
        let _work = tracks.here().begin("works");
        tracks.here().pause(0.5);
        12 / guests
    };
    let mut done = 0;
    thread::scope(|scope| {
        let pool = Executor::new(scope, 1)?;
        for guests in [4, 0, 3] {
            let name = format!("{guests} guests");
            match pool.submit(move || share(guests))?.result() {
                Ok(pieces) => {
                    tracks.main().note(&name, format!("{pieces} each"));
                    done += 1;
                }
                Err(error) => tracks.main().note(&name, error.to_string()),
            }
        }
        shared::Result::Ok(())
    })?;
    stage.claim("jobs done: the other two", done, equals(2));
    let told: String = tracks.main().noted("0 guests")?;
    let told = told.contains("divide by zero");
    stage.claim("what the panic said reaches `result`", told, equals(true));
    let threads = stage.trace()?.threads_of("works");
    stage.claim("by one and the same worker", threads, equals(1));
    Ok(())
}

/// A job hands another one in to its own executor, and waits for it. Is that
/// done in time if there is one worker, and if there are two?
///
/// - [ ] with one and with two: a worker that waits does other jobs
/// - [x] with two, but not with one
/// - [ ] with neither: it waits for itself
pub fn job_waits_for_job(stage: &Stage) -> shared::Result {
    let tracks = Tracks::new(stage, 2);
    tracks.main().say("one worker");
    let one = outer_and_inner(&tracks, 1, stage.time(1.5))?;
    tracks.main().say("two workers");
    let two = outer_and_inner(&tracks, 2, stage.time(100.0))?;
    let trace = stage.trace()?;
    let ends = trace.spans_named("outer").next().map(|outer| outer.end);
    let begins = trace.spans_named("inner").next().map(|inner| inner.begin);
    stage.claim("one worker: not done in time", one, equals(false));
    let later = ends.zip(begins).is_some_and(|(ends, begins)| ends < begins);
    stage.claim(
        "one worker: inner began when outer had ended",
        later,
        equals(true),
    );
    stage.claim("two workers: done in time", two, equals(true));
    Ok(())
}

/// Whether the inner job is done while the outer one waits for it.
fn outer_and_inner(
    tracks: &Tracks,
    workers: usize,
    patience: Duration,
) -> shared::Result<bool> {
    thread::scope(|scope| {
        let pool = Arc::new(Executor::new(scope, workers)?);
        let own = Arc::clone(&pool);
        let outer = pool.submit(move || {
            let worker = tracks.here();
            let _outer = worker.begin("outer");
            worker.pause(0.5);
            let inner = own.submit(|| {
                tracks.here().span("inner", || tracks.here().pause(0.5));
            });
            let wait = || inner.ok()?.result_timeout(patience).ok();
            let in_time = worker.span("waits", wait).is_some();
            worker.note("inner is done in time", in_time);
            in_time
        })?;
        Ok(outer.result()?)
    })
}
