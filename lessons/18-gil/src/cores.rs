//! How many cores two threads really use.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::ClockId;
use nix::unistd::Pid;
use shared::Track;
use std::panic::resume_unwind;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// In sched_setaffinity(2) and its like, the thread that calls.
const MYSELF: Pid = Pid::from_raw(0);

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
        let ran = threads.map(|thread| thread.join());
        ran.into_iter()
            .map(|ran| ran.unwrap_or_else(|it| resume_unwind(it)))
            .sum()
    });
    ran.div_duration_f64(began.elapsed())
}

/// Two of the cores that this program may use, if there are two.
pub fn two_cores() -> shared::Result<Option<[usize; 2]>> {
    let set = sched_getaffinity(MYSELF)?;
    let all = 0..CpuSet::count();
    let mut cores = all.filter(|&core| set.is_set(core) == Ok(true));
    Ok(cores.next().zip(cores.next()).map(|(one, other)| [one, other]))
}

/// From now on this thread runs on this core and no other: on a busy machine
/// the system may leave two threads on one core for long.
pub fn keep_to(core: usize) {
    let mut set = CpuSet::new();
    // Where one may not choose, the system's own choice has to do.
    let _ = set.set(core).and_then(|()| sched_setaffinity(MYSELF, &set));
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
