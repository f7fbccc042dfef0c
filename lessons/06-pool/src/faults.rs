//! What goes wrong in a worker.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::lesson::equals;
use shared::process::{Event, Job, JobError, Pool, PoolBuilder, Queue};
use shared::{Stage, Track};
use std::process;

/// A cake of twelve pieces is shared; once nobody comes. What becomes of the
/// worker that divides by zero?
///
/// - [x] it goes on; whoever asks for the result gets the error
/// - [ ] it ends, and a new one takes its place
/// - [ ] it ends, and the pool with it
pub fn job_panics(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let pool = Pool::new(1, |guests: u32| {
        worker.span("works", || {
            worker.pause(0.5);
            (12 / guests, process::id())
        })
    })?;
    let mut pids = Vec::new();
    for guests in [4, 0, 3] {
        let name = format!("{guests} guests");
        match pool.submit(guests)?.get() {
            Ok((pieces, pid)) => {
                parent.note(&name, format!("{pieces} each"));
                pids.push(pid);
            }
            Err(error) => parent.note(&name, error.to_string()),
        }
    }
    stage.claim("jobs done: the other two", pids.len(), equals(2));
    let told: String = parent.noted("0 guests")?;
    let told = told.contains("divide by zero");
    stage.claim("what the panic said reaches `get`", told, equals(true));
    pids.dedup();
    stage.claim("by the same worker", pids.len(), equals(1));
    Ok(())
}

/// A worker is killed in the middle of a job. Is the job lost? And if the pool
/// may begin it twice?
///
/// - [ ] it is lost, both times, and all others with it
/// - [ ] it is done, both times: another worker takes it over
/// - [x] it is lost; if it may begin twice it is done
pub fn worker_killed(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let (results, new) = kill_one(&parent, &worker, 1)?;
    let lost = results[0].as_ref().err().map(JobError::to_string);
    let lost = lost.unwrap_or_default();
    let others = done(&results[1..]);
    let (results, _) = kill_one(&parent, &worker, 2)?;
    let all = done(&results);
    parent.note("jobs done, the first at its second try", all);

    stage.claim("the other jobs are done", others, equals(3));
    let named = lost.contains("killed by SIGKILL");
    stage.claim("job 1: lost, and the signal is named", named, equals(true));
    stage.claim("new workers: one", new, equals(1));
    stage.claim("if it may begin twice: all are done", all, equals(4));
    Ok(())
}

/// What became of four jobs, the first of which loses its worker, and how many
/// workers are new.
fn kill_one(
    parent: &Track,
    worker: &Track,
    attempts: u32,
) -> shared::Result<(Vec<Result<(), JobError>>, usize)> {
    let (begun, killed) = (Queue::bounded(1)?, Event::new()?);
    let pool = PoolBuilder::new(2).attempts(attempts);
    let pool = pool.build(|job: u32| -> shared::Result {
        let _works = worker.begin(&format!("job {job}"));
        if job == 1 && !killed.is_set() {
            begun.put(&process::id())?;
            loop {
                worker.pause(1.0);
            }
        }
        worker.pause(1.0);
        Ok(())
    })?;
    let mut jobs = Vec::new();
    for job in 1..=4 {
        jobs.push(pool.submit(job)?);
    }
    let (before, pid) = (pool.pids(), begun.get()?);
    parent.note("workers", before.as_slice());
    parent.pause(0.5);
    let victims = [pid];
    for pid in victims {
        parent.say(format!("kills process {pid}"));
        kill(Pid::from_raw(pid as i32), Signal::SIGKILL)?;
    }
    killed.set();
    let results: Vec<_> = jobs.into_iter().map(Job::get).collect();
    for (job, result) in (1..).zip(&results) {
        if let Err(error) = result {
            parent.note(&format!("job {job}"), error.to_string());
        }
    }
    let mut workers = pool.pids();
    parent.note("workers now", workers.as_slice());
    workers.retain(|pid| !before.contains(pid));
    Ok((results, workers.len()))
}

fn done(results: &[Result<(), JobError>]) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}
