//! What a job will have come to.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, mem, panic};

/// What a job will have come to. It can be cloned, asked by many threads, and
/// asked again.
pub struct Future<'a, T>(Arc<Shared<'a, T>>);

struct Shared<'a, T> {
    state: Mutex<State<'a, T>>,
    /// There is an outcome.
    done: Condvar,
}

struct State<'a, T> {
    /// Whether a worker has begun with the job.
    begun: bool,
    /// Set once.
    outcome: Option<Result<T, JobError>>,
    /// To be called then; empty afterwards.
    callbacks: Vec<Callback<'a, T>>,
}

type Callback<'a, T> = Box<dyn FnOnce(&Future<'a, T>) + Send + 'a>;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobError {
    /// The job panicked, and said this.
    Panicked(String),
    /// It was taken back before it had begun.
    Cancelled,
    /// It is not done yet.
    TimedOut,
}

impl<'a, T> Future<'a, T> {
    /// Waits until the job is done.
    pub fn result(&self) -> Result<T, JobError>
    where
        T: Clone,
    {
        let state = self.0.done.wait_while(self.state(), |state| !state.done());
        outcome(&state.unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits no longer than that. The job goes on all the same.
    pub fn result_timeout(&self, time: Duration) -> Result<T, JobError>
    where
        T: Clone,
    {
        let waits = |state: &mut State<T>| !state.done();
        let waited = self.0.done.wait_timeout_while(self.state(), time, waits);
        outcome(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Whether there is an outcome: a result, a panic, or that it was
    /// cancelled.
    pub fn is_done(&self) -> bool {
        self.state().done()
    }

    /// Takes the job back, if nobody has begun with it; says whether it is
    /// cancelled.
    pub fn cancel(&self) -> bool {
        let state = self.state();
        match &state.outcome {
            None if !state.begun => {
                self.finish(state, Err(JobError::Cancelled));
                true
            }
            outcome => matches!(outcome, Some(Err(JobError::Cancelled))),
        }
    }

    /// Calls `callback` as soon as there is an outcome: in the thread that
    /// brings it, which is the worker, or whoever cancels the job; or here and
    /// now. One that panics stops neither the others nor the worker.
    pub fn on_done(&self, callback: impl FnOnce(&Self) + Send + 'a) {
        let mut state = self.state();
        if state.done() {
            drop(state); // it may ask for the outcome
            self.call(Box::new(callback));
        } else {
            state.callbacks.push(Box::new(callback));
        }
    }

    fn finish(
        &self,
        mut state: MutexGuard<State<'a, T>>,
        outcome: Result<T, JobError>,
    ) {
        state.outcome = Some(outcome);
        let callbacks = mem::take(&mut state.callbacks);
        drop(state);
        self.0.done.notify_all();
        callbacks.into_iter().for_each(|callback| self.call(callback));
    }

    fn call(&self, callback: Callback<'a, T>) {
        // The panic hook has told what it said; there is nobody else to tell.
        let called = panic::AssertUnwindSafe(|| callback(self));
        let _ = panic::catch_unwind(called);
    }

    /// Never half changed, even if its last user panicked.
    fn state(&self) -> MutexGuard<'_, State<'a, T>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome<T: Clone>(state: &State<T>) -> Result<T, JobError> {
    state.outcome.clone().unwrap_or(Err(JobError::TimedOut))
}

impl<T> State<'_, T> {
    fn done(&self) -> bool {
        self.outcome.is_some()
    }
}

impl<T> Clone for Future<'_, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The other end of a future: whoever has it is to do the job. One that is
/// dropped instead cancels the job, so that nobody waits for ever.
pub struct Promise<'a, T>(Future<'a, T>);

impl<'a, T> Promise<'a, T> {
    pub fn new() -> (Future<'a, T>, Self) {
        let callbacks = Vec::new();
        let state = State { begun: false, outcome: None, callbacks };
        let (state, done) = (Mutex::new(state), Condvar::new());
        let future = Future(Arc::new(Shared { state, done }));
        (future.clone(), Self(future))
    }

    /// Does the job, unless it was cancelled.
    pub fn keep(self, job: impl FnOnce() -> Result<T, JobError>) {
        let mut state = self.0.state();
        if state.done() {
            return;
        }
        state.begun = true;
        drop(state); // others may ask while it runs
        let outcome = job();
        self.0.finish(self.0.state(), outcome);
    }
}

impl<T> Drop for Promise<'_, T> {
    fn drop(&mut self) {
        let state = self.0.state();
        if !state.done() {
            self.0.finish(state, Err(JobError::Cancelled));
        }
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(why) => write!(f, "the job panicked: {why}"),
            Self::Cancelled => f.write_str("the job was cancelled"),
            Self::TimedOut => f.write_str("the job is not done yet"),
        }
    }
}

impl std::error::Error for JobError {}
