//! What copying costs.

use crate::copy::Copy;
use crate::place::of_a_sample;
use crate::plan::Plan;
use crate::sample::alike;
use shared::Stage;
use shared::process::Pool;
use std::fs;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// So often each is measured.
const TIMES: u32 = 5;

/// Many small files, few large ones, and both with as many workers as there are
/// cores; the quickest of five copies each. What does a pool gain, and where?
pub fn many_and_few(stage: &Stage) -> shared::Result {
    let Some(folder) = of_a_sample(stage)? else { return Ok(()) };
    let (to, choices) = (folder.join("copy"), &mut stage.choices("sample"));
    let cores = available_parallelism()?.get();
    for (name, count, size) in
        [("200 small", 200, 4 << 10), ("4 large", 4, 4 << 20)]
    {
        let from = folder.join(name);
        alike(&from, choices, count, size)?;
        quickest(stage, &format!("{name}: serially"), &to, || {
            let plan = Plan::of(&from)?;
            let copy = Copy::begin(&plan, &to)?;
            for number in 0..count {
                copy.file(number)?;
            }
            copy.finish()
        })?;
        quickest(stage, &format!("{name}: pool"), &to, || {
            let plan = Plan::of(&from)?;
            let copy = Copy::begin(&plan, &to)?;
            let pool = Pool::new(cores, |number| copy.file(number))?;
            pool.map(0..count)?;
            copy.finish()
        })?;
    }
    Ok(())
}

/// One measurement of something so short decides nothing: what else runs makes
/// some of them longer, and none shorter.
fn quickest(
    stage: &Stage,
    label: &str,
    to: &Path,
    copies: impl Fn() -> shared::Result,
) -> shared::Result {
    let mut best = Duration::MAX;
    for _ in 0..TIMES {
        let start = Instant::now();
        copies()?;
        best = best.min(start.elapsed());
        fs::remove_dir_all(to)?;
    }
    stage.figure(label, best.as_secs_f64())
}
