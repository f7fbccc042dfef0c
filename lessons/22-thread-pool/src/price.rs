//! What a job costs.

use crate::executor::{Executor, NO_THREAD};
use crate::{WORKERS, line};
use anyhow::Context;
use rayon::prelude::*;
use shared::Stage;
use std::hint::black_box;
use std::thread::{self, Builder};

/// What does a job cost that only gives its number back?
pub fn price(stage: &Stage) -> shared::Result {
    stage.measure("a thread for the job", 200, || sum((0..200).map(thread)))?;
    thread::scope(|scope| {
        let pool = Executor::new(scope, WORKERS)?;
        stage.measure("submit, then result", 2_000, || {
            sum((0..2_000).map(|n| Ok(pool.submit(move || n)?.result()?)))
        })?;
        stage.measure("submit all, then result", 20_000, || {
            let jobs = (0..20_000).map(|n| pool.submit(move || n));
            let futures = jobs.collect::<shared::Result<Vec<_>>>()?;
            sum(futures.iter().map(|future| Ok(future.result()?)))
        })
    })?;
    let pool = line::rayon_pool()?;
    stage.measure("a job of a parallel map", 20_000, || {
        let jobs = (0..20_000_u64).into_par_iter();
        // Through a black box: else the compiler leaves the jobs out.
        let numbers = pool.install(|| jobs.map(black_box).collect::<Vec<_>>());
        sum(numbers.into_iter().map(Ok))
    })?;
    Ok(())
}

/// A thread for one job.
fn thread(number: u64) -> shared::Result<u64> {
    thread::scope(|scope| {
        let thread = Builder::new().spawn_scoped(scope, || number);
        let joined = thread.context(NO_THREAD)?.join();
        Ok(joined.expect("it does not panic"))
    })
}

fn sum(
    numbers: impl Iterator<Item = shared::Result<u64>>,
) -> shared::Result<u64> {
    numbers.sum()
}
