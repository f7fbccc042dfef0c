//! GIL: many threads, one interpreter.
//!
//! Two threads have two cores and one interpreter with a lock. What can they do
//! at once, and what does the lock protect?

mod cores;
mod coroutines;
mod gil;
mod interpreter;
mod table;
mod turns;
mod updates;
mod waiting;
mod ways;

use clap::Args;
use cores::{both, in_pieces, keep_to, two_cores};
use gil::SWITCH_INTERVAL;
use interpreter::{Frame, Interpreter, Op, product};
use shared::lesson::{at_most, equals};
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use turns::asked_back;

#[derive(Args)]
struct Options {
    /// Measures products up to 100000, and 100 times 2 s, which takes minutes
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
        table::five_ways;
        gil, interpreter,
    ]
    .with::<Options>()
    .longer(table::longer)
    .run()
}

/// `counter += 1` is a program for the interpreter. After which of its
/// instructions has the counter changed?
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
fn compute_with_lock(stage: &Stage) -> shared::Result {
    let interpreter = Interpreter::with_lock();
    let used = both(&two_tracks(stage), |track| {
        interpreter.run(&product(30_000), track);
    });
    let trace = stage.trace()?;
    let turns = asked_back(&trace);
    let short = turns.iter().filter(|turn| **turn < SWITCH_INTERVAL).count();
    let order = trace.order_of("runs");
    let again = order.windows(2).filter(|two| two[0] == two[1]).count();
    let both = stage.track("both");
    both.note("turns until the other asked", turns.len());
    both.note("cores used", used);
    stage.claim("running at once: never two", trace.peak("runs"), equals(1));
    stage.claim("cores used: no more than one", used, at_most(1.1));
    stage.claim("turns shorter than an interval: none", short, equals(0));
    stage.claim("two turns in a row: nobody has them", again, equals(0));
    Ok(())
}

fn two_tracks(stage: &Stage) -> [Track; 2] {
    ["anna", "ben"].map(|name| stage.track(name))
}

/// The same without the lock, each on a core of its own. Do both run at the
/// same moment now?
fn compute_without(stage: &Stage) -> shared::Result {
    let Some([one, other]) = two_cores()? else {
        let why = "this program may use 1 core";
        stage.cannot_show("two threads at once", why);
        return Ok(());
    };
    let interpreter = Interpreter::without_lock();
    let (tracks, mut used) = (two_tracks(stage), 0.0);
    // While one of them runs, other programs may have the core of the other.
    for _ in 0..5 {
        used = both(&tracks, |track| {
            keep_to(if track.name() == "anna" { one } else { other });
            in_pieces(track, || interpreter.run(&product(3_000), track));
        });
        if stage.trace()?.peak("runs") == 2 {
            break;
        }
    }
    stage.track("both").note("cores used", used);
    let peak = stage.trace()?.peak("runs");
    stage.claim("running at once: both", peak, equals(2));
    Ok(())
}
