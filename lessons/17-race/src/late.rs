//! One write that comes late.

use crate::{MILLION, repeat, update};
use shared::Stage;
use shared::lesson::equals;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;

/// A million updates each. Ben has read, is held up, and writes when anna is
/// through. What is left?
///
/// - [x] -1000000: all that anna added is lost
/// - [ ] 0: one late write makes no difference
/// - [ ] 1 or -1: one update is lost
pub fn one_late_write(stage: &Stage) -> shared::Result {
    let (anna, ben) = (stage.track("anna"), stage.track("ben"));
    let (number, your_turn) = (&AtomicI64::new(0), &Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(move || {
            your_turn.wait();
            anna.span("adds", || repeat(MILLION, || update(number, 1)));
            anna.note("comes to", number.load(Relaxed));
            your_turn.wait();
        });
        scope.spawn(move || {
            let seen = number.load(Relaxed);
            ben.note("reads", seen);
            ben.span("waits", || {
                your_turn.wait(); // anna's
                your_turn.wait(); // ben's
            });
            number.store(seen - 1, Relaxed);
            ben.note("writes", seen - 1);
            let rest = || repeat(MILLION - 1, || update(number, -1));
            ben.span("takes away", rest);
        });
    });
    let left = number.load(Relaxed);
    stage.claim("not 0, but as if nobody added", left, equals(-MILLION));
    Ok(())
}
