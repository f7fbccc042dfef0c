//! How many cores two threads really use.

use nix::time::ClockId;
use shared::Track;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const PIECES: usize = 200;

/// Two threads compute, which begin together. Returns how many cores they used:
/// how long both ran, divided by what it took.
pub fn both(tracks: &[Track; 2], compute: impl Fn(&Track) + Sync) -> f64 {
    let (start, compute) = (&Barrier::new(2), &compute);
    let began = Instant::now();
    let ran: Duration = thread::scope(|scope| {
        let threads = tracks.each_ref().map(|track| {
            scope.spawn(move || {
                start.wait();
                let before = core_time();
                compute(track);
                let ran = core_time() - before;
                track.record("ns on a core", ran.as_nanos() as u64);
                ran
            })
        });
        threads.map(|thread| thread.join().unwrap_or_default()).iter().sum()
    });
    ran.div_duration_f64(began.elapsed())
}

/// Computes in pieces. Of each in which it had a core all the time it records
/// that it ran.
pub fn in_pieces<T>(track: &Track, piece: impl Fn() -> T) {
    for _ in 0..PIECES {
        let (from, before) = (Instant::now(), core_time());
        piece();
        let (ran, to) = (core_time() - before, Instant::now());
        if ran.div_duration_f64(to - from) >= 0.95 {
            track.span_at("runs", from, to);
        }
    }
}

/// How long this thread has had a core.
fn core_time() -> Duration {
    let clock = ClockId::CLOCK_THREAD_CPUTIME_ID;
    clock.now().expect("every thread has this clock").into()
}
