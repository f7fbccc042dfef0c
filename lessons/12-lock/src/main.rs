//! Lock: the last tickets.
//!
//! data.json says that three tickets are left, and ten want one. Each looks,
//! waits a moment, and buys. How many are sold?

mod by_hand;
mod cost;
mod killed;
mod shop;
mod write;

use shared::lesson::{at_least, at_most, equals};
use shared::process::{Barrier, Lock, Process};
use shared::{Stage, Track, lesson};
use shop::{Data, Shop};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use write::Phase;

const BUYERS: usize = 10;
/// All ten have looked in less time, unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
struct Options {
    /// Sell the tickets of FILE, with a text like {"tickets": 3}. It is written
    /// to; what was in it is put back when the lesson ends, also by Ctrl-C
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Kill a buyer in this phase of its writing
    #[arg(long, value_name = "PHASE", default_value = "half-written")]
    kill_at: Phase,
}

fn main() -> ExitCode {
    lesson![
        nobody_locks,
        by_hand::by_hand,
        one_at_a_time,
        cost::thinking_with_the_lock,
        write::looking_needs_no_lock,
        killed::killed_with_the_lock,
        cost::price;
        shop,
    ]
    .with::<Options>()
    .finally(shop::put_back)
    .run()
}

/// Ten processes look, think, and buy if there was a ticket. How many are sold?
///
/// - [ ] as many as there are
/// - [ ] more than there are; the file says that none is left
/// - [x] more than there are; the file says that one is gone
fn nobody_locks(stage: &Stage) -> shared::Result {
    let shop = Shop::open(stage)?;
    let there_were = shop.look()?.tickets;
    let all_looked = Barrier::new(BUYERS)?;
    ten(stage, "buyer", |buyer| {
        let data = shop.look()?;
        buyer.note("sees", data.tickets);
        all_looked.wait_timeout(PATIENCE)?;
        buyer.span("thinks", || buyer.pause_between(0.5, 1.5));
        buyer.span("buys", || buy(buyer, &shop, data))
    })?;
    let sold = stage.trace()?.count("bought");
    if there_were < BUYERS {
        let more = at_least(there_were + 1);
        stage.claim("sold: more than there were", sold, more);
    } else {
        stage.cannot_show("too many sold", "there are enough tickets for all");
    }
    let left = shop.look()?.tickets;
    stage.claim("left: as if one were sold", left, equals(there_were - 1));
    shop.put_back()
}

/// Ten processes, each with a track of its own; how long they took.
fn ten(
    stage: &Stage,
    who: &str,
    visit: impl Fn(&Track) -> shared::Result + Sync,
) -> shared::Result<Duration> {
    let names = (1..=BUYERS).map(|n| format!("{who} {n}"));
    let tracks: Vec<_> = names.map(|name| stage.track(name)).collect();
    let (start, mut running) = (Instant::now(), Vec::new());
    for track in &tracks {
        let process = Process::builder().name(track.name());
        running.push(process.spawn(|| visit(track))?);
    }
    // All are joined before the first error is passed on.
    let ends: Vec<_> = running.into_iter().map(Process::join).collect();
    ends.into_iter().collect::<Result<(), _>>()?;
    Ok(start.elapsed())
}

/// Buys a ticket if `data` says that there is one.
fn buy(buyer: &Track, shop: &Shop, mut data: Data) -> shared::Result {
    if data.tickets == 0 {
        buyer.note("refused", "sold out");
        return Ok(());
    }
    data.tickets -= 1;
    buyer.pause(0.1); // pays
    shop.put(&data)?;
    buyer.note("bought", format!("{} left", data.tickets));
    Ok(())
}

/// Now whoever buys takes a lock, and looks again. How many are sold?
///
/// - [ ] still more than there are: all have seen one before
/// - [x] as many as there are; the rest are refused
/// - [ ] one: whoever has the lock keeps the others out
fn one_at_a_time(stage: &Stage) -> shared::Result {
    let shop = Shop::open(stage)?;
    let there_were = shop.look()?.tickets;
    let (lock, all_looked) = (Lock::new(())?, Barrier::new(BUYERS)?);
    ten(stage, "buyer", |buyer| {
        buyer.note("sees", shop.look()?.tickets);
        all_looked.wait_timeout(PATIENCE)?;
        buyer.span("thinks", || buyer.pause_between(0.5, 1.5));
        // Held to the end of this block.
        let _held = buyer.span("waits", || lock.lock())?;
        buyer.span("buys", || buy(buyer, &shop, shop.look()?))
    })?;
    let trace = stage.trace()?;
    stage.claim("buying at once: one", trace.peak("buys"), at_most(1));
    let (count, sold) = (|name| trace.count(name), there_were.min(BUYERS));
    stage.claim("sold: what there was", count("bought"), equals(sold));
    stage.claim("refused: the rest", count("refused"), equals(BUYERS - sold));
    let left = shop.look()?.tickets;
    stage.claim("left: what was not sold", left, equals(there_were - sold));
    shop.put_back()
}
