//! What the queue itself costs.

use shared::Stage;
use shared::process::{JoinableQueue, Process, QueueError};
use std::time::Instant;

const ITEMS: u32 = 20_000;

/// An item is put, taken and reported done, and nothing else. What does that
/// cost?
pub fn price(stage: &Stage) -> shared::Result {
    let items = JoinableQueue::bounded(ITEMS as usize)?;
    let worker = Process::builder().daemon(true).spawn(|| {
        let mut sum = 0;
        for item in &items {
            sum += u64::from(item);
            items.task_done()?;
        }
        Ok::<_, QueueError>(sum)
    })?;
    let begin = Instant::now();
    (1..=ITEMS).try_for_each(|item| items.put(&item))?;
    items.join();
    let seconds = begin.elapsed().as_secs_f64() / f64::from(ITEMS);
    items.close(); // the worker tells the sum of all that it took, and ends
    stage.figure_of(worker.join()?, "put, get, task_done", seconds)
}
