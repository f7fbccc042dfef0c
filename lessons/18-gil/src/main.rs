//! GIL: many threads, one interpreter.
//!
//! Two threads have two cores and one interpreter with a lock. What can they do
//! at once, and what does the lock protect?

mod cores;
mod coroutines;
mod five_ways;
mod gil;
mod interpreter;
mod turns;
mod updates;
mod waiting;
mod ways;

use clap::Args;
use cores::{both, cores_used, in_pieces, two_cores};
use gil::SWITCH_INTERVAL;
use interpreter::{Frame, Interpreter, Op, product};
use shared::lesson::{at_least, at_most, equals};
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use turns::{asked_back, ms};

#[derive(Args)]
struct Options {
    /// Compute products up to 100000, and wait 100 times for 2 s: takes minutes
    #[arg(long)]
    full: bool,
}

fn main() -> ExitCode {
    lesson![
        one_line,
        compute_with_lock,
        compute_without,
        waiting::wait_with_lock,
        waiting::wait_without,
        updates::several_instructions,
        updates::one_instruction,
        five_ways::compute_five_ways,
        five_ways::wait_five_ways;
        gil, interpreter, ways,
    ]
    .with::<Options>()
    .longer(five_ways::longer)
    .run()
}

/// `counter += 1` is a program for the interpreter. After which of its
/// instructions has the counter changed?
///
/// - [ ] the third: Add
/// - [x] the last: Store
/// - [ ] none of them alone: a line is done as one
fn one_line(stage: &Stage) -> shared::Result {
    let program = [Op::Load, Op::Push(1), Op::Add, Op::Store];
    let (interpreter, anna) =
        (Interpreter::without_lock(), stage.track("anna"));
    let mut frame = Frame::new(&anna);
    let rows = program.map(|op| {
        interpreter.execute(op, &mut frame, thread::sleep);
        let counter = interpreter.counter.load(Relaxed);
        anna.record(&format!("{op:?}"), counter);
        [format!("{op:?}"), format!("{:?}", frame.stack), counter.to_string()]
    });
    stage.table(["instruction", "stack", "counter"], rows.clone());
    let changed = rows.iter().find(|[.., counter]| counter != "0");
    let changed_by = changed.map(|[op, ..]| op.as_str());
    stage.claim(
        "the counter is changed by the last",
        changed_by,
        equals(Some("Store")),
    );
    Ok(())
}

/// Two threads compute, and there is one lock. Do both ever run at the same
/// moment? How long is a turn?
///
/// - [ ] now and then; a turn is as long as the system likes
/// - [ ] never; a turn is 5 ms at most
/// - [x] never; a turn is 5 ms at least, if the other asks
fn compute_with_lock(stage: &Stage) -> shared::Result {
    let interpreter = Interpreter::with_lock();
    let used = both(&two_tracks(stage), |track| {
        interpreter.run(&product(30_000), track);
    });
    let trace = stage.trace()?;
    let (turns, order) = (asked_back(&trace), trace.order_of("runs"));
    let asked = "turns ended because the other asked";
    stage.track("both").note(asked, turns.len());
    stage.claim("running at once: never two", trace.peak("runs"), equals(1));
    let used = used.max(cores_used(&trace));
    stage.claim("cores used: no more than one", used, at_most(1.1));
    let shortest = turns.iter().min().copied().unwrap_or_default();
    let (shortest, least) = (ms(shortest), ms(SWITCH_INTERVAL));
    let claim = format!("shortest turn asked for, ms: at least {least}");
    stage.claim(&claim, shortest, at_least(least));
    let again = order.windows(2).filter(|two| two[0] == two[1]).count();
    stage.claim("two turns in a row: nobody has them", again, equals(0));
    Ok(())
}

fn two_tracks(stage: &Stage) -> [Track; 2] {
    ["anna", "ben"].map(|name| stage.track(name))
}

/// As much to compute without the lock, each on a core of its own. Do both run
/// at the same moment now?
///
/// - [ ] no: the threads of a program take turns
/// - [x] yes: neither waits for the other
fn compute_without(stage: &Stage) -> shared::Result {
    let Some(cores) = two_cores()? else {
        let why = "this program may use 1 core";
        stage.cannot_show("two threads at once", why);
        return Ok(());
    };
    let interpreter = Interpreter::without_lock();
    in_pieces(stage, cores, |track| {
        interpreter.run(&product(3_000), track);
    })?;
    let trace = stage.trace()?;
    let used = cores_used(&trace);
    stage.claim("running at once: both", trace.peak("runs"), equals(2));
    let claim = "cores used in the best moment: about two";
    stage.claim(claim, used, at_least(1.5));
    Ok(())
}
