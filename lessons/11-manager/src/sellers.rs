//! Two who sell from one stock.

use shared::process::{Dict, Manager, Process};
use shared::{Stage, Track};

/// How many there are of what.
pub type Stock = Dict<String, i32>;

pub const SELLERS: [&str; 2] = ["Anna", "Ben"];

/// Has the sellers sell an apple each; returns how many are left of 100.
/// `sell` is `Sync`: more than one of them borrows it.
pub fn two_sell(
    stage: &Stage,
    sell: impl Fn(&Track, &Stock) -> shared::Result + Sync,
) -> shared::Result<i32> {
    let parent = stage.track("parent");
    let manager = Manager::new()?;
    let stock: Stock = manager.dict()?;
    stock.insert("apples", &100)?;
    let mut sellers = Vec::new();
    for name in SELLERS {
        let seller = stage.track(name);
        sellers.push(Process::spawn(|| {
            seller.span("walks", || seller.pause_between(0.5, 1.5));
            seller.span("sells", || sell(&seller, &stock))
        })?);
    }
    for seller in sellers {
        seller.join()?;
    }
    let left = stock.get("apples")?.unwrap_or(0);
    parent.note("apples left", left);
    Ok(left)
}
