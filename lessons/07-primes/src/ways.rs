//! What the ways are measured and compared by.

use shared::Stage;
use shared::lesson::Progress;
use std::time::Instant;

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
        let sum: u64 = found.iter().copied().map(u64::from).sum();
        Ok(format!("{} primes, in sum {sum}", found.len()))
    })?;
    // Into the trace alone: these are too many to be said.
    stage.track(name).record("found", found.as_slice());
    Ok(Way { name: name.to_owned(), numbers: count, found, seconds })
}

/// The same, with no bar to be drawn beside those of other numbers.
pub fn untold<I: ExactSizeIterator>(
    name: &str,
    numbers: I,
    way: impl FnOnce(I) -> shared::Result<Vec<u32>>,
) -> shared::Result<Way> {
    let (count, start) = (numbers.len(), Instant::now());
    let found = way(numbers)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(Way { name: name.to_owned(), numbers: count, found, seconds })
}

impl Way {
    /// What it would take for so many numbers: worked out, not run.
    pub fn for_numbers(&self, name: &str, numbers: u32) -> Self {
        let seconds = self.seconds / self.numbers as f64 * f64::from(numbers);
        let numbers = numbers as usize;
        Self { name: name.to_owned(), numbers, found: Vec::new(), seconds }
    }
}

/// The numbers below a limit; a hundred at a time the bar is told of them.
pub fn below(
    limit: u32,
    progress: &Progress,
) -> impl ExactSizeIterator<Item = u32> {
    (2..limit).inspect(|n| {
        if n % 100 == 0 {
            progress.advance(100);
        }
    })
}

/// Whether all ways found what the first one did.
pub fn same(ways: &[Way]) -> bool {
    ways.iter().all(|way| way.found == ways[0].found)
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
    stage.table(["way", "numbers", "ms", "us each"], rows);
}
