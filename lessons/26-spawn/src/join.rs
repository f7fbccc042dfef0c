//! Waiting for a coroutine, and not.

use crate::{in_a_coroutine, in_longest, sleep};
use may::{coroutine, go};
use shared::Stage;
use shared::lesson::{at_most, equals};

/// Two jobs, of 2.5 and of 1.5 seconds, and main joins both. When does it go
/// on?
pub fn two_jobs(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let jobs = [("long job", 2.5), ("short job", 1.5)]
        .map(|(name, seconds)| (stage.coroutine_track(name), seconds));
    in_a_coroutine(|| {
        coroutine::scope(|scope| {
            let handles = jobs.each_ref().map(|(job, seconds)| {
                go!(scope, || sleep(stage, job, *seconds))
            });
            main.say("both are spawned");
            main.span("waits", || handles.map(|handle| handle.join()));
            main.say("goes on");
            main.mark("goes on");
        });
        Ok(())
    })?;
    let trace = stage.trace()?;
    let lengths = in_longest(&trace);
    stage.claim("the longer, not the sum: of it", lengths, at_most(1.3));
    let goes_on = trace.find("main", "goes on")?;
    let over = trace.spans_named("sleeps").all(|job| job.end < goes_on);
    stage.claim("join has waited for both", over, equals(true));
    Ok(())
}

/// A job of a minute is spawned, and nobody joins it. When does the program
/// end, and what becomes of the job?
pub fn nobody_joins(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let job = stage.coroutine_track("job");
    let minute = stage.time(60.0);
    in_a_coroutine(|| {
        let handle = go!(move || {
            job.span("sleeps", || coroutine::sleep(minute));
            job.say("done");
            job.mark("done");
        });
        coroutine::yield_now();
        drop(handle);
        main.say("my last line");
        Ok(())
    })?;
    let trace = stage.trace()?;
    stage.claim("jobs begun", trace.count("sleeps"), equals(1));
    stage.claim("jobs done", trace.count("done"), equals(0));
    Ok(())
}
