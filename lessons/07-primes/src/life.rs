//! What a process spends its life on.

use crate::prime;
use shared::Stage;
use shared::lesson::at_least;
use shared::process::Process;
use shared::trace::Trace;
use std::time::Instant;

/// Ten numbers, a process for each. How much of its life does it work?
///
/// - [x] less than a quarter
/// - [ ] about half: the rest is start and end
/// - [ ] nearly all: it is started for nothing else
pub fn life_of_a_process(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    for n in 990..1000 {
        let looks = || {
            let begin = Instant::now();
            let found = prime(n);
            child.span_at("works", begin, Instant::now());
            found
        };
        let process = parent.span("starts it", || Process::spawn(looks))?;
        parent.span("waits", || process.join())?;
    }
    let trace = stage.trace()?;
    let life = median(&trace, "starts it") + median(&trace, "waits");
    let times = life / median(&trace, "works");
    stage.claim(
        "it lives so many times longer than it works",
        times,
        at_least(4.0),
    );
    Ok(())
}

/// How long the spans called `name` are: the middle one, in seconds.
fn median(trace: &Trace, name: &str) -> f64 {
    let spans = trace.spans_named(name);
    let lengths = spans.map(|span| span.end_ns - span.begin_ns);
    let mut lengths: Vec<u64> = lengths.collect();
    lengths.sort_unstable();
    lengths[lengths.len() / 2].max(1) as f64 / 1e9
}
