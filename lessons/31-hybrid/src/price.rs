//! What a mixture costs.

use crate::mixture::Mixture;
use crate::server::{Server, tracks};
use shared::Stage;
use shared::process::Process;
use std::fs;

const REQUESTS: u32 = 8;

/// Eight requests, by each mixture. Which one is the quickest when they wait,
/// and which one when they compute?
pub fn which_wins(stage: &Stage) -> shared::Result {
    let clients = stage.track("clients");
    let tracks = tracks(stage, Mixture::new(1, 1, 8));
    let mut rows = Vec::new();
    for (p, t, c) in [(1, 1, 1), (1, 1, 8), (1, 8, 1), (8, 1, 1), (2, 2, 2)] {
        let mixture = Mixture::new(p, t, c);
        let mut server = Server::start(stage, mixture, &tracks)?;
        let mut crowd = server.crowd()?;
        let rounds = || (1..=REQUESTS).step_by(mixture.places());
        let waiting =
            stage.measure(&format!("{mixture}: 8 wait"), 1, || {
                for first in rounds() {
                    crowd.wait(first..)?;
                    clients.pause(0.2);
                    crowd.release_all()?;
                }
                Ok(())
            })?;
        let computing =
            stage.measure(&format!("{mixture}: 8 compute"), 1, || {
                rounds().try_for_each(|first| crowd.compute(first..))
            })?;
        let ms = |seconds: f64| format!("{:.0}", 1000.0 * seconds);
        let memory = memory(&server.processes);
        let memory = memory.map_or("?".to_owned(), |n| n.to_string());
        rows.push([mixture.to_string(), ms(waiting), ms(computing), memory]);
    }
    stage.table(["PxTxC", "wait ms", "compute ms", "own KiB"], rows);
    Ok(())
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
