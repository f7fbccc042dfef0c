//! How many requests are in flight: sent, and not answered yet.

use shared::trace::{Phase, Trace};
use shared::{Stage, Track};
use std::sync::{Mutex, PoisonError};

const NAME: &str = "in flight";

/// Draws their number as a curve.
pub struct InFlight {
    track: Track,
    number: Mutex<usize>,
}

impl InFlight {
    pub fn new(stage: &Stage) -> Self {
        Self { track: stage.track(NAME), number: Mutex::new(0) }
    }

    /// One more while `body` runs.
    pub fn during<R>(&self, body: impl FnOnce() -> R) -> R {
        self.change(|number| number + 1);
        let result = body();
        self.change(|number| number - 1);
        result
    }

    fn change(&self, to: impl FnOnce(usize) -> usize) {
        // Recorded under the lock: a curve has its points in order.
        let number = self.number.lock();
        let mut number = number.unwrap_or_else(PoisonError::into_inner);
        *number = to(*number);
        self.track.count(NAME, *number);
    }
}

/// The highest point of the curve.
pub fn most(trace: &Trace) -> usize {
    let points = trace.events().iter();
    let points =
        points.filter(|event| event.ph == Phase::Counter && event.name == NAME);
    let numbers = points.filter_map(|event| event.value()?.as_u64());
    numbers.max().unwrap_or(0) as usize
}
