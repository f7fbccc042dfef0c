//! Locks that tell the graph who waits for them and who has them.

use crate::wait_for::Graph;
use shared::Track;
use shared::trace::OpenSpan;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// A lock that the graph knows by its name.
pub struct Watched<'a> {
    pub name: &'static str,
    lock: Mutex<()>,
    graph: &'a Graph<'a>,
}

/// A lock that was taken; dropping it gives it back.
pub struct Held<'a> {
    watched: &'a Watched<'a>,
    _span: OpenSpan<'a>,
    _guard: MutexGuard<'a, ()>,
}

impl<'a> Watched<'a> {
    pub fn new(name: &'static str, graph: &'a Graph<'a>) -> Self {
        Self { name, lock: Mutex::new(()), graph }
    }

    pub fn lock(&'a self, who: &'a Track) -> Held<'a> {
        let guard = who.span("waits", || {
            self.graph.waits(who.name(), self.name);
            self.lock.lock().unwrap_or_else(PoisonError::into_inner)
        });
        self.held(who, guard)
    }

    /// Nothing if somebody has it.
    pub fn try_lock(&'a self, who: &'a Track) -> Option<Held<'a>> {
        match self.lock.try_lock() {
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(error)) => {
                Some(self.held(who, error.into_inner()))
            }
            Ok(guard) => Some(self.held(who, guard)),
        }
    }

    fn held(&'a self, who: &'a Track, guard: MutexGuard<'a, ()>) -> Held<'a> {
        self.graph.has(who.name(), self.name);
        let span = who.begin(self.name);
        Held { watched: self, _span: span, _guard: guard }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // The lock itself is given back afterwards: its next holder must not
        // be taken out of the graph.
        self.watched.graph.gives_back(self.watched.name);
    }
}
