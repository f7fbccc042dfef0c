//! Manager: one dictionary, many processes.
//!
//! Processes share no memory. How can all of them use one dictionary and one
//! list?

mod faults;
mod price;
mod sellers;

use sellers::{SELLERS, Stock, two_sell};
use shared::lesson::equals;
use shared::process::{Barrier, Manager, Process};
use shared::{Stage, lesson};
use std::process::ExitCode;

fn main() -> ExitCode {
    lesson![
        all_write,
        lost_update,
        update,
        faults::killed,
        faults::nonsense,
        price::price;
        sellers,
    ]
    .run()
}

/// Four sellers write into one dictionary how many apples they bring, and into
/// one list that they came. What does the parent find there?
///
/// - [ ] nothing: each seller has written into a copy
/// - [x] what all four have written
/// - [ ] what the last of them has written
fn all_write(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let manager = Manager::new()?;
    let stock: Stock = manager.dict()?;
    let came = manager.list::<String>()?;
    let mut sellers = Vec::new();
    let all = [("Anna", 10), ("Ben", 20), ("Cleo", 30), ("Dora", 40)];
    for (name, apples) in all {
        let seller = stage.track(name);
        sellers.push(Process::spawn(|| {
            seller.span("walks", || seller.pause_between(0.5, 1.5));
            seller.say(format!("brings {apples}"));
            stock.insert(name, &apples)?;
            came.push(&name.to_owned())
        })?);
    }
    for seller in sellers {
        seller.join()?;
    }
    let (stock, mut came) = (stock.entries()?, came.to_vec()?);
    let kept = stock.iter().map(|(name, apples)| format!("{name} {apples}"));
    parent.note("dictionary", kept.collect::<Vec<_>>());
    parent.note("list", came.as_slice());
    let apples: i32 = stock.iter().map(|(_, apples)| apples).sum();
    came.sort();
    stage.claim("apples in the dictionary: of all four", apples, equals(100));
    let all = all.map(|(name, _)| name.to_owned()).to_vec();
    stage.claim("names in the list: of all four", came, equals(all));
    Ok(())
}

/// There are 100 apples. Two sellers look how many there are; then each sells
/// one and writes down one less. How many are left?
///
/// - [x] 99: one sale is lost
/// - [ ] 98: the manager does one call at a time
/// - [ ] 98 or 99, by luck
fn lost_update(stage: &Stage) -> shared::Result {
    let both_have_looked = Barrier::new(SELLERS.len())?;
    let left = two_sell(stage, |seller, stock| {
        let apples = stock.get("apples")?.unwrap_or(0);
        seller.say(format!("sees {apples}"));
        both_have_looked.wait()?;
        seller.pause(0.5);
        seller.say(format!("writes {}", apples - 1));
        stock.insert("apples", &(apples - 1))?;
        Ok(())
    })?;
    stage.claim("apples left, though each sold one", left, equals(99));
    Ok(())
}

/// The same two again. `update` writes only if the number is still the one
/// that was seen, and else looks again. How many are left?
///
/// - [ ] 99, as before
/// - [x] 98
fn update(stage: &Stage) -> shared::Result {
    let both_have_looked = Barrier::new(SELLERS.len())?;
    let left = two_sell(stage, |seller, stock| {
        let mut looks = 0;
        stock.update("apples", |apples| {
            let apples = apples.unwrap_or(0);
            seller.say(format!("sees {apples}"));
            seller.mark("looks");
            looks += 1;
            if looks == 1 {
                // No `?`: what this closure returns is the new number.
                both_have_looked.wait().expect("it has no timeout");
            }
            seller.pause(0.5);
            apples - 1
        })?;
        Ok(())
    })?;
    let looks = stage.trace()?.count("looks");
    let text = "apples left: one less for each";
    stage.claim(text, left, equals(100 - SELLERS.len() as i32));
    stage.claim("looks in all: two, and one again", looks, equals(3));
    Ok(())
}
