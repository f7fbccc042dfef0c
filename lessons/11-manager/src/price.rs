//! What a call to a manager costs.

use crate::Stock;
use shared::Stage;
use shared::process::Manager;
use std::collections::HashMap;
use std::hint::black_box;

/// What does a call to the manager cost, beside a dictionary of one's own?
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 2_000;
    let own = HashMap::from([("apples".to_owned(), 100)]);
    stage.measure("own dictionary: get", TIMES, || {
        (0..TIMES).for_each(|_| _ = black_box(own.get(black_box("apples"))));
        Ok(())
    })?;
    let manager = Manager::new()?;
    let stock: Stock = manager.dict()?;
    let get = || stock.get("apples");
    let update = || stock.update("apples", |apples| apples.unwrap_or(0) + 1);
    let call = stage.measure("manager: get", TIMES, || {
        Ok((0..TIMES).try_for_each(|_| get().map(drop))?)
    })?;
    stage.measure("manager: update", TIMES, || {
        Ok((0..TIMES).try_for_each(|_| update().map(drop))?)
    })?;
    stage.track("manager").note("calls a second", (1.0 / call).round());
    Ok(())
}
