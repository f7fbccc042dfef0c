//! What the lock protects, and what it does not.

use crate::interpreter::{Interpreter, Op};
use crate::two_tracks;
use shared::Stage;
use shared::lesson::equals;
use std::thread;

/// Two threads add 1 under the lock. The other has a turn while each of them is
/// between two instructions. What is the counter?
///
/// - [ ] two: under the lock nothing comes in between
/// - [x] one: an addition is lost
/// - [ ] one or two, by luck
pub fn several_instructions(stage: &Stage) -> shared::Result {
    let program = [Op::Load, Op::Linger, Op::Push(1), Op::Add, Op::Store];
    let lost = 2 - both_run(&program, stage);
    stage.claim("additions lost: one of two", lost, equals(1));
    Ok(())
}

/// Now to read, to add and to write are one instruction. What is the counter?
///
/// - [x] two: a turn ends before an instruction or after it
/// - [ ] one, as before: the other still has a turn in between
/// - [ ] one or two, by luck
pub fn one_instruction(stage: &Stage) -> shared::Result {
    let program = [Op::Linger, Op::Push(1), Op::AddTo];
    let lost = 2 - both_run(&program, stage);
    stage.claim("additions lost: none", lost, equals(0));
    Ok(())
}

/// Has two threads run the program under the lock. Returns what the counter is
/// then.
fn both_run(program: &[Op], stage: &Stage) -> i64 {
    let interpreter = Interpreter::with_lock();
    thread::scope(|scope| {
        for track in two_tracks(stage) {
            let interpreter = &interpreter;
            scope.spawn(move || {
                interpreter.run(program, &track);
            });
        }
    });
    interpreter.counter.into_inner()
}
