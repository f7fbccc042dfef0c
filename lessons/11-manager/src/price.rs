//! What a call to a manager costs.

use crate::sellers::Stock;
use shared::Stage;
use shared::process::Manager;
use std::collections::HashMap;
use std::hint::black_box;

/// What does a call to the manager cost, beside a dictionary of one's own?
///
/// - [ ] about the same: both are in memory
/// - [x] many times as much: a message there and one back
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 2_000;
    let own = HashMap::from([("apples".to_owned(), 100)]);
    stage.measure("own dictionary: get", TIMES, || {
        let get = |_| black_box(&own).get("apples");
        Ok((0..TIMES).filter_map(get).sum::<i32>())
    })?;
    let manager = Manager::new()?;
    let stock: Stock = manager.dict()?;
    stock.insert("apples", &100)?;
    let call = stage.measure("manager: get", TIMES, || {
        let mut sum = 0;
        for _ in 0..TIMES {
            sum += stock.get("apples")?.unwrap_or(0);
        }
        Ok(sum)
    })?;
    stage.measure("manager: update", TIMES, || {
        for _ in 0..TIMES {
            stock.update("apples", |apples| apples.unwrap_or(0) + 1)?;
        }
        Ok(stock.get("apples")?)
    })?;
    stage.track("manager").note("calls a second", (1.0 / call).round());
    Ok(())
}
