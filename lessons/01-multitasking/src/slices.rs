//! When a task really ran, found from the gaps in its own clock readings.

use crate::switch::Usage;
use nix::sched::sched_getcpu;
use std::time::{Duration, Instant};

/// A time slice: a stretch of time in which a task had a core.
pub struct Slice {
    /// The first clock reading in it.
    pub from: Instant,
    /// The last one.
    pub to: Instant,
    /// The number of the core.
    pub core: usize,
}

impl Slice {
    fn begin() -> nix::Result<Self> {
        let now = Instant::now();
        Ok(Self { from: now, to: now, core: sched_getcpu()? })
    }
}

/// Computes until it has run for `work`; the computing is to read the clock,
/// over and over. Whoever sees a gap between two readings did not run in
/// between: then a slice has ended and another begins, if the system has
/// counted a switch. If not, the core was at something in between (an
/// interrupt), but had no other task.
pub fn compute_for(work: Duration) -> nix::Result<Vec<Slice>> {
    let gap = shortest_gap()?;
    let (mut slices, mut ran) = (Vec::new(), Duration::ZERO);
    let mut switches = Usage::so_far()?.switches();
    let mut slice = Slice::begin()?;
    while ran < work {
        let now = Instant::now();
        if now - slice.to > gap && Usage::so_far()?.switches() != switches {
            slices.push(slice);
            // First the count, then the beginning: a switch between the two
            // is noticed later, but never lies within a slice.
            switches = Usage::so_far()?.switches();
            slice = Slice::begin()?;
        } else {
            ran += now - slice.to;
            slice.to = now;
        }
    }
    slices.push(slice);
    // Without length when it was interrupted as it began.
    slices.retain(|slice| slice.to > slice.from);
    Ok(slices)
}

/// What no switch to another task and back is quicker than: twice as long as
/// it takes here to ask the system for the time and for the switches. Each of
/// the two switches enters the system as well, and does more there.
fn shortest_gap() -> nix::Result<Duration> {
    let mut costs = [Duration::ZERO; 101];
    for cost in &mut costs {
        let begin = Instant::now();
        Usage::so_far()?;
        *cost = begin.elapsed();
    }
    costs.sort_unstable();
    Ok(2 * costs[costs.len() / 2])
}

/// Half of the computing was done in slices of this length or longer ones. (Of
/// the slices themselves, many can be mere slivers.)
pub fn typical(slices: &[Slice]) -> Duration {
    let lengths = slices.iter().map(|slice| slice.to - slice.from);
    let mut lengths: Vec<Duration> = lengths.collect();
    lengths.sort_unstable();
    let half = lengths.iter().sum::<Duration>() / 2;
    let mut done = Duration::ZERO;
    let typical = lengths.into_iter().find(|length| {
        done += *length;
        done >= half
    });
    typical.unwrap_or_default()
}
