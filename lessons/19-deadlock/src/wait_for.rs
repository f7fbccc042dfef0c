//! The wait-for graph: who waits for what, and who has it.

use crate::watched::Watched;
use shared::Stage;
use shared::process::Queue;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What do two locks cost, and what if a graph is kept of them?
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 50_000;
    let (pen, paper) = (Mutex::new(()), Mutex::new(()));
    stage.measure("two locks", TIMES, || {
        let mut taken = 0;
        for _ in 0..TIMES {
            let both = (pen.lock(), paper.lock());
            taken += usize::from(both.0.is_ok() && both.1.is_ok());
        }
        Ok(taken)
    })?;
    let (writer, found) = (stage.track("writer"), Queue::bounded(1)?);
    let graph = Graph::new(&found);
    let pen = Watched::new("pen", &graph);
    let paper = Watched::new("paper", &graph);
    stage.measure("two watched locks", TIMES, || {
        let mut taken = 0;
        for _ in 0..TIMES {
            let _both = (pen.lock(&writer), paper.lock(&writer));
            taken += 1;
        }
        Ok([taken, graph.edges().held_by.len()]) // given back: all
    })?;
    Ok(())
}

/// Who waits, for which lock, and who has it: that one waits next.
pub type Circle = Vec<[String; 3]>;

/// The graph, and who is told of a circle in it.
pub struct Graph<'a> {
    edges: Mutex<Edges<'a>>,
    found: &'a Queue<Circle>,
}

#[derive(Default)]
struct Edges<'a> {
    /// From who waits to the lock.
    waits_for: BTreeMap<&'a str, &'a str>,
    /// From a lock to who has it.
    held_by: BTreeMap<&'a str, &'a str>,
}

impl<'a> Edges<'a> {
    /// Goes from who waits to who has it, and on, until it is back.
    fn circle_from(&self, first: &'a str) -> Option<Circle> {
        let (mut circle, mut who) = (Circle::new(), first);
        // If it comes to a circle of others, it is never back.
        while circle.len() < self.waits_for.len() {
            let lock = self.waits_for.get(who)?;
            let holder = self.held_by.get(lock)?;
            circle.push([who, *lock, *holder].map(str::to_owned));
            who = holder;
            if who == first {
                return Some(circle);
            }
        }
        None
    }
}

impl<'a> Graph<'a> {
    pub fn new(found: &'a Queue<Circle>) -> Self {
        Self { edges: Mutex::default(), found }
    }

    fn edges(&self) -> MutexGuard<'_, Edges<'a>> {
        self.edges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever closes a circle tells of it, and then waits as all others.
    pub fn waits(&self, who: &'a str, lock: &'a str) {
        let mut edges = self.edges();
        edges.waits_for.insert(who, lock);
        if let Some(circle) = edges.circle_from(who) {
            let _ = self.found.try_put(&circle); // the first is enough
        }
    }

    pub fn has(&self, who: &'a str, lock: &'a str) {
        let mut edges = self.edges();
        edges.waits_for.remove(who);
        edges.held_by.insert(lock, who);
    }

    pub fn gives_back(&self, lock: &str) {
        self.edges().held_by.remove(lock);
    }
}
