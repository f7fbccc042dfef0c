//! A fixed number of threads that do whatever job is handed in.
//!
//! It promises what Python's `concurrent.futures` does. What is different:
//! all workers are started at once; a panic is told as text; whoever asks for
//! a result gets a clone of it; and after `close` it is the scope that waits
//! for the workers, where Python's interpreter does before it exits.

use crate::future::{Future, JobError, Promise};
use anyhow::{Context, ensure};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder, Scope, ThreadId};

/// Threads that wait for jobs: the workers. Dropping it closes it.
pub struct Executor<'scope> {
    /// None when it is closed: then the workers end, when nothing is left.
    jobs: Mutex<Option<Sender<Task<'scope>>>>,
    waiting: Receiver<Task<'scope>>,
    /// To refuse `shutdown` in a job of its own.
    workers: Vec<ThreadId>,
    /// Nothing is sent there: it is disconnected when the last worker ends.
    ended: Receiver<()>,
}

type Task<'scope> = Box<dyn FnOnce() + Send + 'scope>;

impl<'scope> Executor<'scope> {
    /// Starts that many workers, called `worker 1` and so on. The end of the
    /// scope waits for them.
    pub fn new(
        scope: &'scope Scope<'scope, '_>,
        workers: usize,
    ) -> shared::Result<Self> {
        ensure!(workers > 0, "an executor has at least one worker");
        let (jobs, waiting) = unbounded::<Task>();
        let (alive, ended) = bounded(0);
        let mut ids = Vec::new();
        for number in 1..=workers {
            let (waiting, alive) = (waiting.clone(), alive.clone());
            let worker = Builder::new().name(format!("worker {number}"));
            let worker = worker.spawn_scoped(scope, || work(waiting, alive));
            ids.push(worker.context(NO_THREAD)?.thread().id());
        }
        let (jobs, workers) = (Mutex::new(Some(jobs)), ids);
        Ok(Self { jobs, waiting, workers, ended })
    }

    /// Hands a job in: the next worker that is free does it.
    pub fn submit<T: Send + 'scope>(
        &self,
        job: impl FnOnce() -> T + Send + 'scope,
    ) -> shared::Result<Future<'scope, T>> {
        let (future, promise) = Promise::new();
        let task = Box::new(move || promise.keep(|| attempt(job)));
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = jobs.as_ref().context("the executor is closed")?;
        jobs.send(task).expect("`waiting` receives as long as self is there");
        Ok(future)
    }

    /// From now on no job can be handed in. Does not wait for those that were.
    pub fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Cancels all jobs that no worker has begun.
    pub fn cancel_waiting(&self) {
        self.waiting.try_iter().for_each(drop); // and their promises
    }

    /// Closes it, and waits until all jobs are done and the workers have ended.
    ///
    /// # Panics
    /// In a job of its own, which would wait for itself.
    pub fn shutdown(&self) {
        let inside = self.workers.contains(&thread::current().id());
        assert!(!inside, "a job cannot wait until its own executor has ended");
        self.close();
        let _ = self.ended.recv();
    }
}

impl Drop for Executor<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a worker does all its life. `_alive` is dropped when it ends; when the
/// last one is gone, `shutdown` wakes.
fn work(waiting: Receiver<Task>, _alive: Sender<()>) {
    for task in waiting {
        // What the job leaves behind may panic when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(task));
    }
}

/// What is tried, and what to do when the system refuses.
pub const NO_THREAD: &str =
    "cannot make a thread; raise the limit with `ulimit -u N`";

/// A panic ends here, not the worker.
fn attempt<T>(job: impl FnOnce() -> T) -> Result<T, JobError> {
    let done: thread::Result<T> = catch_unwind(AssertUnwindSafe(job));
    done.map_err(|panic| JobError::Panicked(why(&*panic)))
}

fn why(panic: &(dyn Any + Send)) -> String {
    let owned = || panic.downcast_ref::<String>().cloned();
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(owned).unwrap_or_else(|| "it did not say why".to_owned())
}

/// The same futures in the order in which they are done.
pub fn as_completed<'a, T: Send + 'a>(
    futures: impl IntoIterator<Item = Future<'a, T>>,
) -> impl Iterator<Item = Future<'a, T>> {
    let (tell, done) = unbounded();
    for future in futures {
        let tell = tell.clone();
        future.on_done(move |future| {
            let _ = tell.send(future.clone()); // unless nobody listens
        });
    }
    done.into_iter()
}
