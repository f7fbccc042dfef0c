//! Spawn: coroutines that sleep.
//!
//! Who sleeps does nothing. How many can sleep on one thread, and how long
//! does that take in all?

mod holding;
mod join;
mod many;
mod maps;

use many::Options;
use may::{coroutine, go};
use shared::lesson::{at_most, equals};
use shared::process::Process;
use shared::trace::Trace;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    lesson![
        in_turn,
        join::two_jobs,
        join::nobody_joins,
        many::ten_thousand,
        many::price,
        holding::who_is_held_up;
        maps,
    ]
    .with::<Options>()
    .run()
}

/// Four sleep 0.5, 1.5, 2.5 and 3.5 seconds, and then 6.5, 4.5, 2.5 and 0.5.
/// Who wakes when, and when has the last one woken?
fn in_turn(stage: &Stage) -> shared::Result {
    let nights = [
        ("anna", [0.5, 6.5]),
        ("ben", [1.5, 4.5]),
        ("carl", [2.5, 2.5]),
        ("dora", [3.5, 0.5]),
    ];
    let sleepers =
        nights.map(|(name, naps)| (stage.coroutine_track(name), naps));
    in_a_coroutine(|| {
        coroutine::scope(|scope| {
            for (me, naps) in &sleepers {
                go!(scope, || naps
                    .iter()
                    .for_each(|nap| sleep(stage, me, *nap)));
            }
        });
        Ok(())
    })?;
    let trace = stage.trace()?;
    let woken = trace.order_of("due");
    let first = "who is due first wakes first";
    stage.claim(first, woken, equals(in_order_of_time(&trace)));
    let lengths = in_longest(&trace);
    stage.claim("all in all, in the longest", lengths, at_most(1.5));
    Ok(())
}

/// Sleeps, and tells when it was to wake and that it has.
fn sleep(stage: &Stage, me: &Track, seconds: f64) {
    let (length, from) = (stage.time(seconds), Instant::now());
    let due = me.recorder().now_ns() + length.as_nanos() as u64;
    coroutine::sleep(length); // the thread goes on with others
    me.span_at("sleeps", from, Instant::now());
    me.record("due", due);
    me.say(format!("has slept {seconds} s"));
}

/// Runs `body` as a coroutine, on the only thread that runs any, in a process
/// of its own: the threads of may never end, and who has threads cannot fork.
fn in_a_coroutine(
    body: impl FnOnce() -> shared::Result + Send,
) -> shared::Result {
    let process = Process::spawn(|| {
        let may = may::config();
        may.set_workers(1).set_pool_capacity(1).set_stack_size(STACK);
        may.set_worker_pin(false);
        coroutine::scope(|scope| go!(scope, body).join())
    })?;
    Ok(process.join()?)
}

/// In words of eight bytes. What is never touched costs nothing.
const STACK: usize = 0x4000;

/// The sleepers, in the order in which they were due.
fn in_order_of_time(trace: &Trace) -> Vec<&str> {
    let due = trace.events().iter().filter(|event| event.name == "due");
    let mut due: Vec<_> =
        due.map(|due| (due.value().and_then(|at| at.as_u64()), due)).collect();
    due.sort_by_key(|(at, _)| *at);
    due.into_iter().map(|(_, due)| due.track.as_str()).collect()
}

/// How long all slept, from the first to the last, in lengths of what the one
/// slept that slept longest.
fn in_longest(trace: &Trace) -> f64 {
    let slept = |track| {
        let spans =
            trace.spans_named("sleeps").filter(|span| span.track == track);
        spans.map(|span| span.end_ns - span.begin_ns).sum::<u64>()
    };
    let longest = (0..trace.tracks().len()).map(slept).max().unwrap_or(0);
    trace.extent("sleeps").as_nanos() as f64 / longest as f64
}
