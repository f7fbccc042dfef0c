//! What a switch costs.

use crate::hub::Hub;
use crate::{ANNA, BEN};
use shared::Stage;
use shared::lesson::at_least;
use std::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// What does a switch cost, beside the same between two threads?
///
/// - [x] less than half as much
/// - [ ] about as much: either way registers are put aside
/// - [ ] more: the system does it for threads
pub fn price(stage: &Stage) -> shared::Result {
    let (mut hub, switches) = (Hub::default(), &Cell::new(0));
    for other in [BEN, ANNA] {
        hub.add(move |me| {
            for _ in 0..100_000 {
                switches.set(switches.get() + 1);
                me.switch(other);
            }
        });
    }
    let switch = stage.measure("switch", 200_000, || {
        hub.switch(ANNA);
        Ok(switches.get())
    })?;
    let (turn, changed) = (Mutex::new((ANNA, 0)), Condvar::new());
    let take_turns = |me, other| {
        for _ in 0..2_000 {
            let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = changed.wait_while(turn, |(next, _)| *next != me);
            let mut turn = turn.unwrap_or_else(PoisonError::into_inner);
            *turn = (other, turn.1 + 1);
            drop(turn); // else who wakes finds it locked
            changed.notify_one();
        }
    };
    let thread = stage.measure("thread hand-over", 4_000, || {
        thread::scope(|scope| {
            scope.spawn(|| take_turns(BEN, ANNA));
            take_turns(ANNA, BEN);
        });
        Ok(turn.lock().map_or(0, |turn| turn.1))
    })?;
    let ratio = thread / switch;
    let text = "a hand-over costs as much as so many switches";
    stage.claim(text, ratio, at_least(2.0));
    Ok(())
}
