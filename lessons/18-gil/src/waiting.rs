//! Threads that wait.

use crate::interpreter::{Interpreter, Op};
use shared::Stage;
use shared::lesson::at_most;
use std::thread;

/// Ten threads wait for a second each, and there is one lock. Does that take
/// ten seconds?
pub fn wait_with_lock(stage: &Stage) -> shared::Result {
    wait(stage, &Interpreter::with_lock())
}

/// Ten threads wait, and there is no lock. Is it any quicker?
pub fn wait_without(stage: &Stage) -> shared::Result {
    wait(stage, &Interpreter::without_lock())
}

fn wait(stage: &Stage, interpreter: &Interpreter) -> shared::Result {
    let program = &[Op::Sleep(stage.time(1.0))];
    thread::scope(|scope| {
        for n in 1..=10 {
            let track = stage.track(format!("thread {n}"));
            scope.spawn(move || {
                interpreter.run(program, &track);
            });
        }
    });
    let trace = stage.trace()?;
    stage.track("all").note("asleep at once", trace.peak("sleeps"));
    let took = trace.extent("sleeps").div_duration_f64(trace.total("sleeps"));
    stage.claim("all ten took, as a part of the sum", took, at_most(0.5));
    Ok(())
}
