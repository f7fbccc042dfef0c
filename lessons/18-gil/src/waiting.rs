//! Threads that wait.

use crate::interpreter::{Interpreter, Op};
use shared::Stage;
use shared::lesson::at_most;
use std::thread;

/// Ten threads wait for a second each, and there is one lock. Does that take
/// ten seconds?
///
/// - [ ] yes: whoever waits has the lock
/// - [ ] more: they wait for the lock as well
/// - [x] no, half at most: who waits gives the lock back
pub fn wait_with_lock(stage: &Stage) -> shared::Result {
    let part = ten_wait(stage, &Interpreter::with_lock())?;
    stage.claim(
        "all ten together took, of the sum of their waits: at most half",
        part,
        at_most(0.5),
    );
    Ok(())
}

/// Ten threads wait for a second each, and there is no lock. Does that take
/// ten seconds?
///
/// - [ ] yes: one core can wait for one thing only
/// - [ ] more: without a lock they are in each other's way
/// - [x] no, half at most: to wait takes no lock, and no core
pub fn wait_without(stage: &Stage) -> shared::Result {
    let part = ten_wait(stage, &Interpreter::without_lock())?;
    stage.claim(
        "all ten together took, of the sum of their waits: at most half",
        part,
        at_most(0.5),
    );
    Ok(())
}

/// Ten threads wait. Returns what all together took, as a part of the sum.
fn ten_wait(stage: &Stage, interpreter: &Interpreter) -> shared::Result<f64> {
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
    Ok(trace.extent("sleeps").div_duration_f64(trace.total("sleeps")))
}
