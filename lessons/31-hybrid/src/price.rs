//! What a mixture costs.

use crate::clients::Crowd;
use crate::mixture::Mixture;
use crate::server::{Server, tracks};
use shared::Stage;
use shared::lesson::equals;
use shared::process::Process;
use std::fs;
use std::time::Instant;

const REQUESTS: u32 = 8;
/// The best of so many times counts for computing: others compute too.
const TRIES: usize = 3;

/// Eight requests, by each mixture. Which one is the quickest when they wait,
/// which one when they compute, and what does each cost in memory?
pub fn which_wins(stage: &Stage) -> shared::Result {
    let clients = stage.track("clients");
    let tracks = tracks(stage, Mixture::new(1, 1, 8));
    let (mut most, mut rows) = (Vec::new(), Vec::new());
    for (p, t, c) in [(1, 1, 1), (1, 1, 8), (1, 8, 1), (8, 1, 1), (2, 2, 2)] {
        let mixture = Mixture::new(p, t, c);
        let mut server = Server::start(stage, mixture, &tracks)?;
        let mut crowd = server.crowd()?;
        let mut at_once = 0;
        stage.measure(&format!("{mixture}: 8 wait"), 1, || {
            for first in rounds(mixture) {
                at_once = at_once.max(crowd.wait(first..)?);
                clients.pause(0.2);
                crowd.release_all()?;
            }
            Ok(at_once)
        })?;
        let label = format!("{mixture}: 8 compute");
        let computing = stage.muted(|| computing(&mut crowd, mixture));
        let (answers, seconds) = computing?;
        stage.figure_of(answers, &label, seconds)?;
        clients.record(&mixture.to_string(), at_once);
        let memory = memory(&server.processes);
        let memory = memory.map_or("?".to_owned(), |n| n.to_string());
        rows.push([mixture.to_string(), at_once.to_string(), memory]);
        if mixture.places() == REQUESTS as usize {
            most.push(at_once);
        }
    }
    stage.table(["PxTxC", "wait at once", "own KiB"], rows);
    let text = "wait at once, with eight places: all eight";
    stage.claim(text, most, equals(vec![8; 4]));
    Ok(())
}

/// The first requests of each round, in which every place gets one.
fn rounds(mixture: Mixture) -> impl Iterator<Item = u32> {
    (1..=REQUESTS).step_by(mixture.places())
}

/// How many requests that compute are answered, and in how many seconds.
fn computing(
    crowd: &mut Crowd,
    mixture: Mixture,
) -> shared::Result<(usize, f64)> {
    let (mut answers, mut best) = (0, f64::INFINITY);
    for _ in 0..TRIES {
        let start = Instant::now();
        let rounds = rounds(mixture).map(|first| crowd.compute(first..));
        answers = rounds.sum::<shared::Result<_>>()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok((answers, best))
}

/// The memory that each of these processes has for itself, in KiB, all
/// together: proc(5), `Private_Clean` and `Private_Dirty`.
fn memory(processes: &[Process<()>]) -> Option<u64> {
    let of = |process: &Process<()>| {
        let path = format!("/proc/{}/smaps_rollup", process.pid());
        let text = fs::read_to_string(path).ok()?;
        let own = text.lines().filter(|line| line.starts_with("Private_"));
        let own = own.filter_map(|line| line.split_whitespace().nth(1));
        own.map(|number| number.parse::<u64>().ok()).sum::<Option<u64>>()
    };
    processes.iter().map(of).sum()
}
