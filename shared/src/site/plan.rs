//! How a site is to behave.

use super::fault::Fault;
use std::collections::HashMap;
use std::time::Duration;

/// How a site is to behave: how long its answers take, which of them fail.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) latency: Duration,
    /// So many wait for each other, below this path.
    pub(super) meet: (String, u64),
    pub(super) retry_after: u64,
    /// By path: the fault, and how many requests it meets.
    pub(super) faults: HashMap<String, (Fault, u64)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

impl Plan {
    /// Answers at once, and nothing fails.
    #[must_use]
    pub fn new() -> Self {
        Self {
            latency: Duration::ZERO,
            meet: (String::new(), 0),
            retry_after: 1,
            faults: HashMap::new(),
        }
    }

    /// How long an answer takes, from the request to its first byte.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// The first answers wait until so many of them are in flight, whatever
    /// else keeps the machine from bringing them; at most 5 s after the first
    /// would have been answered. From then on nobody waits for others.
    #[must_use]
    pub fn meet(self, number: u64) -> Self {
        self.meet_below("", number)
    }

    /// The same of those whose path begins with `path`; no other one waits or
    /// is waited for.
    #[must_use]
    pub fn meet_below(self, path: &str, number: u64) -> Self {
        Self { meet: (path.to_owned(), number), ..self }
    }

    /// The seconds that an answer 429 tells in Retry-After; 1 unless said.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: seconds, ..self }
    }

    /// Answers to `path` (without what follows a `?`) have this fault.
    #[must_use]
    pub fn fault(self, path: &str, fault: Fault) -> Self {
        self.fault_times(path, fault, u64::MAX)
    }

    /// The first so many answers to `path` have this fault, the others none.
    #[must_use]
    pub fn fault_times(mut self, path: &str, fault: Fault, times: u64) -> Self {
        self.faults.insert(path.to_owned(), (fault, times));
        self
    }
}
