//! Tasks, each in a process of its own, kept to the cores that it may use.

use crate::cores::keep_to;
use crate::slices::{compute_for, typical};
use crate::switch::Usage;
use shared::process::{Barrier, Process};
use shared::trace::Trace;
use shared::{Stage, Track};
use std::thread::sleep;
use std::time::{Duration, Instant};

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

/// Computes, and tells afterwards when it really ran.
pub fn compute(task: &Track, time: Duration) -> shared::Result {
    let (began, before) = (Instant::now(), Usage::so_far()?.ran);
    let slices = compute_for(time)?;
    let (took, ran) = (began.elapsed(), Usage::so_far()?.ran - before);
    task.note("ms on the core", ms(ran));
    task.note("ms in all", ms(took));
    task.note("ms of a typical time slice", ms(typical(&slices)));
    for slice in slices {
        task.span_at("runs", slice.from, slice.to);
    }
    Ok(())
}

/// Waits, as for an answer, and notes how much of its core that took.
pub fn wait(task: &Track, time: Duration) -> shared::Result {
    let before = Usage::so_far()?;
    task.span("waits", || sleep(time));
    let ran = Usage::so_far()?.ran - before.ran;
    task.note("part of the core", ran.div_duration_f64(time));
    Ok(())
}

/// In milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
