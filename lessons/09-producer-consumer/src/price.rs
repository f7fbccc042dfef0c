//! What passing an item on costs.

use shared::Stage;
use shared::process::{Process, Queue};

/// What does it cost to pass an item on, with room for one and for many?
///
/// - [x] more with room for one: the two wait for each other
/// - [ ] the same: an item is an item
/// - [ ] more with room for many: there is more to look through
pub fn price(stage: &Stage) -> shared::Result {
    for room in [1, 1000] {
        let buffer = Queue::bounded(room)?;
        let using = Process::spawn(|| buffer.iter().sum::<u32>())?;
        stage.measure(&format!("room for {room}"), 2000, || {
            (1..=2000).try_for_each(|item| buffer.put(&item))?;
            buffer.close();
            Ok(using.join()?) // the sum of all that it used
        })?;
    }
    Ok(())
}
