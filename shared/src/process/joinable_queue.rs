//! A queue that knows when its work is done.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::deadline::Deadline;
use super::queue::{Iter, Queue, QueueError};

/// A [`Queue`] whose items are work: [`join`](JoinableQueue::join) waits until
/// each was reported done (Python's `multiprocessing.JoinableQueue`).
///
/// It has all methods of [`Queue`].
///
/// A process that dies after it got an item and before it said
/// [`task_done`](JoinableQueue::task_done) leaves that item unfinished for
/// ever, as in Python. Where workers may die, wait with
/// [`join_timeout`](JoinableQueue::join_timeout), and say `task_done` for an
/// item that is known to be lost.
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::{JoinableQueue, Process};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pages = JoinableQueue::bounded(16)?;
/// let reader = Process::spawn(|| {
///     for page in &pages {
///         let _: u32 = page; // … read it
///         pages.task_done().expect("one for each page");
///     }
/// })?;
/// for page in 1..=3_u32 {
///     pages.put(&page)?;
/// }
/// pages.join(); // all three were read
/// pages.close();
/// reader.join()?;
/// # Ok(())
/// # }
/// ```
pub struct JoinableQueue<T> {
    queue: Queue<T>,
}

impl<T> JoinableQueue<T> {
    /// Makes a queue like [`Queue::bounded`].
    ///
    /// # Errors
    ///
    /// Those of [`Queue::bounded`].
    pub fn bounded(capacity: usize) -> Result<Self, QueueError> {
        let queue = Queue::bounded(capacity)?;
        Ok(Self { queue })
    }

    /// Makes a queue like [`Queue::with_bytes`].
    ///
    /// # Errors
    ///
    /// Those of [`Queue::with_bytes`].
    pub fn with_bytes(
        capacity: usize,
        bytes: usize,
    ) -> Result<Self, QueueError> {
        let queue = Queue::with_bytes(capacity, bytes)?;
        Ok(Self { queue })
    }

    /// Reports one item that was got as done.
    ///
    /// # Errors
    ///
    /// [`QueueError::TaskDone`] when it was said for each item already.
    pub fn task_done(&self) -> Result<(), QueueError> {
        if self.queue.mark_done() { Ok(()) } else { Err(QueueError::TaskDone) }
    }

    /// Waits until every item that was put was reported done.
    pub fn join(&self) {
        self.queue.wait_until_done(Deadline::Never);
    }

    /// Waits for that, at most for `timeout`; whether all was done.
    #[must_use = "tells whether all was done or the time was over"]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.queue.wait_until_done(Deadline::after(timeout))
    }

    /// How many items were put and not yet reported done.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.queue.unfinished()
    }
}

impl<T> Deref for JoinableQueue<T> {
    type Target = Queue<T>;

    fn deref(&self) -> &Queue<T> {
        &self.queue
    }
}

impl<'a, T: DeserializeOwned> IntoIterator for &'a JoinableQueue<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.queue.iter()
    }
}

impl<T> fmt::Debug for JoinableQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinableQueue")
            .field("queue", &self.queue)
            .field("unfinished", &self.unfinished())
            .finish()
    }
}
