//! A job that was handed in.

use std::collections::HashMap;
use std::fmt;
use std::iter::FusedIterator;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Arrived, JobError, Pool, State, Turn};

/// A job that was handed in to a [`Pool`]. Dropping it does not cancel the job.
#[must_use = "its result is to be had by `get`"]
pub struct Job<'p, 'f, A, V> {
    pool: &'p Pool<'f, A, V>,
    id: u64,
}

impl<'p, 'f, A, V> Job<'p, 'f, A, V>
where
    A: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    pub(super) fn new(pool: &'p Pool<'f, A, V>, id: u64) -> Self {
        Self { pool, id }
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// [`JobError`]: the job failed, panicked, was cancelled, or its worker ended over it.
    pub fn get(self) -> Result<V, JobError> {
        while !self.is_there() {
            self.pool.check_ours().map_err(|_| JobError::NotOurs)?;
            self.pool.turn(Turn::Wait(None));
        }
        self.take()
    }

    /// Waits for the result, `timeout` at most. The job goes on after that, and
    /// may be asked for again.
    ///
    /// # Errors
    /// [`JobError`]: as from [`get`](Self::get); [`TimedOut`](JobError::TimedOut), which names the worker.
    pub fn get_timeout(&self, timeout: Duration) -> Result<V, JobError> {
        let deadline = Instant::now().checked_add(timeout);
        while !self.is_done() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let worker = self.pool.inner.borrow().worker_of(self.id);
                return Err(JobError::TimedOut { after: timeout, worker });
            }
            self.pool.check_ours().map_err(|_| JobError::NotOurs)?;
            self.pool.turn(Turn::Wait(deadline));
        }
        self.take()
    }

    /// Whether the result can be had without waiting.
    #[must_use]
    pub fn is_done(&self) -> bool {
        if !self.is_there() {
            self.pool.turn(Turn::Look);
        }
        self.is_there()
    }

    /// Takes the job back if it has not begun; says whether that was so. In
    /// another process than the pool's it never is.
    pub fn cancel(&self) -> bool {
        self.pool.check_ours().is_ok()
            && self.pool.inner.borrow_mut().cancel(self.id)
    }

    fn is_there(&self) -> bool {
        let inner = self.pool.inner.borrow();
        !matches!(inner.slots.get(&self.id), Some(slot) if matches!(slot.state, State::Queued))
    }

    fn take(&self) -> Result<V, JobError> {
        let slot = self.pool.inner.borrow_mut().slots.remove(&self.id);
        match slot.map(|slot| slot.state) {
            Some(State::Done(result)) => result,
            _ => Err(JobError::Taken),
        }
    }
}

impl<A, V> Drop for Job<'_, '_, A, V> {
    fn drop(&mut self) {
        // Inside of the pool's own work, which drops no jobs, it would be
        // borrowed.
        if let Ok(mut inner) = self.pool.inner.try_borrow_mut()
            && let Some(slot) = inner.slots.get_mut(&self.id)
        {
            slot.wanted = false;
            if matches!(slot.state, State::Done(_)) {
                inner.slots.remove(&self.id);
            }
        }
    }
}

impl<A, V> fmt::Debug for Job<'_, '_, A, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The results of jobs as they come, each with its item's place.
#[must_use = "iterators do nothing unless they are used"]
pub struct AsCompleted<'p, 'f, A, V> {
    pool: &'p Pool<'f, A, V>,
    waiting: HashMap<u64, (usize, Job<'p, 'f, A, V>)>,
    arrived: Arrived,
}

impl<'p, 'f, A, V> AsCompleted<'p, 'f, A, V> {
    pub(super) fn new(
        pool: &'p Pool<'f, A, V>,
        waiting: HashMap<u64, (usize, Job<'p, 'f, A, V>)>,
        arrived: Arrived,
    ) -> Self {
        Self { pool, waiting, arrived }
    }
}

impl<A, V> Iterator for AsCompleted<'_, '_, A, V>
where
    A: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    type Item = (usize, Result<V, JobError>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.waiting.is_empty() {
            if self.pool.check_ours().is_err() {
                // Nothing arrives here: the workers are another process's.
                let id = *self.waiting.keys().next()?;
                let (place, _) = self.waiting.remove(&id)?;
                return Some((place, Err(JobError::NotOurs)));
            }
            let arrived = self.arrived.borrow_mut().pop_front();
            match arrived {
                Some(id) => {
                    let (place, job) = self.waiting.remove(&id)?;
                    return Some((place, job.take()));
                }
                None => self.pool.turn(Turn::Wait(None)),
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.waiting.len(), Some(self.waiting.len()))
    }
}

impl<A, V> FusedIterator for AsCompleted<'_, '_, A, V>
where
    A: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
}

impl<A, V> fmt::Debug for AsCompleted<'_, '_, A, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
