//! So that no worker is left without a job.

use crate::PATIENCE;
use shared::process::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Workers of a pool that meet once, each at its first job.
pub struct Meeting {
    all_here: Barrier,
    /// After the fork each worker has one of its own; only the barrier is
    /// shared.
    first: AtomicBool,
}

impl Meeting {
    pub fn of(workers: usize) -> shared::Result<Self> {
        let all_here = Barrier::new(workers)?;
        Ok(Self { all_here, first: AtomicBool::new(true) })
    }

    /// At its first job a worker waits until each of the others has one.
    pub fn come(&self) -> shared::Result {
        if self.first.swap(false, Relaxed) {
            self.all_here.wait_timeout(PATIENCE)?;
        }
        Ok(())
    }
}
