//! Where many sleep, and somebody counts them.

use nix::unistd::gettid;
use shared::Track;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

pub struct Dormitory {
    track: Track,
    beds: usize,
    asleep: AtomicUsize,
    woken: AtomicUsize,
    /// The threads of the system that carried a sleeper so far.
    threads: Mutex<HashSet<i32>>,
}

impl Dormitory {
    pub fn new(track: Track, beds: usize) -> Self {
        let (asleep, woken) = Default::default();
        Self { track, beds, asleep, woken, threads: Mutex::default() }
    }

    pub fn falls_asleep(&self) {
        self.tell(self.asleep.fetch_add(1, Relaxed) + 1);
    }

    pub fn wakes(&self) {
        self.tell(self.asleep.fetch_sub(1, Relaxed) - 1);
        self.woken.fetch_add(1, Relaxed);
    }

    /// How many have woken so far.
    pub fn woken(&self) -> usize {
        self.woken.load(Relaxed)
    }

    /// Records about a hundred of the numbers, and each thread once.
    fn tell(&self, asleep: usize) {
        if asleep.is_multiple_of(self.beds / 100) {
            self.track.count("asleep", asleep);
        }
        let threads = self.threads.lock();
        let mut threads = threads.unwrap_or_else(PoisonError::into_inner);
        if threads.insert(gettid().as_raw()) {
            self.track.mark("another thread");
        }
    }
}
