//! More jobs than workers.

use crate::executor::{Executor, NO_THREAD};
use crate::future::Future;
use crate::tracks::Tracks;
use crate::{WORKERS, jobs_done};
use anyhow::Context;
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};
use shared::Stage;
use shared::lesson::equals;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

const JOBS: usize = 25;

/// Twenty-five jobs, ten workers: first with this executor, then with rayon,
/// for which it is one line. How many are at work at once now?
///
/// - [ ] with the executor ten, with rayon all 25
/// - [ ] with the executor ten, with rayon as many as cores
/// - [x] ten, with either
pub fn twenty_five_jobs(stage: &Stage) -> shared::Result {
    let tracks = Tracks::new(stage, WORKERS);
    let (begun, all_here) = (AtomicUsize::new(0), Barrier::new(WORKERS));
    let work = |way, job| {
        let worker = tracks.here();
        let _work = worker.begin(way);
        let name = format!("job of {way}");
        match job {
            11 => worker.note(&name, job), // for all to hear
            _ => worker.record(&name, job),
        }
        if begun.fetch_add(1, Relaxed) % JOBS < WORKERS {
            all_here.wait(); // the first ten each time
        }
        worker.pause_between(0.3, 0.9);
        job * job
    };
    let squares = by_executor(|n| work("executor", n))?;
    let line =
        || (1..=JOBS).into_par_iter().map(|n| work("rayon", n)).collect();
    let same: Vec<usize> = rayon_pool()?.install(line);
    tracks.main().record("results", [squares.clone(), same.clone()].concat());

    let trace = stage.trace()?;
    let all = ["executor", "rayon"].iter().all(|way| {
        let done = jobs_done(&trace, &format!("job of {way}"));
        done.into_iter().eq(1..=25)
    });
    stage.claim("with either each of the 25 jobs once", all, equals(true));
    let peaks = ["executor", "rayon"].map(|way| trace.peak(way));
    stage.claim("at once: ten, never more", peaks, equals([10, 10]));
    let same = same == squares;
    stage.claim("the results are the same", same, equals(true));
    Ok(())
}

/// Hands all jobs in, then asks each future for its result.
fn by_executor(
    work: impl Fn(usize) -> usize + Sync,
) -> shared::Result<Vec<usize>> {
    let work = &work;
    thread::scope(|scope| {
        let pool = Executor::new(scope, WORKERS)?;
        let jobs = (1..=JOBS).map(|n| pool.submit(move || work(n)));
        let futures = jobs.collect::<shared::Result<Vec<_>>>()?;
        let results = futures.iter().map(Future::result);
        Ok(results.collect::<Result<_, _>>()?)
    })
}

/// As many workers as the executor has, with the same names.
pub fn rayon_pool() -> shared::Result<ThreadPool> {
    let pool = ThreadPoolBuilder::new().num_threads(WORKERS);
    let pool = pool.thread_name(|n| format!("worker {}", n + 1));
    pool.build().context(NO_THREAD)
}
