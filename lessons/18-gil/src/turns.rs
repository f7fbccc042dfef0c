//! How long threads keep the lock.

use shared::trace::{Span, Trace};
use std::time::Duration;

/// The lengths of all turns that ended because somebody asked: of all but the
/// last one of each thread, which ends with its program.
pub fn asked_back(trace: &Trace) -> Vec<Duration> {
    let turns: Vec<&Span> = trace.spans_named("runs").collect();
    let last = |turn: &Span| turns.iter().rfind(|it| it.track == turn.track);
    let asked = turns.iter().filter(|turn| last(turn) != Some(turn));
    let lengths = asked.map(|turn| turn.end_ns - turn.begin_ns);
    lengths.map(Duration::from_nanos).collect()
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
