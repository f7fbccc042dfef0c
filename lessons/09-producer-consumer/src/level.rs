//! How full the buffer is, and how full it was.

use shared::Track;
use shared::process::Queue;
use shared::trace::{Phase, Trace};

/// Draws how many items are in the buffer at this moment.
pub fn look(buffer: &Queue<u32>, curve: &Track) {
    curve.count("items", buffer.len());
    curve.pause(0.05);
}

/// How long the producer took, as a multiple of what its making took.
pub fn times(trace: &Trace) -> f64 {
    let took = trace.covered(&["makes", "puts"]);
    took.div_duration_f64(trace.total("makes"))
}

/// How many items were in the buffer at most, by the order of the trace.
///
/// Two processes cannot put or get and write it down in one go. So a put
/// counts when it has returned, a get already when it is called: what counts
/// as put and not as got *is* in the buffer at that moment. This may count one
/// too few for a moment, and never one too many.
pub fn most(trace: &Trace) -> usize {
    let (mut put, mut got) = (0, 0_usize);
    let levels = trace.events().iter().map(|event| {
        match (event.name.as_str(), event.ph) {
            ("puts", Phase::End) => put += 1,
            ("waits", Phase::Begin) => got += 1,
            _ => {}
        }
        // The consumer may call before there is anything to get.
        usize::saturating_sub(put, got)
    });
    levels.max().unwrap_or(0)
}
