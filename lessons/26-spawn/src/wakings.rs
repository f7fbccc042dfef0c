//! What the trace tells of those who slept.

use shared::trace::{Event, Trace};

/// Under this name each that wakes tells when it was due.
pub const DUE: &str = "due_ns";

fn wakings(trace: &Trace) -> impl Iterator<Item = (u64, &Event)> {
    let wakings = trace.events().iter().filter(|event| event.name == "wakes");
    wakings.filter_map(|event| Some((event.args.get(DUE)?.as_u64()?, event)))
}

/// The sleepers, in the order in which they were due.
pub fn in_order_of_time(trace: &Trace) -> Vec<&str> {
    let mut wakings: Vec<_> = wakings(trace).collect();
    wakings.sort_by_key(|(due, _)| *due);
    wakings.iter().map(|(_, event)| event.track.as_str()).collect()
}

/// How often somebody woke who was not due yet.
pub fn too_early(trace: &Trace) -> usize {
    wakings(trace).filter(|(due, event)| event.t_ns < *due).count()
}

/// How long all slept, from the first to the last, in lengths of what the one
/// slept that slept longest.
pub fn in_longest(trace: &Trace) -> f64 {
    let slept = |track| {
        let spans = trace.spans_named("sleeps");
        let mine = spans.filter(|span| span.track == track);
        mine.map(|span| span.end_ns - span.begin_ns).sum::<u64>()
    };
    let longest = (0..trace.tracks().len()).map(slept).max().unwrap_or(0);
    trace.extent("sleeps").as_nanos() as f64 / longest as f64
}
