//! Five ways to run a program many times.

use crate::coroutines::run_all;
use crate::interpreter::{Frame, Interpreter, Op};
use anyhow::anyhow;
use shared::Track;
use shared::process::Process;
use std::cell::RefCell;
use std::thread;

/// Runs a program so many times.
pub type Way = fn(&[Op], usize, &Track) -> Results;

/// What came of a run: a remainder of its product, by which that is known, and
/// from when until when it slept.
pub type Ran = (u64, [u64; 2]);

type Results = shared::Result<Vec<Ran>>;

pub const WAYS: [(&str, Way); 5] = [
    ("one by one", one_by_one),
    ("processes", processes),
    ("threads", threads),
    ("under the lock", under_the_lock),
    ("coroutines", coroutines),
];

fn one_by_one(program: &[Op], times: usize, track: &Track) -> Results {
    let interpreter = Interpreter::with_lock();
    let all = (0..times).map(|_| ran(interpreter.run(program, track)));
    Ok(all.collect())
}

/// Each has an interpreter of its own, and its lock.
fn processes(program: &[Op], times: usize, track: &Track) -> Results {
    let interpreter = Interpreter::with_lock();
    let run = || ran(interpreter.run(program, track));
    let children = (0..times).map(|_| Process::spawn(run));
    let children = children.collect::<Result<Vec<_>, _>>()?;
    children.into_iter().map(|child| Ok(child.join()?)).collect()
}

fn threads(program: &[Op], times: usize, track: &Track) -> Results {
    in_threads(&Interpreter::without_lock(), program, times, track)
}

fn under_the_lock(program: &[Op], times: usize, track: &Track) -> Results {
    in_threads(&Interpreter::with_lock(), program, times, track)
}

fn in_threads(
    interpreter: &Interpreter,
    program: &[Op],
    times: usize,
    track: &Track,
) -> Results {
    let run = || ran(interpreter.run(program, track));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..times).map(|_| scope.spawn(run)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|all| all.map_err(|_| anyhow!("a thread panicked")))
            .collect()
    })
}

fn coroutines(program: &[Op], times: usize, track: &Track) -> Results {
    let interpreter = Interpreter::with_lock();
    let all = RefCell::new(Vec::new());
    run_all(times, |sleep| {
        let frame = interpreter.run_with(program, track, sleep);
        all.borrow_mut().push(ran(frame));
    });
    Ok(all.into_inner())
}

/// The remainder is that of a prime which is larger than all factors.
fn ran(frame: Frame) -> Ran {
    let rest = frame.product % 1_000_000_007_u64;
    (rest.iter_u64_digits().next().unwrap_or(0), frame.slept)
}
