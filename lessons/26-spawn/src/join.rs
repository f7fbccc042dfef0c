//! Who waits for a coroutine, and what becomes of it if nobody does.

use crate::wakings::in_longest;
use crate::{in_a_coroutine, night};
use may::sync::mpsc::channel;
use may::{coroutine, go};
use shared::lesson::{at_most, equals};
use shared::{Stage, Track};
use std::time::Instant;

/// Two jobs, of 2.5 and of 1.5 seconds, and main joins both. When does it go
/// on?
///
/// - [x] after about 2.5 s, when both have ended
/// - [ ] after 1.5 s, with the first one that ends
/// - [ ] after 4 s: they sleep one after the other
pub fn two_jobs(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let jobs = [("long job", [2.5]), ("short job", [1.5])];
    let jobs = jobs.map(|(name, nap)| (stage.coroutine_track(name), nap));
    in_a_coroutine(|| {
        coroutine::scope(|scope| {
            let spawned = jobs
                .each_ref()
                .map(|(job, nap)| go!(scope, || night(stage, job, nap)));
            main.say("both are spawned");
            main.span("waits", || spawned.map(|job| job.join()));
            main.say("goes on");
            main.mark("goes on");
        });
        Ok(())
    })?;
    let trace = stage.trace()?;
    let lengths = in_longest(&trace);
    stage.claim("both, in lengths of the longer", lengths, at_most(1.3));
    let goes_on = trace.find("main", "goes on")?;
    let over = trace.spans_named("sleeps").all(|job| job.end < goes_on);
    stage.claim("main goes on after both", over, equals(true));
    Ok(())
}

/// A job takes a minute, and nobody joins it. How long does the program take,
/// and what becomes of the job?
///
/// - [x] a moment; the job does not come to its end
/// - [ ] a minute; the job is done
/// - [ ] a moment; the job goes on by itself and is done
pub fn nobody_joins(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let [main, job] = ["main", "job"].map(|name| stage.coroutine_track(name));
    let (minute, start) = (stage.time(60.0), Instant::now());
    in_a_coroutine(|| {
        let (tell, told) = channel(); // `may`'s own channel
        go!(move || {
            let _asleep = job.begin("sleeps");
            let _ = tell.send("begun");
            coroutine::sleep(minute);
            job.mark("done");
        });
        told.recv()?;
        last_line(&main, "my last line");
        Ok(())
    })?;
    last_line(&parent, "the program has ended");
    let trace = stage.trace()?;
    stage.claim("jobs begun", trace.count("sleeps"), equals(1));
    stage.claim("jobs done", trace.count("done"), equals(0));
    let took = start.elapsed().div_duration_f64(minute);
    stage.claim("the program, in lengths of the job", took, at_most(0.5));
    Ok(())
}

fn last_line(me: &Track, line: &str) {
    me.say(line);
    me.mark(line);
}
