//! Looking for a while before sleeping.

use std::hint;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// The least pauses to spend, about 1 µs.
const LEAST: u32 = 32;

/// The most pauses to spend, about 30 µs: more than a sleeping process takes
/// to wake up and answer, so that two that sleep in turns find out that they
/// need not.
const MOST: u32 = 1024;

/// The most pauses between two looks: each look takes the cache line away
/// from whoever is about to change it.
const BETWEEN: u32 = 16;

/// How many times in a row to give up early before looking long again.
const GIVE_UPS: u32 = 64;

/// Looking never takes so long while nobody else wants the core.
const LONGEST: Duration = Duration::from_micros(200);

/// How long looking before sleeping has paid off of late.
///
/// It pays off where the other side runs on another core, and not where it
/// waits for this core. In private memory: each process learns for itself.
#[derive(Debug)]
pub(crate) struct Spin {
    pauses: AtomicU32,
    give_ups: AtomicU32,
    /// How many times more not to give the core away.
    crowded: AtomicU32,
}

impl Spin {
    pub const fn new() -> Self {
        Self {
            pauses: AtomicU32::new(MOST),
            give_ups: AtomicU32::new(0),
            crowded: AtomicU32::new(0),
        }
    }

    /// As [`until`](Self::until), but between two looks lets the other side
    /// run, if it waits for this core.
    ///
    /// Where others want the core as well, they have it for some milliseconds
    /// then. Sleeping costs less there, so that is what is done for a while.
    pub fn until_yielding(&self, ready: impl Fn() -> bool) -> bool {
        let crowded = self.crowded.load(Relaxed);
        if crowded > 0 {
            self.crowded.store(crowded - 1, Relaxed);
            return ready();
        }
        let start = Instant::now();
        self.until(|| {
            if ready() {
                return true;
            }
            if self.crowded.load(Relaxed) == 0 {
                thread::yield_now();
                if start.elapsed() > LONGEST {
                    self.crowded.store(GIVE_UPS, Relaxed);
                }
            }
            false
        })
    }

    /// Looks until it is `ready`; false if it was not for a while.
    pub fn until(&self, ready: impl Fn() -> bool) -> bool {
        let budget = self.pauses.load(Relaxed);
        let mut spent = 0;
        let mut between = 1;
        while spent < budget {
            if ready() {
                self.pauses.store((budget * 2).min(MOST), Relaxed);
                return true;
            }
            for _ in 0..between {
                hint::spin_loop();
            }
            spent += between;
            between = (between * 2).min(BETWEEN);
        }
        self.learn_from_failure(budget);
        false
    }

    #[cold]
    fn learn_from_failure(&self, budget: u32) {
        let give_ups = self.give_ups.load(Relaxed) + 1;
        let look_long = give_ups == GIVE_UPS;
        self.give_ups.store(if look_long { 0 } else { give_ups }, Relaxed);
        let next = if look_long { MOST } else { (budget / 2).max(LEAST) };
        self.pauses.store(next, Relaxed);
    }
}
