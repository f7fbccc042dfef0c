//! Pool: ten jobs, four workers.
//!
//! A process for every job is expensive, and too many get into each other's
//! way. How do four processes do ten jobs?

mod faults;
mod results;

use shared::lesson::{at_least, at_most, equals};
use shared::process::{Barrier, Pool};
use shared::{Stage, lesson};
use std::collections::BTreeMap;
use std::process::{self, ExitCode};

const WORKERS: usize = 4;

fn main() -> ExitCode {
    lesson![
        ten_jobs,
        when_to_wait,
        results::callback,
        results::as_completed,
        results::never_run,
        faults::job_panics,
        faults::worker_killed,
        price,
    ]
    .run()
}

/// Ten jobs; the first takes a tenth of a second, each next one a tenth more.
/// A pool of four workers gets them. How many processes do the work?
///
/// - [ ] ten, four of them at a time
/// - [ ] five: the parent does some jobs, too
/// - [x] four
fn ten_jobs(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let all_here = Barrier::new(WORKERS)?;
    let pool = Pool::new(WORKERS, |job: usize| -> shared::Result<u32> {
        worker.span("works", || {
            worker.mark("begins");
            worker.say(format!("job {job} in process {}", process::id()));
            if job <= WORKERS {
                all_here.wait()?; // so that none of them is left out
            }
            worker.pause(job as f64 / 10.0);
            Ok(process::id())
        })
    })?;
    let mut jobs = BTreeMap::new();
    for pid in pool.map(1..=10)? {
        *jobs.entry(pid).or_insert(0) += 1;
    }
    for (pid, done) in &jobs {
        parent.note(&format!("jobs of process {pid}"), *done);
    }
    let trace = stage.trace()?;
    stage.claim("jobs done: ten", trace.count("works"), equals(10));
    stage.claim("processes that worked: four", jobs.len(), equals(4));
    let peak = trace.peak("works");
    stage.claim("at once: four, and never more", peak, equals(4));
    Ok(())
}

/// Four jobs of a second each. Does it matter when the parent waits for them?
///
/// - [x] yes: one by one takes the sum, all first about a quarter
/// - [ ] no: four workers do four jobs in a second
/// - [ ] no: who hands a job in waits for it anyway
fn when_to_wait(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let all_here = Barrier::new(4)?;
    let pool = Pool::new(4, |way: String| -> shared::Result {
        worker.span(&way, || {
            if way == "all first" {
                all_here.wait()?; // so that they begin together
            }
            worker.pause(1.0);
            Ok(())
        })
    })?;
    parent.say("one by one");
    for _ in 1..=4 {
        let job = pool.submit("one by one".into())?;
        job.get()?; // waits
    }
    parent.say("all first");
    let mut jobs = Vec::new();
    for _ in 1..=4 {
        jobs.push(pool.submit("all first".into())?);
    }
    for job in jobs {
        job.get()?;
    }
    let trace = stage.trace()?;
    // How long it all took, as a part of the sum.
    let part = |way| trace.extent(way).div_duration_f64(trace.total(way));
    let (each, all) = (part("one by one"), part("all first"));
    stage.claim("one by one: no less than the sum", each, at_least(1.0));
    stage.claim("all first: about a quarter of it", all, at_most(0.6));
    Ok(())
}

/// What does a job cost that has nothing to do?
fn price(stage: &Stage) -> shared::Result {
    let same = |job: u64| job;
    stage.measure("make and end a pool", 10, || {
        let mut workers = 0;
        for _ in 0..10 {
            workers += Pool::new(WORKERS, same)?.pids().len();
        }
        Ok(workers)
    })?;
    let pool = Pool::new(WORKERS, same)?;
    stage.measure("submit and get", 1000, || {
        let mut sum = 0;
        for job in 0..1000 {
            sum += pool.submit(job)?.get()?;
        }
        Ok(sum)
    })?;
    stage.measure("a job of a map", 100_000, || {
        Ok(pool.map(0..100_000)?.into_iter().sum::<u64>())
    })?;
    Ok(())
}
