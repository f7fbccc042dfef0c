//! A row of the picture for each thread.

use shared::{Stage, Track};
use std::thread;

/// The tracks of main and of its workers.
pub struct Tracks(Vec<Track>);

impl Tracks {
    pub fn new(stage: &Stage, workers: usize) -> Self {
        let workers = (1..=workers).map(|n| format!("worker {n}"));
        let names = ["main".to_owned()].into_iter().chain(workers);
        Self(names.map(|name| stage.track(name)).collect())
    }

    pub fn main(&self) -> &Track {
        &self.0[0]
    }

    /// That of the thread that asks.
    pub fn here(&self) -> &Track {
        let thread = thread::current();
        let mine = |track: &&Track| thread.name() == Some(track.name());
        self.0.iter().find(mine).unwrap_or(self.main())
    }
}
