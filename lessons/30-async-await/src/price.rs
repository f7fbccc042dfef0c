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
/// large are they? And what does a task cost, beside a thread?
pub fn price(stage: &Stage) -> shared::Result {
    let done = size_of_val(&is_done_with_its_page());
    let keeps = size_of_val(&keeps_its_page());
    let in_turn = size_of_val(&one_after_the_other());
    let joined = size_of_val(&two_joined());
    let boxed = size_of_val(&Box::pin(two_joined()));
    let sizes = [
        ("done with its page", done),
        ("keeps its page", keeps),
        ("keep a page each, in turn", in_turn),
        ("keep a page each, joined", joined),
        ("the same, in a box", boxed),
    ];
    let futures = stage.track("futures");
    for (future, size) in sizes {
        futures.record(future, size);
    }
    let rows = sizes.map(|(name, size)| [name.to_owned(), size.to_string()]);
    stage.table(["a future", "bytes"], rows);
    stage.claim("done with its page: bytes", done, below(PAGE));
    stage.claim("keeps its page: bytes", keeps, at_least(PAGE));
    stage.claim("two in turn share the room", in_turn, below(2 * PAGE));
    stage.claim("two joined need it twice", joined, at_least(2 * PAGE));
    stage.measure("a task", 10_000, || {
        run(async {
            for _ in 0..10_000 {
                tokio::spawn(async {}).await?;
            }
            shared::Result::Ok(())
        })?
    })?;
    stage.measure("a thread", 200, || {
        (0..200).for_each(|_| thread::scope(|scope| drop(scope.spawn(|| ()))));
        Ok(())
    })?;
    Ok(())
}
