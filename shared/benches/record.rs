//! What recording costs the one who records.

use divan::Bencher;
use shared::trace::Recorder;

fn main() {
    divan::main();
}

/// An instant with a value: one line, one `write`.
#[divan::bench]
fn note(bencher: Bencher) {
    let recorder = Recorder::in_memory().expect("there is memory");
    let track = recorder.track("guest 1");
    bencher.bench_local(|| track.note("money", 100));
}

/// A span: two events.
#[divan::bench]
fn span(bencher: Bencher) {
    let recorder = Recorder::in_memory().expect("there is memory");
    let track = recorder.track("guest 1");
    bencher.bench_local(|| track.span("inside", || ()));
}

/// Where a step measures, nothing is recorded.
#[divan::bench]
fn muted(bencher: Bencher) {
    let recorder = Recorder::in_memory().expect("there is memory");
    let track = recorder.track("guest 1");
    recorder.muted(|| bencher.bench_local(|| track.mark("inside")));
}
