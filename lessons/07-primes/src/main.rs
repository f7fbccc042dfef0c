//! Primes: how many processes pay.
//!
//! A thousand numbers, each a little work. Are a thousand processes the
//! quickest way to do it?

mod life;
mod options;
mod ways;

use options::Options;
use shared::lesson::{at_least, equals};
use shared::process::{Pool, Process};
use shared::{Stage, lesson};
use std::process::ExitCode;
use std::thread::available_parallelism;
use ways::{below, same, table, timed, untold};

/// So many processes at once and no more: a system has its limits.
const AT_ONCE: usize = 50;
/// So many numbers go to a worker in one message.
const CHUNK: usize = 250;

fn main() -> ExitCode {
    lesson![below_1000, life::life_of_a_process, to_the_limit, how_many_pay]
        .with::<Options>()
        .longer(options::longer)
        .run()
}

/// The primes below 1000, found in four ways. Which way is the slowest?
///
/// - [ ] in a loop, one number after the other
/// - [x] a process for each number
/// - [ ] none: the work is the same
fn below_1000(stage: &Stage) -> shared::Result {
    let cores = available_parallelism()?.get();
    let single = |numbers| by_pool(cores, 1, numbers);
    let chunks = |numbers| by_pool(cores, CHUNK, numbers);
    let ways = [
        timed(stage, "serially", 2..1000, serially)?,
        timed(stage, "a process each", 2..1000, a_process_each)?,
        timed(stage, "pool, one by one", 2..1000, single)?,
        timed(stage, "pool, in chunks", 2..1000, chunks)?,
    ];
    table(stage, &ways);
    let [serial, each, ..] = &ways;
    stage.claim("primes below 1000", serial.found.len(), equals(168));
    stage.claim("all four ways find the same", same(&ways), equals(true));
    let times = each.seconds / serial.seconds;
    stage.claim(
        "a process each takes so many times longer",
        times,
        at_least(4.0),
    );
    Ok(())
}

/// The number, if it is prime: if nothing up to its half divides it.
fn prime(n: u32) -> Option<u32> {
    (2..=n / 2).all(|divisor| !n.is_multiple_of(divisor)).then_some(n)
}

type Primes = shared::Result<Vec<u32>>;

fn serially(numbers: impl Iterator<Item = u32>) -> Primes {
    Ok(numbers.filter_map(prime).collect())
}

fn a_process_each(mut numbers: impl Iterator<Item = u32>) -> Primes {
    let mut found = Vec::new();
    loop {
        let group = numbers.by_ref().take(AT_ONCE);
        let children = group.map(|n| Process::spawn(move || prime(n)));
        let children = children.collect::<Result<Vec<_>, _>>()?;
        if children.is_empty() {
            return Ok(found);
        }
        for child in children {
            found.extend(child.join()?);
        }
    }
}

fn by_pool(
    workers: usize,
    chunk: usize,
    numbers: impl Iterator<Item = u32>,
) -> Primes {
    let pool = Pool::new(workers, prime)?;
    let answers = pool.map_chunked(numbers, chunk)?;
    Ok(answers.into_iter().flatten().collect())
}

/// More numbers, and more work in each. Which way pays now?
fn to_the_limit(stage: &Stage) -> shared::Result {
    let options: &Options = stage.options();
    let limit = options.limit;
    let parent = stage.track("parent");
    let cores = available_parallelism()?.get();
    let few = untold("a process each", 2..100, a_process_each)?;
    let progress = stage.progress("numbers", u64::from(3 * limit));
    let numbers = || below(limit, &progress);
    let single = |numbers| by_pool(cores, 1, numbers);
    let chunks = |numbers| by_pool(cores, CHUNK, numbers);
    let ways = [
        timed(stage, "all: serially", numbers(), serially)?,
        timed(stage, "all: pool, one by one", numbers(), single)?,
        timed(stage, "all: pool, in chunks", numbers(), chunks)?,
    ];
    drop(progress);
    let each = few.for_numbers("a process each (worked out)", limit - 2);
    parent.say(format!(
        "{} processes would take about {:.1} s (worked out from {}; not run)",
        each.numbers, each.seconds, few.numbers
    ));
    table(stage, ways.iter().chain([&each]));
    stage.claim("all three ways find the same", same(&ways), equals(true));
    Ok(())
}

/// One worker, two, four, eight. Is each twice as quick as the one before?
fn how_many_pay(stage: &Stage) -> shared::Result {
    let options: &Options = stage.options();
    let parent = stage.track("parent");
    parent.note("cores of this machine", available_parallelism()?.get());
    let limit = (3 * options.limit).min(200_000); // enough work to see it
    let progress = stage.progress("numbers", u64::from(4 * limit));
    let mut ways = Vec::new();
    for workers in [1, 2, 4, 8] {
        let name = format!("workers: {workers}");
        let chunks = |numbers| by_pool(workers, CHUNK, numbers);
        ways.push(timed(stage, &name, below(limit, &progress), chunks)?);
    }
    drop(progress);
    stage.claim("all four pools find the same", same(&ways), equals(true));
    Ok(())
}
