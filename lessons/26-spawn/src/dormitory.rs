//! Where many sleep, and somebody counts them.

use crate::usage::Usage;
use nix::unistd::gettid;
use shared::{Stage, Track};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub struct Dormitory {
    pub main: Track,
    pub number: usize,
    curve: Track,
    asleep: AtomicUsize,
    woken: AtomicUsize,
    /// The threads of the system that carried a sleeper so far.
    threads: Mutex<HashSet<i32>>,
}

impl Dormitory {
    pub fn new(stage: &Stage, number: usize) -> Self {
        let main = stage.coroutine_track("main");
        let curve = format!("asleep, max. {number}");
        Self {
            main,
            number,
            curve: stage.coroutine_track(curve),
            asleep: AtomicUsize::new(0),
            woken: AtomicUsize::new(0),
            threads: Mutex::default(),
        }
    }

    pub fn falls_asleep(&self) {
        self.tell(self.asleep.fetch_add(1, Relaxed) + 1);
    }

    pub fn wakes(&self) {
        self.tell(self.asleep.fetch_sub(1, Relaxed) - 1);
        self.woken.fetch_add(1, Relaxed);
    }

    /// Records about a hundred of the numbers, and each thread once. One after
    /// the other: some wake in one thread while others fall asleep elsewhere.
    fn tell(&self, asleep: usize) {
        let threads = self.threads.lock();
        let mut threads = threads.unwrap_or_else(PoisonError::into_inner);
        if asleep.is_multiple_of(self.number / 100) {
            self.curve.count("asleep", asleep);
        }
        if threads.insert(gettid().as_raw()) {
            self.curve.mark("a new thread");
        }
    }
}

/// Measures how long all take, and what they take of the system.
pub struct Watch<'a> {
    beds: &'a Dormitory,
    before: Usage,
    start: Instant,
    /// How long it took to look what they need.
    looked: Duration,
}

impl<'a> Watch<'a> {
    pub fn begins(beds: &'a Dormitory) -> shared::Result<Self> {
        let (before, looked) = (Usage::now()?, Duration::ZERO);
        Ok(Self { beds, before, start: Instant::now(), looked })
    }

    pub fn all_are_spawned(&mut self) -> shared::Result {
        let start = Instant::now();
        let (now, main) = (Usage::now()?, &self.beds.main);
        let each = |more: f64| more / self.beds.number as f64;
        main.say("all are spawned");
        main.note("memory maps each", each(now.maps - self.before.maps));
        main.note("KiB of memory each", each(now.kib - self.before.kib));
        self.looked = start.elapsed();
        Ok(())
    }

    pub fn all_have_woken(self) -> shared::Result {
        let took = self.start.elapsed() - self.looked;
        let main = &self.beds.main;
        main.note("have woken", self.beds.woken.load(Relaxed));
        main.record("seconds", took.as_secs_f64());
        Ok(())
    }
}
