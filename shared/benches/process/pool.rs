//! Pools.

use std::time::Instant;

use rayon::prelude::*;
use shared::process::Pool;

use crate::Outcome;
use crate::row::{Goal, Row};

const MAPPED: u64 = 1_000_000;
const SINGLE: u64 = 100_000;
const PRIMES: u32 = 30_000;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "pool of 2: empty jobs by map",
            ours: ("pool map", map),
            goals: vec![Goal::Python { times: 2.0, name: "pool_map" }],
        },
        Row {
            name: "pool of 2: empty jobs one by one",
            ours: ("pool single", single),
            goals: vec![Goal::Python { times: 15.0, name: "pool_single" }],
        },
        Row {
            name: "pool of 2: primes below 30 000",
            ours: ("pool primes", primes),
            goals: vec![Goal::AtMost {
                times: 1.2,
                of: ("rayon primes", rayon_primes),
            }],
        },
    ]
}

fn nothing(_: u64) {}

fn map() -> Outcome<f64> {
    let pool = Pool::new(2, nothing)?;
    pool.map(0..100)?;
    let began = Instant::now();
    pool.map(0..MAPPED)?;
    Ok(began.elapsed().as_secs_f64() / MAPPED as f64)
}

fn single() -> Outcome<f64> {
    let pool = Pool::new(2, nothing)?;
    pool.map(0..100)?;
    let began = Instant::now();
    let jobs =
        (0..SINGLE).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    for job in jobs {
        job.get()?;
    }
    Ok(began.elapsed().as_secs_f64() / SINGLE as f64)
}

/// By trial with every number below it, so that there is something to do.
fn is_prime(n: u32) -> bool {
    n >= 2 && (2..n).all(|divisor| !n.is_multiple_of(divisor))
}

fn primes() -> Outcome<f64> {
    let pool = Pool::new(2, is_prime)?;
    pool.map(0..100)?;
    let began = Instant::now();
    let found = pool.map(0..PRIMES)?.into_iter().filter(|&is| is).count();
    let took = began.elapsed();
    assert_eq!(found, 3245);
    Ok(took.as_secs_f64())
}

fn rayon_primes() -> Outcome<f64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    pool.install(|| (0..100_u32).into_par_iter().map(is_prime).count());
    let began = Instant::now();
    let found = pool.install(|| {
        (0..PRIMES).into_par_iter().map(is_prime).filter(|&is| is).count()
    });
    let took = began.elapsed();
    assert_eq!(found, 3245);
    Ok(took.as_secs_f64())
}
