//! More tasks than cores.

use crate::LONG;
use crate::cores::up_to;
use crate::slices::compute_for;
use crate::tasks::run_until;
use shared::lesson::{at_least, equals};
use shared::trace::{Span, Trace};
use shared::{Stage, Track};
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

/// Six tasks have fewer cores. Finn waits for a while: who runs meanwhile?
///
/// - [ ] nobody in his place: each task has a share of the time
/// - [x] others, whom the system chooses
pub fn six_tasks(stage: &Stage) -> shared::Result {
    let Some(cores) = up_to(4, stage) else { return Ok(()) };
    let cores = cores.as_slice();
    run_until(
        stage,
        LONG,
        [
            ("anna", cores, compute_anywhere),
            ("ben", cores, compute_anywhere),
            ("carl", cores, compute_anywhere),
            ("dora", cores, compute_anywhere),
            ("emil", cores, compute_anywhere),
            ("finn", cores, compute_and_wait),
        ],
        others_ran,
    )?;
    let trace = stage.trace()?;
    let next = next_on_finns_core(&trace).unwrap_or("none of them");
    stage.track("finn's core").note("goes to", next);

    let peaks = cores.iter().map(|&core| trace.peak(&on(core)));
    let most = peaks.max().unwrap_or(0);
    stage.claim("at once on one core: never two", most, equals(1));
    let others = ran_while_finn_waited(&trace).len();
    stage.claim("others run while finn waits", others, at_least(1));
    Ok(())
}

fn others_ran(trace: &Trace) -> bool {
    !ran_while_finn_waited(trace).is_empty()
}

fn compute_and_wait(task: &Track, time: Duration) -> shared::Result {
    compute_anywhere(task, time / 4)?;
    task.span("waits", || sleep(time));
    compute_anywhere(task, time / 4)
}

/// Computes, and records when it ran and on which core.
fn compute_anywhere(task: &Track, time: Duration) -> shared::Result {
    for slice in compute_for(time)? {
        task.span_at(&on(slice.core), slice.from, slice.to);
    }
    Ok(())
}

/// What running on this core is called.
fn on(core: usize) -> String {
    format!("on core {core}")
}

/// Finn's wait, and all that ran.
fn wait_and_runs(trace: &Trace) -> Option<(&Span, Vec<&Span>)> {
    let spans = trace.spans().iter();
    let runs = spans.filter(|span| span.name.starts_with("on core"));
    Some((trace.spans_named("waits").last()?, runs.collect()))
}

fn ran_while_finn_waited(trace: &Trace) -> BTreeSet<&str> {
    let Some((pause, runs)) = wait_and_runs(trace) else {
        return BTreeSet::new();
    };
    let others = runs.into_iter().filter(|run| run.overlaps(pause));
    others.map(|run| trace.tracks()[run.track].name.as_str()).collect()
}

/// The first of the others to run on the core where finn ran last before he
/// waited; nobody if none of them did until he was back.
fn next_on_finns_core(trace: &Trace) -> Option<&str> {
    let (pause, runs) = wait_and_runs(trace)?;
    let begins = |run: &&&Span| run.begin_ns < pause.begin_ns;
    let finns = runs.iter().filter(|run| run.track == pause.track);
    let left = finns.take_while(begins).last()?;
    let next = runs.iter().find(|run| {
        !begins(run) && run.overlaps(pause) && run.name == left.name
    })?;
    Some(&trace.tracks()[next.track].name)
}
