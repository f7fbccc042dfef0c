//! Queue: what one process puts, another gets.
//!
//! Processes share no memory. How does a thing get from one to another, and
//! what if there is none, or no room?

mod patience;
mod wire;

use shared::lesson::equals;
use shared::process::{Process, Queue, QueueError};
use shared::{Stage, lesson};
use std::process::ExitCode;

fn main() -> ExitCode {
    lesson![
        first_in_first_out,
        empty_and_full,
        patience::timeouts,
        patience::in_time,
        each_once,
        wire::on_the_wire,
        wire::price,
    ]
    .run()
}

/// A waiter puts three orders. In which order does the cook get them?
///
/// - [ ] the latest first: it lies on top
/// - [ ] in any order, as the system likes
/// - [x] as they were put
fn first_in_first_out(stage: &Stage) -> shared::Result {
    const DISHES: [&str; 3] = ["soup", "rice", "tea"];
    let (waiter, cook) = (stage.track("waiter"), stage.track("cook"));
    let orders = Queue::<String>::bounded(16)?;
    let kitchen = Process::spawn(|| {
        let mut cooked = Vec::new();
        for dish in &orders {
            cook.note("gets", dish.as_str());
            cook.span("cooks", || cook.pause(0.6));
            cooked.push(dish);
        }
        cooked
    })?;
    for dish in DISHES {
        waiter.span("asks", || waiter.pause(0.3));
        waiter.note("puts", dish);
        orders.put(&dish.to_owned())?;
    }
    orders.close(); // the cook's loop ends when it has got what is left
    let put = DISHES.map(String::from).to_vec();
    stage.claim("got in the order of the puts", kitchen.join()?, equals(put));
    Ok(())
}

/// Room for two. What does `try_get` say when empty, what a third `try_put`?
///
/// - [x] Empty, and Full: neither waits, and nothing is lost
/// - [ ] Empty; and the third pushes the first one out
/// - [ ] nothing: both wait until somebody comes
fn empty_and_full(stage: &Stage) -> shared::Result {
    let me = stage.track("me");
    let orders = Queue::bounded(2)?;
    let mut seen = vec![look(&orders)];
    let none = orders.try_get();
    me.note("try_get", format!("{none:?}"));
    for order in [1, 2] {
        orders.try_put(&order)?;
        seen.push(look(&orders));
    }
    let third = orders.try_put(&3);
    me.note("try_put", format!("{third:?}"));
    stage.table(["len", "capacity", "is_empty", "is_full"], seen);
    let mut kept = Vec::new();
    while let Ok(order) = orders.try_get() {
        kept.push(order);
    }
    me.note("kept", kept.as_slice());
    stage.claim("kept: the first two", kept, equals(vec![1, 2]));
    let empty = matches!(none, Err(QueueError::Empty { .. }));
    let full = matches!(third, Err(QueueError::Full { .. }));
    stage.claim("the empty queue says Empty", empty, equals(true));
    stage.claim("the full one says Full", full, equals(true));
    Ok(())
}

fn look(queue: &Queue<u32>) -> [String; 4] {
    let (len, capacity) = (queue.len(), queue.capacity());
    let (empty, full) = (queue.is_empty(), queue.is_full());
    [len.to_string(), capacity.to_string(), empty.to_string(), full.to_string()]
}

/// Four cooks get from one queue. Is an order cooked twice, or by nobody?
///
/// - [ ] twice now and then, if two take it at the same moment
/// - [ ] each order is cooked four times, once by each cook
/// - [x] neither: each is cooked once
fn each_once(stage: &Stage) -> shared::Result {
    const ORDERS: u32 = 24;
    let orders = Queue::<u32>::bounded(4)?;
    let mut kitchen = Vec::new();
    for n in 1..=4 {
        let cook = stage.track(format!("cook {n}"));
        kitchen.push(Process::spawn(|| {
            let mut cooked = Vec::new();
            for order in &orders {
                cook.mark("gets one");
                cook.span("cooks", || cook.pause_between(0.1, 0.5));
                cooked.push(order);
            }
            cook.note("cooked", cooked.as_slice());
            cooked
        })?);
    }
    (1..=ORDERS).try_for_each(|order| orders.put(&order))?;
    orders.close();
    let mut cooked = Vec::new();
    for process in kitchen {
        cooked.extend(process.join()?);
    }
    cooked.sort_unstable();
    stage.claim("cooked, each once", cooked, equals((1..=ORDERS).collect()));
    Ok(())
}
