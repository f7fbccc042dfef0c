//! What goes through the queue in place of an item, and what that costs.

use anyhow::bail;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Process, Queue, QueueError};
use std::fmt::Debug;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    table: u8,
    dish: String,
    cents: u32,
}

/// An order goes to another process as bytes. Which, and where are the names
/// of its fields?
///
/// - [ ] before each value, as in JSON
/// - [x] not among them: the program has them, at both ends
/// - [ ] once, at the beginning, as in a CSV file
pub fn on_the_wire(stage: &Stage) -> shared::Result {
    let me = stage.track("me");
    let order = Order { table: 7, dish: "rice".to_owned(), cents: 300 };
    stage.table(
        ["item", "bytes (hexadecimal)"],
        [
            row(&7_u8)?,
            row(&300_u32)?,
            row(&-1_i32)?,
            row(&"rice")?,
            row(&Some(7_u8))?,
            row(&order)?,
        ],
    );
    // Too small for any order, the queue tells what this one takes.
    let tiny = Queue::with_bytes(1, 8)?;
    let Err(QueueError::TooLarge { item: counted, .. }) = tiny.put(&order)
    else {
        bail!("an order went into a queue that is too small for it");
    };
    me.note("the queue counts", counted);
    let bytes = postcard::to_stdvec(&order)?;
    let again: Order = postcard::from_bytes(&bytes)?;
    me.note("read back", format!("{again:?}"));
    stage.claim("bytes, as the queue counts", counted, equals(bytes.len()));
    stage.claim("they make an equal order", again == order, equals(true));
    Ok(())
}

/// An item, and the bytes that the queue makes of it (the crate postcard).
fn row<T: Debug + Serialize>(item: &T) -> shared::Result<[String; 2]> {
    let bytes = postcard::to_stdvec(item)?;
    let hex = bytes.iter().map(|byte| format!("{byte:02x}"));
    Ok([format!("{item:?}"), hex.collect::<Vec<_>>().join(" ")])
}

/// What does it cost to pass on a number, and what a long text?
pub fn price(stage: &Stage) -> shared::Result {
    pass_on(stage, "a number", 10_000, &7, |number: &usize| *number)?;
    pass_on(stage, "4 KiB of text", 2_000, &"x".repeat(4096), String::len)
}

fn pass_on<T>(
    stage: &Stage,
    label: &str,
    times: u32,
    item: &T,
    size: fn(&T) -> usize,
) -> shared::Result
where
    T: Serialize + DeserializeOwned,
{
    let queue = Queue::<T>::bounded(1000)?;
    let getter = Process::spawn(|| -> usize {
        queue.iter().map(|item| size(&item)).sum()
    })?;
    stage.measure(label, times, || {
        (0..times).try_for_each(|_| queue.put(item))?;
        queue.close();
        Ok(getter.join()?) // the sum, when it has got them all
    })?;
    Ok(())
}
