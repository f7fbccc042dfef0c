//! A desk with one pen and one sheet of paper, in a process of its own.

use crate::wait_for::{Circle, Graph};
use crate::watched::Watched;
use anyhow::Context;
use shared::process::{Process, Queue, QueueError};
use shared::{Stage, Track};
use std::thread;
use std::time::Duration;

/// How it ended at a desk.
pub struct End {
    /// Who waited in a circle, by name.
    pub stuck: Vec<String>,
    /// How the child ended.
    pub ended: String,
}

/// Lets `names` write, each on a thread of a child process. They want the pen
/// first and the paper first in turn. A child that is stuck is killed.
pub fn writers(
    stage: &Stage,
    names: &[&str],
    write: impl for<'a> Fn(&'a Track, [&'a Watched<'a>; 2]) + Sync,
) -> shared::Result<End> {
    let writers: Vec<_> = names.iter().map(|name| stage.track(*name)).collect();
    let detector = stage.track("detector");
    let found = Queue::bounded(1)?;
    let child = Process::builder().name("desk").daemon(true).spawn(|| {
        let graph = Graph::new(&found);
        let pen = Watched::new("pen", &graph);
        let paper = Watched::new("paper", &graph);
        thread::scope(|scope| {
            for (n, writer) in writers.iter().enumerate() {
                let (pen, paper, write) = (&pen, &paper, &write);
                scope.spawn(move || match n % 2 {
                    0 => write(writer, [pen, paper]),
                    _ => write(writer, [paper, pen]),
                });
            }
        });
        found.close();
    })?;
    // They pause as the pace has it, and need a core at any pace.
    let patience = Duration::from_secs(20).max(stage.time(20.0));
    let patience = stage.patience(patience);
    let circle = match found.get_timeout(patience) {
        Err(QueueError::Closed) => Circle::new(), // all have written
        circle => circle.context(
            "cannot tell whether the writers are stuck; run the lesson again",
        )?,
    };
    let mut stuck = Vec::new();
    for [who, lock, holder] in circle {
        detector.say(format!("{who} waits for the {lock}, which {holder} has"));
        stuck.push(who);
    }
    stuck.sort();
    // A real one lasts: it is given a second to end by itself.
    let second = stage.time(1.0).min(Duration::from_secs(2));
    if !stuck.is_empty() && child.join_timeout(second).is_none() {
        child.kill()?;
    }
    Ok(End { stuck, ended: child.wait().to_string() })
}
