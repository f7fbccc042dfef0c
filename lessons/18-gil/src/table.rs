//! Computing and waiting, each in five ways.

use crate::Options;
use crate::interpreter::{Op, product};
use crate::ways::WAYS;
use shared::Stage;
use shared::lesson::{at_most, equals};
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

/// A slow machine takes a minute for each column of products.
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
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    let mut waited = Vec::new();
    for (name, way) in WAYS {
        let computing =
            stage.measure(&format!("compute: {name}"), 1, || {
                found.push(way(&computes, products, &track)?);
                Ok(())
            })?;
        progress.advance(1);
        let waiting = stage.measure(&format!("wait: {name}"), 1, || {
            way(&sleeps, waits, &track)?;
            Ok(())
        })?;
        progress.advance(1);
        waited.push(waiting);
        rows.push([name.to_owned(), in_ms(computing), in_ms(waiting)]);
    }
    drop(progress);
    stage.table(["way", "computing, ms", "waiting, ms"], rows);
    let all = found.concat();
    track.record("remainders", all.as_slice());
    let same = all.iter().all(|one| *one == all[0]);
    stage.claim("all compute the same", same, equals(true));
    let longest = waited[1..].iter().copied().fold(0.0, f64::max);
    let part = longest / waited[0];
    stage.claim(
        "waiting at once, as a part of one by one",
        part,
        at_most(0.75),
    );
    Ok(())
}

fn in_ms(seconds: f64) -> String {
    format!("{:.1}", seconds * 1e3)
}
