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
        let serially = format!("{name}: serially");
        quickest(stage, &serially, [&from, &to], || {
            let plan = Plan::of(&from)?;
            let copy = Copy::begin(&plan, &to)?;
            for number in 0..count {
                copy.file(number)?;
            }
            copy.finish()
        })?;
        let pool = format!("{name}: pool");
        quickest(stage, &pool, [&from, &to], || {
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
    [from, to]: [&Path; 2],
    copies: impl Fn() -> shared::Result,
) -> shared::Result {
    let (mut best, mut same) = (Duration::MAX, (0, 0));
    for _ in 0..TIMES {
        let start = Instant::now();
        copies()?;
        best = best.min(start.elapsed());
        let (files, bytes) = copied(from, to)?;
        same = (same.0 + files, same.1 + bytes);
        fs::remove_dir_all(to)?;
    }
    stage.figure_of(same, label, best.as_secs_f64())
}

/// How many files of a folder have a copy with the same bytes, and how many
/// bytes these are.
fn copied(from: &Path, to: &Path) -> shared::Result<(usize, usize)> {
    let (mut files, mut bytes) = (0, 0);
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let source = fs::read(entry.path())?;
        if source == fs::read(to.join(entry.file_name()))? {
            files += 1;
            bytes += source.len();
        }
    }
    Ok((files, bytes))
}
