//! More workers for the same work.

use crate::curve::{Curve, Kind};
use crate::family::{Family, View};
use crate::reading::{Reading, ends_with_parent};
use crate::unit::{Unit, count};
use anyhow::{Result, ensure};
use nix::libc;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use shared::process::Pool;
use std::io::{Read, Write, pipe};
use std::sync::LazyLock;
use std::thread;
use std::time::Instant;

const POINTS: &[u64] = &[1, 2, 4, 8, 16, 32, 64];
const FEW: &[u64] = &[1, 4];

/// What is to be done: so many jobs, each of which comes to a number.
struct Work {
    jobs: u64,
    job: fn(u64) -> u64,
    /// So many jobs may travel together.
    chunk: Option<usize>,
}

const SQUARES: Work = Work { jobs: 20_000, job: |n| n * n, chunk: None };
const PRIMES: Work = Work { jobs: 256, job: primes_of_job, chunk: Some(1) };
/// The primes below this are counted.
const BELOW: u64 = 150_000;

/// What the jobs come to, computed before anything is measured.
static SUM_OF_SQUARES: LazyLock<u64> = LazyLock::new(|| all(&SQUARES));
static SUM_OF_PRIMES: LazyLock<u64> = LazyLock::new(|| all(&PRIMES));

fn all(work: &Work) -> u64 {
    (0..work.jobs).map(work.job).sum()
}

/// How many primes are among every 256th number, from `job` on.
fn primes_of_job(job: u64) -> u64 {
    let numbers = (job..BELOW).step_by(PRIMES.jobs as usize);
    numbers.filter(|&n| is_prime(n as u32)).count() as u64
}

/// By trial, so that there is something to compute.
fn is_prime(n: u32) -> bool {
    let divisors = (2..).take_while(|divisor| divisor * divisor <= n);
    n >= 2 && divisors.into_iter().all(|divisor| !n.is_multiple_of(divisor))
}

pub fn squares() -> Family {
    let work: fn(u64) -> u64 = |_| *SUM_OF_SQUARES;
    Family {
        name: "tasks",
        counted: "workers",
        about: format!(
            "{} small tasks (the square of a number) by more and more \
             workers: from their start until all results are there and all \
             workers have ended. Plain fork is the limit: who forks gives \
             each child its share at once, and reads one sum from each.",
            count(SQUARES.jobs)
        ),
        points: POINTS,
        few: FEW,
        views: vec![View {
            name: "tasks",
            title: "Small tasks by more workers",
            axis: "time for 20 000 tasks",
            unit: Unit::Seconds,
            bound: None,
        }],
        curves: vec![
            Curve::new("Pool::map", Kind::Ours, |n| pool(&SQUARES, n), work),
            Curve::new("Pool::submit", Kind::Ours, single, work),
            Curve::new("threads", Kind::Other, |n| threads(&SQUARES, n), work),
            Curve::new("plain fork", Kind::Limit, |n| forks(&SQUARES, n), work),
            Curve::python("Python Pool", "squares", &[SQUARES.jobs], work),
        ],
    }
}

pub fn primes() -> Family {
    let work: fn(u64) -> u64 = |_| *SUM_OF_PRIMES;
    Family {
        name: "computing",
        counted: "workers",
        about: format!(
            "One computing job, the primes below {} by trial division, in \
             {} parts, by more and more workers: from their start until all \
             have ended. More workers than cores can only cost. Plain fork is \
             the limit: each child has its share from the beginning.",
            count(BELOW),
            PRIMES.jobs
        ),
        points: POINTS,
        few: FEW,
        views: vec![View {
            name: "computing",
            title: "A computing job by more workers",
            axis: "time for the job",
            unit: Unit::Seconds,
            bound: None,
        }],
        curves: vec![
            Curve::new("Pool::map", Kind::Ours, |n| pool(&PRIMES, n), work),
            Curve::new("threads", Kind::Other, |n| threads(&PRIMES, n), work),
            Curve::new("plain fork", Kind::Limit, |n| forks(&PRIMES, n), work),
            Curve::python("Python Pool", "primes", &[PRIMES.jobs, BELOW], work),
        ],
    }
}

fn pool(work: &Work, workers: u64) -> Result<Reading> {
    let began = Instant::now();
    let pool = Pool::new(workers as usize, work.job)?;
    let results = match work.chunk {
        None => pool.map(0..work.jobs)?,
        Some(chunk) => pool.map_chunked(0..work.jobs, chunk)?,
    };
    pool.close();
    pool.join()?;
    let took = began.elapsed().as_secs_f64();
    Ok(Reading::new(took, results.into_iter().sum()))
}

fn single(workers: u64) -> Result<Reading> {
    let began = Instant::now();
    let pool = Pool::new(workers as usize, SQUARES.job)?;
    let jobs = (0..SQUARES.jobs).map(|n| pool.submit(n));
    let jobs = jobs.collect::<Result<Vec<_>, _>>()?;
    let results = jobs.into_iter().map(|job| job.get());
    let sum = results.sum::<Result<u64, _>>()?;
    pool.close();
    pool.join()?;
    Ok(Reading::new(began.elapsed().as_secs_f64(), sum))
}

/// Threads that take jobs out of a channel, one by one, and put results into
/// another.
fn threads(work: &Work, workers: u64) -> Result<Reading> {
    let began = Instant::now();
    let (put, jobs) = crossbeam_channel::bounded(1024);
    let (answer, results) = crossbeam_channel::unbounded();
    let sum = thread::scope(|scope| {
        for _ in 0..workers {
            let (jobs, answer) = (jobs.clone(), answer.clone());
            scope.spawn(move || {
                jobs.iter().try_for_each(|n| answer.send((work.job)(n)))
            });
        }
        drop((jobs, answer));
        (0..work.jobs).try_for_each(|n| put.send(n))?;
        drop(put);
        anyhow::Ok(results.iter().sum())
    })?;
    Ok(Reading::new(began.elapsed().as_secs_f64(), sum))
}

#[expect(unsafe_code, reason = "this is what it costs without the library")]
fn forks(work: &Work, workers: u64) -> Result<Reading> {
    let began = Instant::now();
    let (mut read, mut write) = pipe()?;
    let mut children = Vec::new();
    for worker in 0..workers {
        // SAFETY: this process has one thread.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => children.push(child),
            ForkResult::Child => {
                ends_with_parent();
                let share = (worker..work.jobs).step_by(workers as usize);
                let sum: u64 = share.map(work.job).sum();
                let is_told = write.write_all(&sum.to_ne_bytes()).is_ok();
                // SAFETY: `_exit` has no preconditions.
                unsafe { libc::_exit(i32::from(!is_told)) }
            }
        }
    }
    drop(write);
    let mut sum = 0;
    for _ in 0..workers {
        let mut part = [0; 8];
        read.read_exact(&mut part)?;
        sum += u64::from_ne_bytes(part);
    }
    for child in children {
        waitpid(child, None)?;
    }
    let took = began.elapsed().as_secs_f64();
    ensure!(read.read(&mut [0])? == 0, "a child said too much");
    Ok(Reading::new(took, sum))
}
