//! What a switch costs.

use crate::hub::Hub;
use crate::{ANNA, BEN};
use shared::Stage;
use shared::lesson::at_least;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// What does a switch cost, beside the same between two threads?
pub fn price(stage: &Stage) -> shared::Result {
    let mut hub = Hub::default();
    for other in [BEN, ANNA] {
        hub.add(move |me| (0..100_000).for_each(|_| me.switch(other)));
    }
    let switch = stage.measure("switch", 200_000, || {
        hub.switch(ANNA);
        Ok(())
    })?;
    let (turn, changed) = (Mutex::new(ANNA), Condvar::new());
    let take_turns = |me, other| {
        for _ in 0..2_000 {
            let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = changed.wait_while(turn, |turn| *turn != me);
            *turn.unwrap_or_else(PoisonError::into_inner) = other;
            changed.notify_one();
        }
    };
    let thread = stage.measure("thread hand-over", 4_000, || {
        thread::scope(|scope| {
            scope.spawn(|| take_turns(BEN, ANNA));
            take_turns(ANNA, BEN);
        });
        Ok(())
    })?;
    let ratio = thread / switch;
    stage.claim("a hand-over costs switches", ratio, at_least(2.0));
    Ok(())
}
