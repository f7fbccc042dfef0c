//! What copying costs.

use crate::copy::Copy;
use crate::plan::Plan;
use crate::sample::alike;
use shared::Stage;
use shared::process::Pool;
use std::thread::available_parallelism;

/// Many small files, few large ones, and both with as many workers as there are
/// cores. What does a pool gain, and where?
pub fn many_and_few(stage: &Stage) -> shared::Result {
    let (folder, choices) = (stage.folder()?, &mut stage.choices("sample"));
    let cores = available_parallelism()?.get();
    for (name, count, size) in
        [("200 small", 200, 4 << 10), ("4 large", 4, 4 << 20)]
    {
        let (from, to) =
            (folder.join(name), |way| folder.join(format!("{name}, {way}")));
        alike(&from, choices, count, size)?;
        stage.measure(&format!("{name}: serially"), 1, || {
            let plan = Plan::of(&from)?;
            let copy = Copy::begin(&plan, &to("serially"))?;
            for number in 0..count {
                copy.file(number)?;
            }
            copy.finish()
        })?;
        stage.measure(&format!("{name}: pool"), 1, || {
            let plan = Plan::of(&from)?;
            let copy = Copy::begin(&plan, &to("pool"))?;
            let pool = Pool::new(cores, |number| copy.file(number))?;
            pool.map(0..count)?;
            copy.finish()
        })?;
    }
    Ok(())
}
