//! Deadlock: two locks, two orders.
//!
//! Whoever writes needs the pen and the paper. One has the pen, another the
//! paper, and each waits for the other. Who finds out, and how is it prevented?

mod by_hand;
mod desk;
mod wait_for;
mod watched;

use shared::lesson::{at_least, equals};
use shared::{Stage, lesson};
use std::process::ExitCode;
use std::sync::Barrier;

const TEN: [&str; 10] =
    ["anna", "ben", "carl", "dora", "emil", "fay", "gus", "hana", "ida", "jan"];

fn main() -> ExitCode {
    lesson![
        two_orders,
        by_hand::by_hand,
        one_order,
        try_and_back_off,
        wait_for::price;
        watched,
    ]
    .run()
}

/// Anna takes the pen and then the paper, ben the paper and then the pen. Who
/// writes?
///
/// - [x] nobody, until the two are ended from outside
/// - [ ] both, one after the other: one of them was quicker
/// - [ ] both, after a while: the system takes a lock from one
fn two_orders(stage: &Stage) -> shared::Result {
    let both_have_one = Barrier::new(2);
    let end = desk::writers(stage, &TEN[..2], |writer, [first, second]| {
        let _first = first.lock(writer);
        writer.pause(0.1);
        both_have_one.wait();
        let _second = second.lock(writer);
        writer.span("writes", || writer.pause(0.2));
    })?;
    let written = stage.trace()?.count("writes");
    stage.claim("pages written: none", written, equals(0));
    let stuck: Vec<&str> = end.stuck.iter().map(String::as_str).collect();
    stage.claim("in the circle: both", stuck, equals(vec!["anna", "ben"]));
    let ended = end.ended.as_str();
    stage.claim(
        "it ends, but not by itself",
        ended,
        equals("killed by SIGKILL"),
    );
    Ok(())
}

/// Ten want both. Now all take the paper before the pen, as the alphabet has
/// them. Who writes?
///
/// - [x] all ten, one after the other
/// - [ ] nobody: with ten it only comes sooner
/// - [ ] some: who comes late never has both
fn one_order(stage: &Stage) -> shared::Result {
    let end = desk::writers(stage, &TEN, |writer, mut both| {
        both.sort_by_key(|lock| lock.name);
        let [first, second] = both;
        let _first = first.lock(writer);
        writer.pause(0.1);
        let _second = second.lock(writer);
        writer.span("writes", || writer.pause(0.2));
    })?;
    let written = stage.trace()?.count("writes");
    stage.claim("pages written: ten", written, equals(10));
    let ended = end.ended.as_str();
    stage.claim("it ends by itself", ended, equals("exited with code 0"));
    Ok(())
}

/// Each takes what it likes first, but does not wait for the other: it tries,
/// and if it cannot have it, puts the first one back. Who writes?
///
/// - [ ] nobody: they put back and take again for ever
/// - [ ] all ten; nobody tries in vain
/// - [x] all ten, some after trying in vain
fn try_and_back_off(stage: &Stage) -> shared::Result {
    let both_have_one = Barrier::new(2);
    let end = desk::writers(stage, &TEN, |writer, [first, second]| {
        let mut held = first.lock(writer);
        writer.pause(0.1);
        both_have_one.wait();
        let _second = loop {
            if let Some(second) = second.try_lock(writer) {
                break second;
            }
            drop(held);
            writer.span("backs off", || writer.pause_between(0.1, 0.5));
            held = first.lock(writer);
        };
        writer.span("writes", || writer.pause(0.2));
    })?;
    let trace = stage.trace()?;
    let (written, tries) = (trace.count("writes"), trace.count("backs off"));
    stage.claim("pages written: ten", written, equals(10));
    let ended = end.ended.as_str();
    stage.claim("it ends by itself", ended, equals("exited with code 0"));
    stage.claim("tried in vain: at least once", tries, at_least(1));
    Ok(())
}
