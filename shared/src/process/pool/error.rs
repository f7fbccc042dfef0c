//! What can go wrong with a pool and its jobs.

use std::time::Duration;

use crate::process::error::SpawnError;
use crate::process::status::Status;
use crate::process::sys::mapping::SharedMemoryError;

/// What a pool refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// A pool of nobody would never do anything.
    #[error("cannot make a pool of 0 workers: give it at least one")]
    NoWorkers,
    /// A worker that has no jobs, or a job that never begins, is of no use.
    #[error(
        "cannot make a pool whose workers retire after 0 jobs or whose jobs have 0 attempts"
    )]
    NoJobs,
    /// Chunks of nothing would never come to an end.
    #[error("cannot map in chunks of 0 items: a chunk has at least one")]
    EmptyChunks,
    /// A worker could not be started; those that were have been ended.
    #[error("cannot start worker {started} of {wanted}", started = .started + 1)]
    Spawn {
        /// How many had been started.
        started: usize,
        /// How many there were to be.
        wanted: usize,
        /// Why not one more.
        source: SpawnError,
    },
    /// There is no memory to share with a worker.
    #[error("cannot start a worker")]
    Memory(#[from] SharedMemoryError),
    /// A job came after `close`.
    #[error("cannot submit a job: the pool is closed")]
    Closed,
    /// `join` came before `close`.
    #[error("cannot join the pool: close it first, or more jobs may come")]
    NotClosed,
    /// The initial function failed in a worker.
    #[error(
        "cannot submit a job: the pool's initial function failed in a worker: {message}"
    )]
    Unfit {
        /// What it failed with.
        message: String,
    },
    /// An argument cannot be encoded.
    #[error("cannot submit a job: its argument cannot be encoded")]
    Argument(#[source] postcard::Error),
    /// An argument is too large to be sent.
    #[error(
        "cannot submit a job: its argument has {bytes} bytes, more than {limit}; send a path to it instead"
    )]
    ArgumentTooLarge {
        /// What it has, encoded.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// A pool does not come along into a child: its workers are not the
    /// child's.
    #[error("cannot use the pool here: it belongs to the process that made it")]
    NotOurs,
}

/// Why a job has no result.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The function returned an `Err`.
    #[error("the job failed: {message}")]
    Failed {
        /// The error's text with its causes.
        message: String,
    },
    /// The function panicked. Its worker lives on.
    #[error("the job panicked: {message}")]
    Panicked {
        /// What it panicked with.
        message: String,
    },
    /// Its worker ended while it was at the job.
    #[error("the job is lost with its worker (pid {pid}): {status}")]
    Lost {
        /// The worker.
        pid: u32,
        /// How the worker ended.
        status: Status,
    },
    /// It was cancelled before it began.
    #[error("the job was cancelled before it began")]
    Cancelled,
    /// The result has not come in the given time. The job goes on.
    #[error("no result after {after:?}{}", at(.worker))]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
        /// The worker that is at it, and whether that is stopped (SIGSTOP);
        /// `None`: it has not begun.
        worker: Option<(u32, bool)>,
    },
    /// A job does not come along into a child.
    #[error(
        "cannot wait for the job here: its pool belongs to the process that made it"
    )]
    NotOurs,
    /// The result was taken already.
    #[error("the result of the job was taken already")]
    Taken,
    /// `Serialize` and `Deserialize` of the argument do not agree.
    #[error("the job's argument cannot be read in the worker: {message}")]
    Unreadable {
        /// What the decoder says.
        message: String,
    },
    /// The value that the function returned cannot be sent, or not be read.
    #[error("the job's result cannot be sent: {message}")]
    Unsendable {
        /// What the codec says.
        message: String,
    },
    /// There is no worker left, and none can be started.
    #[error("the job was not run: the pool has no worker left: {message}")]
    NoWorker {
        /// Why not.
        message: String,
    },
}

fn at(worker: &Option<(u32, bool)>) -> String {
    match worker {
        None => ": the job waits for a worker".to_owned(),
        Some((pid, false)) => format!(": its worker (pid {pid}) is at it"),
        Some((pid, true)) => format!(
            ": its worker (pid {pid}) is stopped; SIGCONT lets it go on"
        ),
    }
}

/// Why a `map` has no results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The pool refused.
    #[error("cannot map")]
    Pool(#[from] PoolError),
    /// This item's job came to nothing, the first of those that did. All other
    /// jobs are done.
    #[error("item {index} of the map")]
    Job {
        /// The item's place, from 0.
        index: usize,
        /// What became of its job.
        source: JobError,
    },
}
