//! More jobs than workers.

use crate::WORKERS;
use crate::executor::{Executor, NO_THREAD};
use crate::future::Future;
use crate::tracks::Tracks;
use anyhow::Context;
use rayon::{ThreadPoolBuilder, prelude::*};
use shared::Stage;
use shared::lesson::equals;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

const JOBS: usize = 25;

/// Twenty-five jobs, ten workers: first with this executor, then with rayon,
/// for which it is one line. How many are at work at once now?
pub fn twenty_five_jobs(stage: &Stage) -> shared::Result {
    let tracks = Tracks::new(stage, WORKERS);
    let (begun, all_here) = (AtomicUsize::new(0), Barrier::new(WORKERS));
    let work = |way, job| {
        let worker = tracks.here();
        worker.span(way, || {
            if begun.fetch_add(1, Relaxed) % JOBS < WORKERS {
                all_here.wait(); // the first ten each time
            }
            worker.pause_between(0.3, 0.9);
        });
        job * job
    };
    tracks.main().say("with the executor");
    let squares: Vec<usize> = thread::scope(|scope| {
        let pool = Executor::new(scope, WORKERS)?;
        let jobs = (1..=JOBS).map(|n| pool.submit(move || work("executor", n)));
        let futures = jobs.collect::<shared::Result<Vec<_>>>()?;
        let results = futures.iter().map(Future::result);
        shared::Result::Ok(results.collect::<Result<_, _>>()?)
    })?;
    tracks.main().say("with rayon");
    let pool = ThreadPoolBuilder::new().num_threads(WORKERS);
    let pool = pool.thread_name(|n| format!("worker {}", n + 1)).build();
    let jobs = (1..=JOBS).into_par_iter();
    let line = || jobs.map(|n| work("rayon", n)).collect();
    let same: Vec<usize> = pool.context(NO_THREAD)?.install(line);
    tracks.main().record("results", [squares.clone(), same.clone()].concat());

    let trace = stage.trace()?;
    let done = ["executor", "rayon"].map(|way| trace.count(way));
    let peaks = ["executor", "rayon"].map(|way| trace.peak(way));
    stage.claim("jobs done: all, with either", done, equals([25, 25]));
    stage.claim("at once: ten, never more", peaks, equals([10, 10]));
    let same = same == squares;
    stage.claim("the results are the same", same, equals(true));
    Ok(())
}
