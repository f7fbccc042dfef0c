//! What a lock costs.

use crate::shop::Shop;
use crate::{BUYERS, PATIENCE, buy, ten};
use shared::Stage;
use shared::lesson::at_most;
use shared::process::{Barrier, Lock};

/// Whoever thinks with the lock in its hand keeps the others out. What does
/// that cost?
///
/// - [x] twice the time at least: one thinks at a time
/// - [ ] nothing: each thinks as long in either way
/// - [ ] what the lock costs, and no more
pub fn thinking_with_the_lock(stage: &Stage) -> shared::Result {
    let shop = Shop::open(stage)?;
    let (lock, all_here) = (Lock::new(())?, Barrier::new(BUYERS)?);
    let slow = ten(stage, "slow", |buyer| {
        let _held = buyer.span("waits", || lock.lock())?;
        let data = shop.look()?;
        buyer.span("thinks with it", || buyer.pause_between(0.5, 0.8));
        buyer.span("buys", || buy(buyer, &shop, data))
    })?;
    let [sold, refused] = served(stage)?;
    stage.figure_of(
        [sold, refused],
        "thinking with the lock",
        slow.as_secs_f64(),
    )?;
    shop.put_back()?;
    let quick = ten(stage, "quick", |buyer| {
        all_here.wait_timeout(PATIENCE)?;
        buyer.span("thinks before it", || buyer.pause_between(0.5, 0.8));
        let _held = buyer.span("waits", || lock.lock())?;
        buyer.span("buys", || buy(buyer, &shop, shop.look()?))
    })?;
    let [all_sold, all_refused] = served(stage)?;
    stage.figure_of(
        [all_sold - sold, all_refused - refused],
        "thinking before it",
        quick.as_secs_f64(),
    )?;
    let trace = stage.trace()?;
    let (with, before) = ("thinks with it", "thinks before it");
    stage.claim("with it: one thinks at a time", trace.peak(with), at_most(1));
    // With it, all took the sum of their thoughts, or more. And before it?
    let part = trace.extent(before).div_duration_f64(trace.total(before));
    stage.claim("before it: half the sum at most", part, at_most(0.5));
    shop.put_back()
}

/// How many have bought in this step so far, and how many were refused.
fn served(stage: &Stage) -> shared::Result<[usize; 2]> {
    let trace = stage.trace()?;
    Ok(["bought", "refused"].map(|end| trace.count(end)))
}

/// What takes longer: to take a lock that is free, or to write a file?
///
/// - [ ] the lock: the system has to give it
/// - [x] the file: it has to come to the disk
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 100_000;
    let (lock, shop) = (Lock::new(())?, Shop::open(stage)?);
    stage.measure("lock and release", TIMES, || {
        let mut taken = 0;
        for _ in 0..TIMES {
            let _held = lock.lock()?;
            taken += 1;
        }
        Ok(taken)
    })?;
    let mut data = shop.look()?;
    stage.measure("write aside and sync", 10, || {
        for tickets in 1..=10 {
            data.tickets = tickets;
            shop.put(&data)?;
        }
        Ok(shop.look()?.tickets)
    })?;
    shop.put_back()
}
