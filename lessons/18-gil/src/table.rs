//! Computing and waiting, each in five ways.

use crate::Options;
use crate::interpreter::{Op, product};
use crate::ways::{WAYS, Way};
use shared::Stage;
use shared::lesson::equals;
use std::time::Duration;

/// How much is computed, and how long is waited.
struct Size {
    products: usize,
    up_to: i64,
    waits: usize,
    seconds: f64,
}

const SMALL: Size =
    Size { products: 16, up_to: 8_000, waits: 20, seconds: 0.25 };
const FULL: Size =
    Size { products: 16, up_to: 100_000, waits: 100, seconds: 2.0 };

/// What the full size may take: waiting one by one 200 s, the rest as long as
/// a slow machine takes to compute.
pub fn longer(options: &Options) -> Duration {
    Duration::from_secs(if options.full { 900 } else { 0 })
}

/// Much to compute, then much to wait for, each in five ways. Which ways are
/// quick at what?
pub fn five_ways(stage: &Stage) -> shared::Result {
    let options: &Options = stage.options();
    let size = if options.full { FULL } else { SMALL };
    let Size { products, up_to, waits, seconds } = size;
    let track = stage.track("all");
    track.say(format!("computing: {products} times 1 * 2 * ... * {up_to}"));
    track.say(format!("waiting: {waits} times {seconds} s"));
    let (computes, sleeps) = (product(up_to), [Op::Sleep(stage.time(seconds))]);

    let progress = stage.progress("measured", 2 * WAYS.len() as u64);
    let measure = |what, (name, way): (&str, Way), program: &[Op], times| {
        let mut found = Vec::new();
        let seconds = stage.measure(&format!("{what}: {name}"), 1, || {
            found = way(program, times, &track)?;
            Ok(())
        })?;
        progress.advance(1);
        shared::Result::Ok((seconds, found))
    };
    let (mut all, mut rows) = (Vec::new(), Vec::new());
    for way in WAYS {
        let (computing, found) = measure("compute", way, &computes, products)?;
        let (waiting, _) = measure("wait", way, &sleeps, waits)?;
        let seconds = |seconds: f64| format!("{seconds:.3}");
        rows.push([way.0.to_owned(), seconds(computing), seconds(waiting)]);
        all.extend(found);
    }
    drop(progress);
    stage.table(["way", "computing, s", "waiting, s"], rows);
    track.record("remainders", all.as_slice());
    let same = all.iter().all(|one| *one == all[0]);
    stage.claim("all compute the same", same, equals(true));
    Ok(())
}
