//! Pool: ten jobs, four workers.
//!
//! A process for every job is dear, and too many get into each other's way.
//! How do four processes do ten jobs?

mod faults;
mod results;

use shared::lesson::{at_most, between, equals};
use shared::process::{Barrier, Pool};
use shared::{Stage, lesson};
use std::collections::HashSet;
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

/// Four workers get ten jobs. Who does which?
fn ten_jobs(stage: &Stage) -> shared::Result {
    let worker = stage.track("worker");
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
    let pids: HashSet<u32> = pool.map(1..=10)?.into_iter().collect();
    let trace = stage.trace()?;
    stage.claim("jobs done: ten", trace.count("works"), equals(10));
    stage.claim("processes that worked: four", pids.len(), equals(4));
    let peak = trace.peak("works");
    stage.claim("at once: never more than four", peak, at_most(4));
    Ok(())
}

/// Four jobs of a second each. Does it matter when the parent waits for them?
fn when_to_wait(stage: &Stage) -> shared::Result {
    let worker = stage.track("worker");
    let pool = Pool::new(WORKERS, |way: String| {
        worker.span(&way, || worker.pause(1.0));
    })?;
    for _ in 1..=4 {
        let job = pool.submit("one by one".into())?;
        job.get()?; // waits
    }
    let mut jobs = Vec::new();
    for _ in 1..=4 {
        jobs.push(pool.submit("all first".into())?);
    }
    for job in jobs {
        job.get()?;
    }
    let trace = stage.trace()?;
    let share = |way| trace.extent(way).div_duration_f64(trace.total(way));
    let (each, all) = (share("one by one"), share("all first"));
    stage.claim("one by one: as long as their sum", each, between(1.0, 2.0));
    stage.claim("all first: a quarter of it", all, between(0.25, 0.6));
    Ok(())
}

/// What does a job cost that has nothing to do?
fn price(stage: &Stage) -> shared::Result {
    let nothing = |_job: u32| ();
    stage.measure("make and end a pool", 10, || {
        for _ in 0..10 {
            Pool::new(WORKERS, nothing)?;
        }
        Ok(())
    })?;
    let pool = Pool::new(WORKERS, nothing)?;
    stage.measure("submit and get", 1000, || {
        for job in 0..1000 {
            pool.submit(job)?.get()?;
        }
        Ok(())
    })?;
    stage.measure("a job of a map", 100_000, || {
        pool.map(0..100_000)?;
        Ok(())
    })?;
    Ok(())
}
