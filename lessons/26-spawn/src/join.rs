//! Who waits for a coroutine, and what becomes of it if nobody does.

use crate::wakings::in_longest;
use crate::{in_a_coroutine, sleep};
use may::sync::mpsc::channel;
use may::{coroutine, go};
use shared::Stage;
use shared::lesson::{at_most, equals};

/// Two jobs, of 2.5 and of 1.5 seconds, and main joins both. When does it go
/// on?
pub fn two_jobs(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let jobs = [("long job", 2.5), ("short job", 1.5)];
    let jobs = jobs.map(|(name, time)| (stage.coroutine_track(name), time));
    in_a_coroutine(|| {
        coroutine::scope(|scope| {
            let spawned = jobs.each_ref().map(|(job, seconds)| {
                go!(scope, || sleep(stage, job, *seconds))
            });
            main.say("both are spawned");
            main.span("waits", || spawned.map(|job| job.join()));
            main.say("goes on");
            main.mark("goes on");
        });
        Ok(())
    })?;
    let trace = stage.trace()?;
    let lengths = in_longest(&trace);
    stage.claim("both: as long as the longer", lengths, at_most(1.3));
    let goes_on = trace.find("main", "goes on")?;
    let over = trace.spans_named("sleeps").all(|job| job.end < goes_on);
    stage.claim("main goes on after both", over, equals(true));
    Ok(())
}

/// A job takes a minute, and nobody joins it. How long does the program take,
/// and what becomes of the job?
pub fn nobody_joins(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let job = stage.coroutine_track("job");
    let minute = stage.time(60.0);
    in_a_coroutine(|| {
        let (tell, told) = channel();
        let spawned = go!(move || {
            job.span("sleeps", || {
                let _ = tell.send("begun");
                coroutine::sleep(minute);
            });
            job.mark("done");
        });
        told.recv()?; // may's own: std's would keep the thread
        main.say("the job has begun");
        main.mark("my last line");
        drop(spawned);
        Ok(())
    })?;
    let trace = stage.trace()?;
    stage.claim("jobs begun", trace.count("sleeps"), equals(1));
    stage.claim("jobs done", trace.count("done"), equals(0));
    Ok(())
}
