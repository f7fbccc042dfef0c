//! Multitasking: taking turns and running at once.
//!
//! A computer does many things at the same time. How many of them really run?

mod cores;
mod crowd;
mod slices;
mod switch;
mod tasks;

use cores::cores;
use shared::lesson::{at_most, below, equals};
use shared::trace::Trace;
use shared::{Stage, Track, lesson};
use slices::{compute_for, typical};
use std::{process::ExitCode, thread::sleep, time::Duration};
use switch::Usage;
use tasks::{run, run_until};

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
        switch::price,
    ]
    .run()
}

/// Two busy tasks have one core. Do both ever run at the same moment?
fn one_core(stage: &Stage) -> shared::Result {
    let Some([core]) = cores(stage) else { return Ok(()) };
    let trace = run(
        stage,
        SHORT,
        [("anna", &[core], compute), ("ben", &[core], compute)],
    )?;
    stage.claim("running at once: never two", trace.peak("runs"), equals(1));
    let part = together(&trace);
    stage.claim("both together take the whole sum", part, equals(1.0));
    Ok(())
}

/// Computes, and records afterwards when it really ran.
fn compute(task: &Track, time: Duration) -> shared::Result {
    let slices = compute_for(time)?;
    for slice in &slices {
        task.span_at("runs", slice.from, slice.to);
    }
    let milliseconds = typical(&slices).as_secs_f64() * 1000.0;
    task.note("typical time slice", format!("{milliseconds:.1} ms"));
    Ok(())
}

/// The time in which somebody was at it, divided by the sum of what each of
/// them took. What other programs took in between does not count.
fn together(trace: &Trace) -> f64 {
    let sum = trace.total("runs") + trace.total("waits");
    trace.covered(&["runs", "waits"]).div_duration_f64(sum)
}

/// Now each of them has a core of its own. Do they run at the same moment?
fn two_cores(stage: &Stage) -> shared::Result {
    let Some([one, other]) = cores(stage) else { return Ok(()) };
    let trace = run_until(
        stage,
        LONG,
        [("anna", &[one], compute), ("ben", &[other], compute)],
        |trace| trace.peak("runs") == 2,
    )?;
    stage.claim("running at once: both", trace.peak("runs"), equals(2));
    let part = together(&trace);
    stage.claim("both together take less than the sum", part, below(1.0));
    Ok(())
}

/// One core again: anna computes, and ben waits as long. Does it take the sum?
fn one_waits(stage: &Stage) -> shared::Result {
    let Some([core]) = cores(stage) else { return Ok(()) };
    let trace = run_until(
        stage,
        LONG,
        [("anna", &[core], compute), ("ben", &[core], wait)],
        |trace| trace.overlap("runs", "waits"),
    )?;
    let meanwhile = trace.overlap("runs", "waits");
    stage.claim("anna runs while ben waits", meanwhile, equals(true));
    let part = together(&trace);
    stage.claim("both together take less than the sum", part, below(1.0));
    let used: f64 = trace.noted("ben", "part of the core")?;
    stage.claim("waiting takes nothing of the core", used, at_most(0.1));
    Ok(())
}

/// Waits, as for an answer, and notes how much of its core that took.
fn wait(task: &Track, time: Duration) -> shared::Result {
    let before = Usage::so_far()?;
    task.span("waits", || sleep(time));
    let ran = Usage::so_far()?.ran - before.ran;
    task.note("part of the core", ran.div_duration_f64(time));
    Ok(())
}
