//! A semaphore, built from a mutex and a condition variable.

use anyhow::{Result, ensure};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A number of permits. Whoever takes the last one makes others wait.
pub struct Semaphore {
    free: Mutex<usize>,
    returned: Condvar,
    /// How many permits there are at most; the plain kind does not ask.
    bound: Option<usize>,
}

impl Semaphore {
    pub fn new(permits: usize, bound: Option<usize>) -> Self {
        Self { free: Mutex::new(permits), returned: Condvar::new(), bound }
    }

    pub fn acquire(&self) {
        let free = self.free();
        let free = self.returned.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    pub fn release(&self) -> Result<()> {
        let mut free = self.free();
        ensure!(self.bound != Some(*free), "released without acquiring");
        *free += 1;
        self.returned.notify_one();
        Ok(())
    }

    /// A number is never half changed, even if its last user panicked.
    pub fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
