//! Who works, and what comes of it.

use crate::gallery::{Gallery, run};
use crate::picture::Picture;
use crate::walk::{self, Walk, walk};
use crate::{COROUTINES, PROCESSES};
use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use shared::process::{JoinError, Process, Queue};
use shared::trace::Trace;
use shared::{Stage, Track};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long the parent waits before it looks who is alive.
const MOMENT: Duration = Duration::from_millis(50);

/// What became of a picture, by its number in the list: its bytes, or why it
/// is not there. It travels through a queue.
#[derive(Serialize, Deserialize)]
pub struct Fate {
    pub number: usize,
    pub end: Result<usize, String>,
}

/// The tracks of all who take part.
pub struct Crew<'a> {
    stage: &'a Stage,
    pub parent: Track,
    /// One for all, or one for each coroutine of the walk.
    walkers: Vec<Track>,
    /// One a coroutine.
    places: Vec<Track>,
    pub processes: usize,
    /// In each process.
    pub coroutines: usize,
    /// Its processes are killed when so many fates are known.
    pub killed_at: Option<usize>,
}

impl<'a> Crew<'a> {
    /// Those who walk, and those who fetch.
    pub fn of(stage: &'a Stage) -> Self {
        let walker = || vec![stage.track("walker")];
        Self::new(stage, walker, PROCESSES, COROUTINES)
    }

    /// Those who walk, each in a row of its own, and nobody else.
    pub fn of_walkers(stage: &'a Stage) -> Self {
        let walker = |n| stage.coroutine_track(format!("walker {n}"));
        let walkers = || (1..=walk::AT_ONCE).map(walker).collect();
        Self::new(stage, walkers, 0, 0)
    }

    fn new(
        stage: &'a Stage,
        walkers: impl FnOnce() -> Vec<Track>,
        processes: usize,
        coroutines: usize,
    ) -> Self {
        let place = |n: usize| {
            let (process, coroutine) = (n / coroutines + 1, n % coroutines + 1);
            stage.coroutine_track(format!("p{process} c{coroutine}"))
        };
        Self {
            stage,
            // In this order they stand in the picture.
            parent: stage.track("parent"),
            walkers: walkers(),
            places: (0..processes * coroutines).map(place).collect(),
            processes,
            coroutines,
            killed_at: None,
        }
    }

    /// The coroutines of each process.
    pub fn teams(&self) -> impl Iterator<Item = &[Track]> {
        let places = self.processes * self.coroutines;
        self.places[..places].chunks(self.coroutines)
    }

    /// Walks the gallery, in a process: this one is to fork again, and has no
    /// runtime, ever.
    pub fn walk(&self, gallery: &Gallery) -> shared::Result<Walk> {
        let walker = Process::builder().name("walker").daemon(true);
        let tracks = &self.walkers;
        let walks = || {
            let alone = tracks.len() == 1;
            let _walks = alone.then(|| tracks[0].begin("walks"));
            run(walk(gallery, tracks))?
        };
        walker.spawn(walks)?.join().map_err(|error| match error {
            // It says all that there is to say.
            JoinError::Failed { message, .. } => anyhow!(message),
            error => error.into(),
        })
    }

    /// What the processes tell their parent. They do not run far ahead of it.
    pub fn fates(&self) -> shared::Result<Queue<Fate>> {
        Ok(Queue::bounded(self.places.len())?)
    }

    /// Waits until each picture has its fate. Of those that a process had in
    /// its hands when it ended that is the process's.
    pub fn gather(
        &self,
        processes: Vec<Process<()>>,
        expected: usize,
        fates: &Queue<Fate>,
    ) -> shared::Result<Vec<Fate>> {
        let progress = self.stage.progress("pictures", expected as u64);
        let mut gathered: Vec<Fate> = Vec::new();
        while gathered.len() < expected {
            let alive = processes.iter().any(Process::is_alive);
            match fates.get_timeout(MOMENT) {
                Ok(fate) => gathered.push(fate),
                Err(_) if alive => continue,
                Err(_) => break,
            }
            progress.advance(1);
            if self.killed_at == Some(gathered.len()) {
                processes.iter().try_for_each(Process::kill)?;
            }
        }
        drop(progress);
        let mut lost = "no process has fetched it".to_owned();
        for process in processes {
            if let Err(error) = process.join() {
                lost = error.to_string();
            }
        }
        let known: BTreeSet<_> =
            gathered.iter().map(|fate| fate.number).collect();
        let unknown = (0..expected).filter(|number| !known.contains(number));
        gathered.extend(
            unknown.map(|number| Fate { number, end: Err(lost.clone()) }),
        );
        gathered.sort_unstable_by_key(|fate| fate.number);
        Ok(gathered)
    }
}

/// What a run brings.
pub struct Haul {
    pub pages: usize,
    pub pictures: usize,
    /// How many links robots.txt forbids.
    pub forbidden: usize,
    /// How many were fetched; the others were there, or are problems.
    pub fetched: usize,
    pub bytes: usize,
    /// What was not had, and why.
    pub problems: Vec<(String, String)>,
}

impl Haul {
    pub fn of(walk: &Walk, missing: &[&Picture], fates: Vec<Fate>) -> Self {
        let mut haul = Self {
            pages: walk.pages,
            pictures: walk.pictures.len(),
            forbidden: walk.forbidden,
            fetched: 0,
            bytes: 0,
            problems: walk.problems.clone(),
        };
        for Fate { number, end } in fates {
            match end {
                Ok(bytes) => {
                    haul.fetched += 1;
                    haul.bytes += bytes;
                }
                Err(why) => {
                    let path = missing[number].path().to_owned();
                    haul.problems.push((path, why));
                }
            }
        }
        haul
    }

    /// A table of the problems, if there are any.
    pub fn show(&self, stage: &Stage) {
        if !self.problems.is_empty() {
            let rows = self.problems.iter().cloned().map(<[_; 2]>::from);
            stage.table(["not had", "why"], rows);
        }
    }
}

pub fn processes_that_stored(trace: &Trace) -> usize {
    let stored = trace.spans_named("stores");
    let pids = stored.map(|span| trace.events()[span.begin].pid);
    pids.collect::<BTreeSet<_>>().len()
}
