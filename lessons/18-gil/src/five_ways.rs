//! Computing and waiting, each in five ways.

use crate::Options;
use crate::interpreter::{Op, product};
use crate::ways::{Ran, WAYS};
use shared::lesson::{at_least, equals};
use shared::{Stage, Track};
use std::time::{Duration, Instant};

/// How much is computed and how often, and how long is waited.
struct Size {
    products: usize,
    up_to: i64,
    rounds: usize,
    waits: usize,
    seconds: f64,
}

const SMALL: Size =
    Size { products: 16, up_to: 8_000, rounds: 3, waits: 20, seconds: 0.25 };
const FULL: Size =
    Size { products: 16, up_to: 100_000, rounds: 1, waits: 100, seconds: 2.0 };

fn size(stage: &Stage) -> Size {
    let options: &Options = stage.options();
    if options.full { FULL } else { SMALL }
}

/// What the full size may take: waiting one by one 200 s, the rest as long as
/// a slow machine takes to compute.
pub fn longer(options: &Options) -> Duration {
    Duration::from_secs(if options.full { 900 } else { 0 })
}

/// Much to compute, in five ways. Which of them are quick?
pub fn compute_five_ways(stage: &Stage) -> shared::Result {
    let Size { products, up_to, rounds, .. } = size(stage);
    let track = stage.track("all");
    track.say(format!("computing: {products} times 1 * 2 * ... * {up_to}"));
    let program = product(up_to);
    let ways = measure(stage, &program, products, rounds, &track)?;
    let [one_by_one, _, threads, ..] = &ways;
    if threads.seconds > 0.75 * one_by_one.seconds {
        stage.cannot_show("which are quick", "no two cores were free");
    }
    let all = ways.iter().flat_map(|way| &way.ran);
    let all: Vec<u64> = all.map(|(remainder, _)| *remainder).collect();
    track.record("remainders", all.as_slice());
    for way in &ways {
        let sum: u64 = way.ran.iter().map(|(remainder, _)| remainder).sum();
        stage.figure_of(sum, &format!("compute: {}", way.name), way.seconds)?;
    }
    let same = all.iter().all(|one| *one == all[0]);
    stage.claim("all compute the same", same, equals(true));
    Ok(())
}

/// Much to wait for, in five ways. Which of them are quick?
///
/// - [ ] coroutines alone
/// - [x] all but one by one
/// - [ ] those without the lock
pub fn wait_five_ways(stage: &Stage) -> shared::Result {
    let Size { waits, seconds, .. } = size(stage);
    let track = stage.track("all");
    track.say(format!("waiting: {waits} times {seconds} s"));
    let time = stage.time(seconds);
    let ways = measure(stage, &[Op::Sleep(time)], waits, 1, &track)?;
    for way in &ways {
        let slept = way.ran.iter().map(|(_, [from, to])| to - from);
        let enough = slept.filter(|ns| u128::from(*ns) >= time.as_nanos());
        let label = format!("wait: {}", way.name);
        stage.figure_of(enough.count(), &label, way.seconds)?;
    }
    let peaks = ways.each_ref().map(|way| asleep_at_once(&way.ran));
    let rows = ways.iter().zip(peaks);
    let rows = rows.map(|(way, peak)| [way.name.into(), peak.to_string()]);
    stage.table(["way", "asleep at once"], rows);
    for way in &ways {
        let slept: Vec<_> = way.ran.iter().map(|(_, slept)| *slept).collect();
        track.record(way.name, slept);
    }
    let [one_by_one, others @ ..] = peaks;
    let fewest = others.into_iter().min().unwrap_or(0);
    stage.claim("asleep at once, one by one: one", one_by_one, equals(1));
    stage.claim("in each other way: two or more", fewest, at_least(2));
    Ok(())
}

/// A way, how long it took where it was quickest, and what came of all rounds.
struct Measured {
    name: &'static str,
    seconds: f64,
    ran: Vec<Ran>,
}

/// Has a program run so many times, in each way and that in so many rounds: in
/// one of them other programs may have the cores.
fn measure(
    stage: &Stage,
    program: &[Op],
    times: usize,
    rounds: usize,
    track: &Track,
) -> shared::Result<[Measured; 5]> {
    let mut ways = WAYS.map(|(name, _)| {
        let (seconds, ran) = (f64::INFINITY, Vec::new());
        Measured { name, seconds, ran }
    });
    let progress = stage.progress("measured", 5 * rounds as u64);
    for _ in 0..rounds {
        for ((_, run), way) in WAYS.into_iter().zip(&mut ways) {
            let (ran, took) = track.recorder().muted(|| {
                let start = Instant::now();
                (run(program, times, track), start.elapsed())
            });
            way.ran.extend(ran?);
            way.seconds = way.seconds.min(took.as_secs_f64());
            progress.advance(1);
        }
    }
    Ok(ways)
}

/// How many slept at the same moment at most.
fn asleep_at_once(ran: &[Ran]) -> usize {
    let asleep = |at: u64| {
        let slept = ran.iter().map(|(_, slept)| slept);
        slept.filter(|[from, to]| (*from..*to).contains(&at)).count()
    };
    let beginnings = ran.iter().map(|(_, [from, _])| asleep(*from));
    beginnings.max().unwrap_or(0)
}
