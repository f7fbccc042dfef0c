//! What a site counts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fault::Fault;

/// What was asked for, and how much of it at once.
#[derive(Default)]
pub(super) struct Stats {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    in_flight: u64,
    in_flight_peak: u64,
    /// By status; those without one have the name of their fault.
    answers: BTreeMap<String, u64>,
    /// What a robot was asked not to fetch, and did.
    disallowed: u64,
    /// How often a fault was met, by path.
    met: BTreeMap<String, u64>,
}

/// A request that is being answered.
pub(super) struct InFlight<'a>(&'a Stats);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.counts().in_flight -= 1;
    }
}

impl Stats {
    pub fn request(&self, disallowed: bool) -> InFlight<'_> {
        let mut counts = self.counts();
        counts.requests += 1;
        counts.disallowed += u64::from(disallowed);
        counts.in_flight += 1;
        counts.in_flight_peak = counts.in_flight_peak.max(counts.in_flight);
        InFlight(self)
    }

    pub fn answer(&self, what: &str) {
        *self.counts().answers.entry(what.to_owned()).or_default() += 1;
    }

    /// The fault, if it was met by less than so many before.
    pub fn meets(
        &self,
        path: &str,
        (fault, times): (Fault, u64),
    ) -> Option<Fault> {
        let mut counts = self.counts();
        let met = counts.met.entry(path.to_owned()).or_default();
        *met += 1;
        (*met <= times).then_some(fault)
    }

    pub fn json(&self) -> serde_json::Value {
        let counts = self.counts();
        serde_json::json!({
            "requests": counts.requests,
            "in_flight_peak": counts.in_flight_peak,
            "answers": counts.answers,
            "disallowed": counts.disallowed,
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
