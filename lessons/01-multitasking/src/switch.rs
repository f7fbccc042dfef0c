//! How often tasks are switched, and what a switch costs.

use crate::LONG;
use crate::cores::{cores, keep_to};
use crate::slices::compute_for;
use crate::tasks::run;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use shared::lesson::at_least;
use shared::process::Process;
use shared::{Stage, Track};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a process has had of its core so far (getrusage(2)).
pub struct Usage {
    /// How long it ran.
    pub ran: Duration,
    /// How often it gave its core up, to wait for something.
    pub given_up: i64,
    /// How often its core was taken away from it.
    pub taken: i64,
}

impl Usage {
    /// That of this process.
    pub fn so_far() -> nix::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let time = usage.user_time() + usage.system_time();
        Ok(Self {
            ran: Duration::from_micros(time.num_microseconds() as u64),
            given_up: usage.voluntary_context_switches(),
            taken: usage.involuntary_context_switches(),
        })
    }

    /// How often another task had its core next.
    pub fn switches(&self) -> i64 {
        self.given_up + self.taken
    }
}

/// Two compute, one naps ten times, all on one core. Who gives the core up,
/// and from whom is it taken?
///
/// - [ ] all three give it up when their slice is over
/// - [ ] it is taken from all three, whatever they do
/// - [x] carl gives it up; from anna and ben it is mostly taken
pub fn given_or_taken(stage: &Stage) -> shared::Result {
    let Some([core]) = cores(stage) else { return Ok(()) };
    run(
        stage,
        LONG,
        [
            ("anna", &[core], busy),
            ("ben", &[core], busy),
            ("carl", &[core], sleepy),
        ],
    )?;
    let trace = stage.trace()?;
    let given_up: i64 = trace.noted("carl", "gave the core up")?;
    stage.claim("carl gave the core up at each nap", given_up, at_least(NAPS));
    for name in ["anna", "ben"] {
        let given_up: i64 = trace.noted(name, "gave the core up")?;
        let taken: i64 = trace.noted(name, "had it taken away")?;
        let claim = format!("{name}: taken away more often than given up");
        stage.claim(&claim, taken, at_least(given_up + 1));
    }
    Ok(())
}

const NAPS: i64 = 10;

fn busy(task: &Track, time: Duration) -> shared::Result {
    for slice in counted(task, || Ok(compute_for(time)?))? {
        task.span_at("runs", slice.from, slice.to);
    }
    Ok(())
}

fn sleepy(task: &Track, time: Duration) -> shared::Result {
    counted(task, || {
        for _ in 0..NAPS {
            task.span("sleeps", || sleep(time / 20));
        }
        Ok(())
    })
}

fn counted<T>(
    task: &Track,
    work: impl FnOnce() -> shared::Result<T>,
) -> shared::Result<T> {
    let before = Usage::so_far()?;
    let done = work()?;
    let after = Usage::so_far()?;
    task.note("gave the core up", after.given_up - before.given_up);
    task.note("had it taken away", after.taken - before.taken);
    Ok(done)
}

/// Two processes on one core hand a byte to and fro. What does a switch cost?
pub fn price(stage: &Stage) -> shared::Result {
    const ROUNDS: u32 = 2_000;
    let Some([core]) = cores(stage) else { return Ok(()) };
    let (mut anna, mut ben) = UnixStream::pair()?;
    let answers = Process::spawn(move || {
        keep_to(&[core])?;
        let (mut byte, mut received) = ([0], 0);
        for _ in 0..ROUNDS {
            ben.read_exact(&mut byte)?;
            received += u32::from(byte[0]);
            ben.write_all(&[1])?;
        }
        shared::Result::Ok(received)
    })?;
    let asks = Process::spawn(move || {
        keep_to(&[core])?;
        let (mut byte, mut received) = ([0], 0);
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            anna.write_all(&[1])?;
            anna.read_exact(&mut byte)?;
            received += u32::from(byte[0]);
        }
        shared::Result::Ok((begin.elapsed().as_secs_f64(), received))
    })?;
    let (seconds, received) = asks.join()?;
    // Each byte that came, a one, was a switch.
    let switches = received + answers.join()?;
    stage.figure_of(switches, "switch", seconds / f64::from(2 * ROUNDS))
}
