//! Something that has happened, or has not yet.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Acquire, Ordering::SeqCst};
use std::time::Duration;

use super::deadline::Deadline;
use super::sys::futex;
use super::sys::mapping::{Mapping, SharedMemoryError};

/// A flag that processes wait for (Python's `multiprocessing.Event`).
///
/// [`set`](Event::set) lets everyone through who waits and whoever comes
/// later, until [`clear`](Event::clear). Who waited when it was set gets
/// through even if it is cleared before it could run.
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::{Event, Process};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let go = Event::new()?;
/// let runner = Process::spawn(|| go.wait())?;
/// go.set();
/// runner.join()?;
/// # Ok(())
/// # }
/// ```
pub struct Event {
    /// How often the event was set and cleared: odd when it is set. A waiter
    /// goes when this is another number than the even one it saw.
    changes: Mapping<AtomicU32>,
}

impl Event {
    /// Makes an event that is not set.
    ///
    /// # Errors
    ///
    /// [`EventError::Memory`] when the shared memory cannot be had.
    pub fn new() -> Result<Self, EventError> {
        Ok(Self { changes: Mapping::new(0)? })
    }

    /// Sets the event and wakes all who wait. Harmless when it is set.
    pub fn set(&self) {
        if !is_odd(self.changes.fetch_or(1, SeqCst)) {
            futex::wake_all(&self.changes);
        }
    }

    /// Takes it back, so that [`wait`](Event::wait) waits again. Harmless when
    /// it is not set.
    pub fn clear(&self) {
        let even =
            |changes: u32| is_odd(changes).then(|| changes.wrapping_add(1));
        // Err says that it was not set.
        let _ = self.changes.fetch_update(SeqCst, SeqCst, even);
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        is_odd(self.changes.load(Acquire))
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        self.wait_until(Deadline::Never);
    }

    /// Waits until it is set, at most for `timeout`; whether it was set.
    #[must_use = "tells whether the event was set or the time was over"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(Deadline::after(timeout))
    }

    fn wait_until(&self, deadline: Deadline) -> bool {
        let seen = self.changes.load(Acquire);
        let mut changes = seen;
        while !is_odd(changes) && changes == seen {
            match deadline.nap() {
                Some(nap) => futex::wait(&self.changes, seen, nap),
                None => return false,
            }
            changes = self.changes.load(Acquire);
        }
        true
    }
}

fn is_odd(changes: u32) -> bool {
    changes & 1 == 1
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("is_set", &self.is_set()).finish()
    }
}

/// Why an [`Event`] could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The shared memory could not be had.
    #[error("cannot make an event")]
    Memory(#[from] SharedMemoryError),
}
