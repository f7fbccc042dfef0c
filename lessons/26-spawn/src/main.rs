//! Spawn: coroutines that sleep.
//!
//! Who sleeps does nothing. How many can sleep on one thread, and how long
//! does that take in all?

mod dormitory;
mod holding;
mod join;
mod many;
mod room;
mod usage;
mod wakings;

use many::Options;
use may::{coroutine, go};
use shared::lesson::{at_most, equals};
use shared::process::Process;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::time::Instant;
use wakings::{DUE, in_longest, in_order_of_time, too_early};

fn main() -> ExitCode {
    lesson![
        in_turn,
        join::two_jobs,
        join::nobody_joins,
        many::with_stacks,
        many::without_stacks,
        holding::who_is_held_up;
        dormitory,
        usage,
    ]
    .with::<Options>()
    .run()
}

/// Four sleep 0.5, 1.5, 2.5 and 3.5 seconds, and then 6.5, 4.5, 2.5 and 0.5.
/// Who wakes when, and when has the last one woken?
///
/// - [ ] one after the other; the last after 22 s, the sum
/// - [ ] as they were spawned, twice; the last after 7 s
/// - [x] who is due first; the last after about 7 s
fn in_turn(stage: &Stage) -> shared::Result {
    let sleepers = [
        ("anna", [0.5, 6.5]),
        ("ben", [1.5, 4.5]),
        ("carl", [2.5, 2.5]),
        ("dora", [3.5, 0.5]),
    ];
    let sleepers = sleepers.map(|(me, naps)| (stage.coroutine_track(me), naps));
    in_a_coroutine(|| {
        coroutine::scope(|scope| {
            for (me, naps) in &sleepers {
                go!(scope, || night(stage, me, naps));
            }
        });
        Ok(())
    })?;
    let trace = stage.trace()?;
    let (woken, due) = (trace.order_of("wakes"), in_order_of_time(&trace));
    stage.claim("who is due first wakes first", woken, equals(due));
    let early = too_early(&trace);
    stage.claim("woken before their time", early, equals(0));
    let lengths = in_longest(&trace);
    stage.claim("all, in lengths of the longest", lengths, at_most(1.5));
    Ok(())
}

/// Sleeps some times; tells when it was due to wake, and that it has.
fn night(stage: &Stage, me: &Track, naps: &[f64]) {
    for &seconds in naps {
        let (length, from) = (stage.time(seconds), Instant::now());
        let due = me.recorder().now_ns() + length.as_nanos() as u64;
        coroutine::sleep(length); // the thread goes on with others
        me.span_at("sleeps", from, Instant::now());
        me.mark_with("wakes", [(DUE, due.into())]);
        me.say(format!("has slept {seconds} s"));
    }
}

/// Runs `body` as a coroutine, on one worker; who has slept goes on on the
/// clock's thread. In a process of its own: the threads of `may` never end, and
/// who has threads cannot fork.
fn in_a_coroutine(
    body: impl FnOnce() -> shared::Result + Send,
) -> shared::Result {
    let process = Process::spawn(|| {
        may::config().set_workers(1).set_pool_capacity(1);
        may::config().set_worker_pin(false); // any core will do
        coroutine::scope(|scope| go!(scope, body).join())
    })?;
    process.join().map_err(room::advice)
}
