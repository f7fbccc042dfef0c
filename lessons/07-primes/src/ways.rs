//! What the ways are measured and compared by.

use shared::{Stage, Track, trace};

/// What came of a way to find primes.
pub struct Way {
    pub name: String,
    /// How many numbers were looked at.
    pub numbers: usize,
    pub found: Vec<u32>,
    pub seconds: f64,
}

/// Finds primes in a way, and measures how long that takes.
pub fn timed<I: ExactSizeIterator>(
    stage: &Stage,
    name: &str,
    numbers: I,
    way: impl FnOnce(I) -> shared::Result<Vec<u32>>,
) -> shared::Result<Way> {
    let (count, mut found) = (numbers.len(), Vec::new());
    let seconds = stage.measure(name, 1, || {
        found = way(numbers)?;
        Ok(())
    })?;
    // Into the trace alone: these are too many to be said.
    let track: &Track = &stage.track(name);
    trace::Track::note(track, "found", found.as_slice());
    Ok(Way { name: name.to_owned(), numbers: count, found, seconds })
}

/// How many ways found what the first one did, itself included.
pub fn same(ways: &[Way]) -> usize {
    ways.iter().filter(|way| way.found == ways[0].found).count()
}

/// The ways under each other.
pub fn table<'a>(stage: &Stage, ways: impl IntoIterator<Item = &'a Way>) {
    let rows = ways.into_iter().map(|way| {
        let each = way.seconds / way.numbers as f64;
        [
            way.name.clone(),
            way.numbers.to_string(),
            format!("{:.1}", way.seconds * 1e3),
            format!("{:.1}", each * 1e6),
        ]
    });
    stage.table(["way", "numbers", "ms", "us a number"], rows);
}
