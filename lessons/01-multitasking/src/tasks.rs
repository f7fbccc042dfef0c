//! Tasks, each in a process of its own, kept to the cores that it may use.

use crate::cores::keep_to;
use shared::process::{Barrier, Process};
use shared::trace::Trace;
use shared::{Stage, Track};
use std::time::Duration;

/// What a task does for so long.
pub type Work = fn(&Track, Duration) -> shared::Result;

/// A task's name, the cores that it may use, and what it does.
pub type Task<'a> = (&'a str, &'a [usize], Work);

/// Runs these tasks, which begin together.
pub fn run<const N: usize>(
    stage: &Stage,
    time: Duration,
    tasks: [Task; N],
) -> shared::Result {
    let start = &Barrier::new(N)?;
    let mut processes = Vec::new();
    for (name, cores, work) in tasks {
        let task = stage.track(name);
        processes.push(Process::spawn(move || {
            let kept = keep_to(cores);
            start.wait()?; // also if that failed: the others wait for all
            kept?;
            work(&task, time)
        })?);
    }
    for process in processes {
        process.join()?;
    }
    Ok(())
}

/// Runs these tasks; again, up to five times, until what they are to show was
/// to be seen. A machine can be so busy that two tasks never meet: while one
/// of them runs, other programs have the core of the other.
pub fn run_until<const N: usize>(
    stage: &Stage,
    time: Duration,
    tasks: [Task; N],
    seen: impl Fn(&Trace) -> bool,
) -> shared::Result {
    for _ in 1..5 {
        run(stage, time, tasks)?;
        if seen(&stage.trace()?) {
            return Ok(());
        }
    }
    run(stage, time, tasks)
}
