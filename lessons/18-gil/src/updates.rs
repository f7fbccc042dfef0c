//! What the lock protects, and what it does not.

use crate::interpreter::{Interpreter, Op};
use crate::two_tracks;
use shared::Stage;
use shared::lesson::equals;
use std::thread;

const ROUNDS: i64 = 10;

/// Two threads add 1, ten times each. The other has a turn between an
/// addition's instructions. What is the counter?
pub fn several_instructions(stage: &Stage) -> shared::Result {
    let program = [Op::Load, Op::Linger, Op::Push(1), Op::Add, Op::Store];
    let counter = add(stage, &program);
    let lost = 2 * ROUNDS - counter;
    stage.claim("lost, of 20: every other one", lost, equals(ROUNDS));
    Ok(())
}

/// Now reading, adding and writing are one instruction. What is the counter?
pub fn one_instruction(stage: &Stage) -> shared::Result {
    let program = [Op::Linger, Op::Push(1), Op::AddTo];
    let counter = add(stage, &program);
    let lost = 2 * ROUNDS - counter;
    stage.claim("lost, of 20: none", lost, equals(0));
    Ok(())
}

/// Has two threads run the program under the lock, ten times.
fn add(stage: &Stage, program: &[Op]) -> i64 {
    let (interpreter, tracks) = (Interpreter::with_lock(), two_tracks(stage));
    for _ in 0..ROUNDS {
        thread::scope(|scope| {
            for track in &tracks {
                scope.spawn(|| {
                    interpreter.run(program, track);
                });
            }
        });
    }
    let counter = interpreter.counter.into_inner();
    stage.track("counter").note("after 20 additions", counter);
    counter
}
