//! What the queue itself costs.

use shared::Stage;
use shared::process::{JoinableQueue, Process, QueueError};

const ITEMS: u32 = 20_000;

/// An item is put, taken and reported done, and nothing else. What does that
/// cost?
pub fn price(stage: &Stage) -> shared::Result {
    let items = JoinableQueue::bounded(ITEMS as usize)?;
    let worker = Process::builder().daemon(true).spawn(|| {
        for _item in &items {
            items.task_done()?;
        }
        Ok::<_, QueueError>(())
    })?;
    stage.measure("put, get, task_done", ITEMS, || {
        (1..=ITEMS).try_for_each(|item| items.put(&item))?;
        items.join();
        Ok(())
    })?;
    items.close();
    worker.join()?;
    Ok(())
}
