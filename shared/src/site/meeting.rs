//! A place where requests wait for each other.

use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// The longest that one of them waits for the others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Requests that wait for each other until enough have come, or until one has
/// waited in vain; then it is over for all.
pub(super) struct Meeting {
    expected: u64,
    /// Closed when it is over.
    door: Semaphore,
}

impl Meeting {
    pub fn new(expected: u64) -> Self {
        Self { expected, door: Semaphore::new(0) }
    }

    /// So many are in flight now.
    pub fn count(&self, in_flight: u64) {
        if in_flight >= self.expected {
            self.door.close();
        }
    }

    pub async fn attend(&self) {
        // Nobody ever gets a permit: it ends when the door is closed.
        let _ = timeout(PATIENCE, self.door.acquire()).await;
        self.door.close();
    }
}
