//! What comes out of 200 runs of the same program.

use crate::{both, repeat, update};
use shared::Stage;
use shared::lesson::{at_most, equals};
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::{thread::sleep, time::Duration};

const RUNS: usize = 200;
/// Both write an odd number in the first round, an even one in the second:
/// after an odd number of rounds it cannot be 0.
const ROUNDS: i64 = 15;
const MANY: i64 = 200_000;

/// Both read, and then both write; 15 times. Which numbers come out of 200
/// runs?
///
/// - [ ] mostly 0: as much is lost of the one as of the other
/// - [ ] 0 in half of them, in the others what one has added
/// - [x] never 0, though often a number close to it
pub fn two_hundred_runs(stage: &Stage) -> shared::Result {
    let results = results(stage, |number| {
        let both_have_read = Barrier::new(2);
        both(|change| {
            for _ in 0..ROUNDS {
                // Long enough that either may be the first to come back.
                sleep(Duration::from_micros(1));
                let seen = number.load(Relaxed);
                both_have_read.wait();
                number.store(seen + change, Relaxed);
            }
        });
    });
    draw(stage, &results, ROUNDS);
    let right = results.iter().filter(|&&result| result == 0).count();
    stage.claim("runs that came to 0: none", right, equals(0));
    Ok(())
}

fn results(stage: &Stage, run: impl Fn(&AtomicI64)) -> Vec<i64> {
    let track = stage.track("away from 0");
    let results = (0..RUNS).map(|_| {
        let number = AtomicI64::new(0);
        run(&number);
        let left = number.into_inner();
        track.count("from 0", left.abs());
        left
    });
    results.collect()
}

/// Draws how often which of `results` came out; the most that can is `most`.
fn draw(stage: &Stage, results: &[i64], most: i64) {
    let width = most / 5;
    let below = (-5..0).map(|row| (row * width, (row + 1) * width - 1));
    let above = (0..5).map(|row| (row * width + 1, (row + 1) * width));
    let rows = below.chain([(0, 0)]).chain(above).map(|(from, to)| {
        let among = |&&result: &&i64| (from..=to).contains(&result);
        let runs = results.iter().filter(among).count();
        let range = match (from, to) {
            (0, 0) => "0".to_owned(),
            _ => format!("{from} to {to}"),
        };
        [range, runs.to_string(), "#".repeat(runs.div_ceil(5))]
    });
    stage.table(["number", "runs", ""], rows);
}

/// Now nothing makes them meet: 200,000 updates each. How many of 200 runs
/// would pass a test?
pub fn left_to_luck(stage: &Stage) -> shared::Result {
    let results = results(stage, |number| {
        both(|change| repeat(MANY, || update(number, change)));
    });
    draw(stage, &results, MANY);
    let furthest = results.iter().map(|result| result.abs()).max();
    let alone = "furthest from 0: at most what one alone adds";
    stage.claim(alone, furthest, at_most(Some(MANY)));
    Ok(())
}
