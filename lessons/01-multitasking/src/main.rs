//! Multitasking: taking turns and running at once.
//!
//! A computer does many things at the same time. How many of them really run?

mod cores;
mod crowd;
mod slices;
mod switch;
mod tasks;

use cores::cores;
use shared::lesson::{at_most, equals};
use shared::trace::Trace;
use shared::{Stage, lesson};
use std::process::ExitCode;
use std::time::Duration;
use tasks::{compute, ms, run, run_until, wait};

/// How long a task computes or waits. When it is short each time slice can be
/// seen, when it is long each gets on, however many other programs run.
const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    lesson![
        one_core,
        two_cores,
        one_waits,
        crowd::six_tasks,
        switch::given_or_taken,
        switch::price;
        tasks,
    ]
    .run()
}

/// Two busy tasks have one core. Do both ever run at the same moment?
///
/// - [ ] yes, all the time, each at half its speed
/// - [x] never
/// - [ ] now and then, where one takes over from the other
fn one_core(stage: &Stage) -> shared::Result {
    let Some([core]) = cores(stage) else { return Ok(()) };
    run(stage, SHORT, [("anna", &[core], compute), ("ben", &[core], compute)])?;
    let trace = stage.trace()?;
    stage.claim("running at once: never two", trace.peak("runs"), equals(1));
    let anna: f64 = trace.noted("anna", "ms on the core")?;
    let ben: f64 = trace.noted("ben", "ms on the core")?;
    let part = ms(trace.extent("runs")) / (anna + ben);
    stage.track("both").note("as a part of the sum", part);
    Ok(())
}

/// Now each of them has a core of its own. Do they run at the same moment?
///
/// - [x] yes, there are moments when both run
/// - [ ] no, the tasks of one program take turns
/// - [ ] no, a second core helps when there are more than two tasks
fn two_cores(stage: &Stage) -> shared::Result {
    let Some([one, other]) = cores(stage) else { return Ok(()) };
    run_until(
        stage,
        LONG,
        [("anna", &[one], compute), ("ben", &[other], compute)],
        met,
    )?;
    let trace = stage.trace()?;
    stage.claim("running at once: both", trace.peak("runs"), equals(2));
    note_together(stage, &trace);
    Ok(())
}

/// Whether one ran while the other ran or waited.
fn met(trace: &Trace) -> bool {
    trace.peak("runs") == 2 || trace.overlap("runs", "waits")
}

/// The time in which somebody ran or waited, divided by the sum of what each
/// of them took. What other programs took in between does not count.
fn note_together(stage: &Stage, trace: &Trace) {
    let sum = trace.total("runs") + trace.total("waits");
    let together = trace.covered(&["runs", "waits"]);
    let part = together.div_duration_f64(sum);
    stage.track("both").note("as a part of the sum", part);
}

/// One core again: anna computes, and ben waits as long. Does it take the sum?
///
/// - [ ] yes: one core does one thing after the other
/// - [ ] more than that: waiting takes the core as well
/// - [x] no: anna computes while ben waits
fn one_waits(stage: &Stage) -> shared::Result {
    let Some([core]) = cores(stage) else { return Ok(()) };
    run_until(
        stage,
        LONG,
        [("anna", &[core], compute), ("ben", &[core], wait)],
        met,
    )?;
    let trace = stage.trace()?;
    note_together(stage, &trace);
    let meanwhile = trace.overlap("runs", "waits");
    stage.claim("anna runs while ben waits", meanwhile, equals(true));
    let used: f64 = trace.noted("ben", "part of the core")?;
    stage.claim("waiting takes nothing of the core", used, at_most(0.1));
    Ok(())
}
