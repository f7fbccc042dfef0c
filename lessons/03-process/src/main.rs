//! Process: a process as an object.
//!
//! fork copies a process and leaves the rest to you. What if a process is a
//! value, with a name, a beginning, and an end that can be waited for?

mod afresh;
mod call;
mod ending;

use shared::lesson::{at_most, equals};
use shared::process::{Barrier, BarrierError, Event, Process, current};
use shared::{Stage, Track, lesson};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Each start of this program begins here, also one that it made itself.
    if let Some(exit) = afresh::started_by_itself() {
        return exit;
    }
    lesson![
        only_one,
        seven_jobs,
        an_object,
        call::called_not_started,
        ending::exit_code,
        ending::terminate_and_kill,
        ending::parent_ends_first,
        afresh::start_afresh,
        afresh::without_a_guard,
    ]
    .run()
}

/// A cook is to stir for ever, and then to serve. When does he serve?
///
/// - [ ] as soon as the system gives him time for it
/// - [ ] when his parent ends him
/// - [x] never
fn only_one(stage: &Stage) -> shared::Result {
    let (parent, cook) = (stage.track("parent"), stage.track("cook"));
    let begun = Event::new()?;
    let process = Process::spawn(|| {
        for_ever("stirs", &cook, &begun);
        for_ever("serves", &cook, &begun);
    })?;
    begun.wait();
    parent.pause(1.5);
    parent.say("ends the cook; else I would wait for ever");
    process.terminate()?;
    process.wait();
    let served = stage.trace()?.count("serves");
    stage.claim("times he served", served, equals(0));
    Ok(())
}

fn for_ever(job: &str, who: &Track, begun: &Event) {
    let _span = who.begin(job);
    begun.set();
    loop {
        who.pause(0.1);
    }
}

/// Two jobs of 1 s, five of 0.5 s. How long do all take, in turn and at once?
///
/// - [x] 4.5 s in turn, at once about 1 s
/// - [ ] 4.5 s each time: the work is the same
/// - [ ] 4.5 s in turn, at once a seventh of it
fn seven_jobs(stage: &Stage) -> shared::Result {
    const JOBS: [f64; 7] = [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5];
    let parent = stage.track("parent");
    for seconds in JOBS {
        parent.span("in turn", || parent.pause(seconds));
    }
    let all_begun = Barrier::new(JOBS.len())?;
    let mut processes = Vec::new();
    for (n, seconds) in (1..).zip(JOBS) {
        let job = stage.track(format!("job {n}"));
        processes.push(Process::spawn(|| {
            let _span = job.begin("at once");
            all_begun.wait()?;
            job.pause(seconds);
            Ok::<_, BarrierError>(()) // says what `?` may return
        })?);
    }
    processes.into_iter().try_for_each(Process::join)?;
    let trace = stage.trace()?;
    // An extent goes from the first beginning to the last end.
    let took = trace.extent("at once");
    for (name, way) in [("all in turn", "in turn"), ("all at once", "at once")]
    {
        let seconds = trace.extent(way).div_duration_f64(stage.time(1.0));
        parent.note(name, format!("{seconds:.1} s"));
    }
    let times = took.div_duration_f64(trace.longest("at once"));
    stage.claim("at once: about the longest", times, at_most(2.0));
    let part = took.div_duration_f64(trace.total("at once"));
    stage.claim("and not the sum", part, at_most(0.9));
    Ok(())
}

/// A process is an object. What can its parent ask it, and when?
///
/// - [x] its name and pid at any time, its exit code after its end
/// - [ ] all of that at any time
/// - [ ] nothing before its end
fn an_object(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let (order, go) = (vec!["rye", "wheat"], Event::new()?);
    let process = Process::spawn(|| {
        child.note("my name", current().name());
        child.note("my pid", current().pid());
        child.span("waits", || go.wait());
        child.span("bakes", || bake(order, &child)) // `order` moves in
    })?;
    let (name, pid) = (process.name().to_owned(), process.pid());
    let before = process.is_alive();
    let early = process.join_timeout(stage.time(0.5));
    parent.note("ended after a while", early.is_some());
    go.set();
    let end = process.wait();
    parent.note("in the end", end.to_string());
    let alive = [before, process.is_alive()];
    parent.note("alive before and after", alive);
    let bread = process.join()?;
    parent.note("bread", bread.as_str());
    // What the child has noted is read from the trace of this run.
    stage.claim("it knows its name", child.noted("my name")?, equals(name));
    stage.claim("and its pid", child.noted("my pid")?, equals(pid));
    stage.claim("first it is alive, then not", alive, equals([true, false]));
    stage.claim("a timed wait gives up", early.is_none(), equals(true));
    stage.claim("it leaves an exit code", end.code(), equals(Some(0)));
    stage.claim("and an answer", bread.as_str(), equals("rye and wheat"));
    Ok(())
}

fn bake(order: Vec<&str>, who: &Track) -> String {
    who.pause(1.0);
    order.join(" and ")
}
