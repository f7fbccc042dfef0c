//! What a future keeps while it waits, and what a task costs.

use crate::run;
use shared::Stage;
use shared::lesson::{at_least, below};
use std::hint::black_box;
use std::thread;
use tokio::join;
use tokio::task::yield_now;

/// A page of memory, in bytes.
const PAGE: usize = 4096;

/// Has a page when it waits, and needs it afterwards.
async fn keeps_its_page() {
    let page = black_box([1_u8; PAGE]);
    yield_now().await;
    black_box(page.len());
}

/// Has had a page, and needs it no more when it waits.
async fn is_done_with_its_page() {
    {
        let page = black_box([1_u8; PAGE]);
        black_box(page.len());
    }
    yield_now().await;
}

async fn one_after_the_other() {
    keeps_its_page().await;
    keeps_its_page().await;
}

async fn two_joined() {
    join!(keeps_its_page(), keeps_its_page());
}

/// Two futures use a page of memory each, one of them across an await. How
/// large are they, and two of them together?
///
/// - [ ] a page each; joined as large as in turn
/// - [x] one keeps the page in itself; joined hold two
/// - [ ] a few bytes each: the page is on the stack
pub fn sizes(stage: &Stage) -> shared::Result {
    let done = size_of_val(&is_done_with_its_page());
    let keeps = size_of_val(&keeps_its_page());
    let in_turn = size_of_val(&one_after_the_other());
    let joined = size_of_val(&two_joined());
    let sizes = [
        ("done with its page", done),
        ("keeps its page", keeps),
        ("two that keep it, in turn", in_turn),
        ("two that keep it, joined", joined),
        ("the same two, in a box", size_of_val(&Box::pin(two_joined()))),
    ];
    tell(stage, sizes);
    stage.claim("done with its page: less than a page", done, below(PAGE));
    stage.claim("keeps its page: a page or more", keeps, at_least(PAGE));
    stage.claim("in turn: less than two pages", in_turn, below(2 * PAGE));
    stage.claim("joined: two pages or more", joined, at_least(2 * PAGE));
    Ok(())
}

fn tell<const N: usize>(stage: &Stage, sizes: [(&str, usize); N]) {
    let futures = stage.track("futures");
    for (future, size) in sizes {
        futures.record(future, size);
    }
    let rows = sizes.map(|(name, size)| [name.to_owned(), size.to_string()]);
    stage.table(["a future (a page: 4096)", "bytes"], rows);
}

/// What does it take to make a task that does nothing and to await its end?
/// And to make a thread and to join it?
pub fn price(stage: &Stage) -> shared::Result {
    stage.measure("a task", 10_000, || {
        run(async {
            let mut ended = 0;
            for _ in 0..10_000 {
                ended += tokio::spawn(async { 1 }).await?;
            }
            shared::Result::Ok(ended)
        })?
    })?;
    stage.measure("a thread", 200, || {
        let thread = |_| thread::spawn(|| 1).join().expect("it only counts");
        Ok((0..200).map(thread).sum::<u32>())
    })?;
    Ok(())
}
