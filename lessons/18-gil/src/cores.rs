//! How many cores two threads really use.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::ClockId;
use nix::unistd::Pid;
use shared::trace::{Span, Trace};
use shared::{Stage, Track};
use std::panic::resume_unwind;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// In sched_setaffinity(2) and its like, the thread that calls.
const MYSELF: Pid = Pid::from_raw(0);

/// As much as one product up to 30000 takes.
const PIECES: usize = 120;

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

/// Two threads compute, each on a core of its own and in pieces. While one of
/// them runs, other programs may have the core of the other: then all once
/// more, up to 20 times, and in the same picture.
pub fn in_pieces(
    stage: &Stage,
    [one, other]: [usize; 2],
    piece: impl Fn(&Track) + Sync,
) -> shared::Result {
    let tracks = crate::two_tracks(stage);
    for _ in 0..20 {
        both(&tracks, |track| {
            keep_to(if track.name() == "anna" { one } else { other });
            (0..PIECES).for_each(|_| run_piece(track, &piece));
        });
        if cores_used(&stage.trace()?) >= 1.5 {
            break;
        }
    }
    Ok(())
}

/// From now on this thread runs on this core and no other: on a busy machine
/// the system may leave two threads on one core for long.
fn keep_to(core: usize) {
    let mut set = CpuSet::new();
    // Where one may not choose, the system's own choice has to do.
    let _ = set.set(core).and_then(|()| sched_setaffinity(MYSELF, &set));
}

/// Computes a piece. If it had a core all the time, it is recorded that it ran.
fn run_piece(track: &Track, piece: impl Fn(&Track)) {
    let (from, before) = (Instant::now(), core_time());
    piece(track);
    let (ran, to) = (core_time() - before, Instant::now());
    if ran.div_duration_f64(to - from) >= 0.95 {
        track.span_at("runs", from, to);
    }
}

/// How many cores were used at most, while a thread ran for once: one, and for
/// which part of that time another ran too.
pub fn cores_used(trace: &Trace) -> f64 {
    let runs: Vec<&Span> = trace.spans_named("runs").collect();
    let common = |one: &Span, other: &Span| {
        let end = one.end_ns.min(other.end_ns);
        end.saturating_sub(one.begin_ns.max(other.begin_ns))
    };
    let used = runs.iter().map(|one| {
        let ran: u64 = runs.iter().map(|other| common(one, other)).sum();
        ran as f64 / (one.end_ns - one.begin_ns) as f64
    });
    used.fold(0.0, f64::max)
}

/// How long this thread has had a core.
fn core_time() -> Duration {
    let clock = ClockId::CLOCK_THREAD_CPUTIME_ID;
    clock.now().expect("every thread has this clock").into()
}
