//! A place where requests wait for each other.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest that one of them waits for the others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Requests that wait for each other until enough have come, or until one has
/// waited in vain; then it is over for all.
pub(super) struct Meeting {
    expected: u64,
    /// How many are in flight of those that meet here.
    here: AtomicU64,
    /// Closed when it is over.
    door: Semaphore,
}

/// One that meets others, until it is answered.
pub(super) struct Attendant<'a>(&'a Meeting);

impl Drop for Attendant<'_> {
    fn drop(&mut self) {
        self.0.here.fetch_sub(1, Relaxed);
    }
}

impl Meeting {
    pub fn new(expected: u64) -> Self {
        let (here, door) = (AtomicU64::new(0), Semaphore::new(0));
        Self { expected, here, door }
    }

    /// One has come.
    pub fn attend(&self) -> Attendant<'_> {
        if self.here.fetch_add(1, Relaxed) + 1 >= self.expected {
            self.door.close();
        }
        Attendant(self)
    }
}

impl Attendant<'_> {
    /// Waits for the others.
    pub async fn wait(&self) {
        // Nobody ever gets a permit: it ends when the door is closed.
        let _ = timeout(PATIENCE, self.0.door.acquire()).await;
        self.0.door.close();
    }
}
