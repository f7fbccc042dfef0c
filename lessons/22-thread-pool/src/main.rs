//! Thread pool: ten workers, ten jobs.
//!
//! Whoever hands in a job goes on at once. How does the result get back, and
//! how many jobs are at work at once?

mod executor;
mod faults;
mod future;
mod line;
mod price;
mod results;
mod tracks;

use executor::Executor;
use future::Future;
use shared::lesson::equals;
use shared::trace::Trace;
use shared::{Stage, lesson};
use std::process::ExitCode;
use std::sync::Barrier;
use std::thread;
use tracks::Tracks;

const WORKERS: usize = 10;

fn main() -> ExitCode {
    lesson![
        ten_jobs,
        results::as_completed,
        results::callback,
        results::never_run,
        faults::job_panics,
        faults::job_waits_for_job,
        line::twenty_five_jobs,
        price::price,
    ]
    .run()
}

/// Ten jobs, ten workers; each job takes its time and gives back the square of
/// its number. How many are at work at once?
///
/// - [ ] as many as there are cores
/// - [ ] one: the first worker takes them all in turn
/// - [x] all ten, each in a worker of its own
fn ten_jobs(stage: &Stage) -> shared::Result {
    let tracks = Tracks::new(stage, WORKERS);
    let (main, all_here) = (tracks.main(), Barrier::new(WORKERS));
    let work = |job: u64| {
        let worker = tracks.here();
        let _work = worker.begin("works");
        worker.record("job", job);
        all_here.wait(); // so that none of them is left out
        worker.pause(job as f64 / 10.0);
        job * job
    };
    let squares = thread::scope(|scope| {
        let pool = Executor::new(scope, WORKERS)?;
        let jobs = (1..=10).map(|job| pool.submit(move || work(job)));
        let futures = jobs.collect::<shared::Result<Vec<_>>>()?;
        main.say("all ten are handed in");
        let results = futures.iter().map(Future::result);
        let squares: Vec<u64> = results.collect::<Result<_, _>>()?;
        shared::Result::Ok(squares)
    })?;
    main.note("results", squares.as_slice());
    let trace = stage.trace()?;
    stage.claim("at once: all ten", trace.peak("works"), equals(10));
    let once = equals((1..=10).collect());
    stage.claim("each job once", jobs_done(&trace, "job"), once);
    let tenth = squares.last().copied();
    stage.claim("the result of the tenth future", tenth, equals(Some(100)));
    Ok(())
}

/// The numbers of the jobs that were noted as `name`, from the least.
fn jobs_done(trace: &Trace, name: &str) -> Vec<u64> {
    let named = trace.events().iter().filter(|event| event.name == name);
    let mut jobs: Vec<u64> =
        named.filter_map(|event| event.value()?.as_u64()).collect();
    jobs.sort_unstable();
    jobs
}
