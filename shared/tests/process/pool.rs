//! `Pool`: what CPython promises of its own, in Rust's shape.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write, pipe};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{io, process, thread};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal as Number, kill, raise};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, Uid, setuid};
use shared::process::{
    Barrier, Event, JobError, Lock, MapError, Pool, PoolBuilder, PoolError,
    Process, Signal, SpawnError, Status,
};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{
    SOON, eventually, ignore, open_descriptors, sleep_until_killed, state,
};

pub const CASES: &[Case] = cases!("pool":
    map_keeps_the_order_whatever_the_chunk,
    map_of_nothing_returns_at_once,
    map_of_unknown_length,
    workers_are_other_processes_and_no_more_than_asked_for,
    submit_and_get,
    results_come_in_order_or_as_they_are_done,
    each_job_has_one_callback_in_the_parent,
    a_callback_may_submit_more,
    a_timed_get_returns_in_time_and_the_job_goes_on,
    a_result_is_taken_once,
    zeros_are_refused,
    submit_after_close_and_join_before_close_are_errors,
    a_job_error_reaches_its_own_get,
    a_panic_reaches_its_own_get_and_the_worker_lives,
    the_other_jobs_of_a_map_finish,
    a_fork_that_fails_half_way_leaves_no_workers,
    the_initial_function_runs_once_in_each_worker,
    an_initial_function_that_fails_is_an_error,
    workers_retire,
    a_killed_worker_loses_the_job_that_it_was_at,
    a_killed_worker_of_a_map_loses_one_item_and_nothing_runs_twice,
    a_lost_job_begins_again_where_that_is_allowed,
    killed_at_any_moment_with_large_arguments_and_results,
    an_answer_does_not_wait_for_the_next_job,
    a_worker_that_exits_is_replaced,
    five_thousand_jobs_may_queue,
    what_has_not_begun_can_be_cancelled,
    what_a_worker_has_but_has_not_begun_can_be_cancelled,
    long_jobs_after_quick_ones_are_at_work_at_once,
    jobs_begin_though_the_parent_does_not_wait,
    what_another_worker_has_not_begun_is_taken_over,
    what_a_stopped_worker_has_not_begun_is_taken_over,
    a_stopped_worker_is_named_and_holds_nobody_up,
    the_parents_death_takes_the_workers_along,
    dropping_ends_workers_and_gives_all_back,
    a_worker_that_cannot_be_replaced_is_an_error_until_it_can,
    with_sigchld_ignored_a_lost_job_is_still_told_of,
    a_pool_in_a_worker_is_refused,
    an_argument_that_cannot_be_encoded_is_refused,
);

fn square(n: u64) -> u64 {
    n * n
}

fn nap(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

fn map_keeps_the_order_whatever_the_chunk() -> Outcome {
    let pool = Pool::new(3, square)?;
    let expected: Vec<u64> = (0..1000).map(square).collect();
    for chunk in [1, 2, 7, 100, 999, 1000, 100_000] {
        assert_eq!(
            pool.map_chunked(0..1000, chunk)?,
            expected,
            "chunks of {chunk}"
        );
    }
    assert_eq!(pool.map(0..1000)?, expected);
    assert_eq!(pool.map(0..1)?, [0]);
    Ok(())
}

fn map_of_nothing_returns_at_once() -> Outcome {
    let pool = Pool::new(2, square)?;
    for pid in pool.pids() {
        kill(Pid::from_raw(pid as i32), Number::SIGSTOP)?;
    }
    assert_eq!(pool.map([])?, [0_u64; 0]);
    assert_eq!(pool.map_chunked([], 10)?, [0_u64; 0]);
    assert_eq!(pool.each([])?.count(), 0);
    Ok(())
}

fn map_of_unknown_length() -> Outcome {
    let pool = Pool::new(2, square)?;
    let mut n = 0;
    let items = std::iter::from_fn(|| {
        n += 1;
        (n <= 5000).then_some(n)
    });
    assert_eq!(pool.map(items)?, (1..=5000).map(square).collect::<Vec<_>>());
    Ok(())
}

fn workers_are_other_processes_and_no_more_than_asked_for() -> Outcome {
    let pool = Pool::new(4, |_: u32| {
        nap(5);
        process::id()
    })?;
    let pids: BTreeSet<u32> = pool.map_chunked(0..40, 1)?.into_iter().collect();
    assert_eq!(pids, pool.pids().into_iter().collect());
    assert_eq!(pids.len(), 4);
    assert!(!pids.contains(&process::id()));
    Ok(())
}

fn submit_and_get() -> Outcome {
    let pool = Pool::new(2, square)?;
    let jobs =
        (0..100).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    for (n, job) in (0..).zip(jobs) {
        assert_eq!(job.get()?, n * n);
    }
    pool.close();
    pool.close();
    Ok(pool.join()?)
}

fn results_come_in_order_or_as_they_are_done() -> Outcome {
    let pool = Pool::new(2, |milliseconds: u64| {
        nap(milliseconds);
        milliseconds
    })?;
    let in_order: Vec<u64> =
        pool.each([150, 1, 1])?.collect::<Result<_, _>>()?;
    assert_eq!(in_order, [150, 1, 1]);
    let mut places = Vec::new();
    for (place, result) in pool.each_unordered([300, 2, 2, 2])? {
        assert_eq!(result?, [300, 2, 2, 2][place]);
        places.push(place);
    }
    assert_eq!(places.last(), Some(&0), "{places:?}");
    places.sort_unstable();
    assert_eq!(places, [0, 1, 2, 3]);
    Ok(())
}

fn each_job_has_one_callback_in_the_parent() -> Outcome {
    let calls = RefCell::new(BTreeMap::<u64, u32>::new());
    let this = process::id();
    let pool = Pool::new(2, square)?;
    for n in 0..200 {
        let calls = &calls;
        pool.submit_then(n, move |_, result| {
            assert_eq!(process::id(), this);
            assert_eq!(result.expect("squares do not fail"), n * n);
            *calls.borrow_mut().entry(n).or_default() += 1;
        })?;
    }
    pool.close();
    pool.join()?;
    assert_eq!(*calls.borrow(), (0..200).map(|n| (n, 1)).collect());
    Ok(())
}

fn a_callback_may_submit_more() -> Outcome {
    let sum = Cell::new(0);
    let pool = Pool::new(2, square)?;
    for n in 1..=3 {
        let sum = &sum;
        pool.submit_then(n, move |pool, result| {
            let inner = pool
                .submit(result.expect("squares do not fail"))
                .expect("it is open");
            let inner = inner.get().expect("squares do not fail");
            sum.set(sum.get() + inner);
            pool.submit_then(10, |_, result| {
                sum.set(sum.get() + result.expect("nor this"))
            })
            .expect("it is open");
        })?;
    }
    while sum.get() < 1 + 16 + 81 + 300 {
        assert_eq!(pool.submit(2)?.get()?, 4);
    }
    assert_eq!(sum.get(), 398);
    Ok(())
}

fn a_timed_get_returns_in_time_and_the_job_goes_on() -> Outcome {
    let pool = Pool::new(1, |milliseconds: u64| {
        nap(milliseconds);
        milliseconds
    })?;
    let slow = pool.submit(300)?;
    let behind = pool.submit(1)?;
    let began = Instant::now();
    let worker = pool.pids()[0];
    let error = slow
        .get_timeout(Duration::from_millis(50))
        .expect_err("it takes longer");
    let waited = began.elapsed();
    assert!(
        waited >= Duration::from_millis(50)
            && waited < Duration::from_millis(250),
        "{waited:?}"
    );
    assert!(
        matches!(error, JobError::TimedOut { worker: Some((pid, false)), .. } if pid == worker),
        "{error}"
    );
    let error =
        behind.get_timeout(Duration::ZERO).expect_err("it has not begun");
    assert!(
        matches!(error, JobError::TimedOut { worker: None, .. }),
        "{error}"
    );
    assert_eq!(slow.get()?, 300);
    assert_eq!(behind.get_timeout(Duration::MAX)?, 1);
    Ok(())
}

fn a_result_is_taken_once() -> Outcome {
    let pool = Pool::new(1, square)?;
    let job = pool.submit(3)?;
    assert_eq!(job.get_timeout(Duration::MAX)?, 9);
    assert!(matches!(job.get_timeout(Duration::MAX), Err(JobError::Taken)));
    assert!(matches!(job.get(), Err(JobError::Taken)));
    Ok(())
}

fn zeros_are_refused() -> Outcome {
    assert!(matches!(Pool::new(0, square), Err(PoolError::NoWorkers)));
    assert!(matches!(
        PoolBuilder::new(1).retire_after(0).build(square),
        Err(PoolError::NoJobs)
    ));
    assert!(matches!(
        PoolBuilder::new(1).attempts(0).build(square),
        Err(PoolError::NoJobs)
    ));
    let pool = Pool::new(1, square)?;
    assert!(matches!(
        pool.map_chunked([1], 0),
        Err(MapError::Pool(PoolError::EmptyChunks))
    ));
    Ok(())
}

fn submit_after_close_and_join_before_close_are_errors() -> Outcome {
    let pool = Pool::new(2, square)?;
    let job = pool.submit(4)?;
    assert!(matches!(pool.join(), Err(PoolError::NotClosed)));
    pool.close();
    assert!(matches!(pool.submit(1), Err(PoolError::Closed)));
    assert!(matches!(pool.map([1]), Err(MapError::Pool(PoolError::Closed))));
    pool.join()?;
    assert!(pool.pids().is_empty());
    assert_eq!(job.get()?, 16);
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is odd")]
struct Odd(u64);

fn half(n: u64) -> Result<u64, Odd> {
    if n.is_multiple_of(2) { Ok(n / 2) } else { Err(Odd(n)) }
}

fn a_job_error_reaches_its_own_get() -> Outcome {
    let pool = Pool::new(2, half)?;
    let jobs =
        (0..10).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    for (n, job) in (0..).zip(jobs) {
        match job.get() {
            Ok(half) => assert_eq!(2 * half, n),
            Err(JobError::Failed { message }) => {
                assert_eq!(message, format!("{n} is odd"))
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn a_panic_reaches_its_own_get_and_the_worker_lives() -> Outcome {
    let pool =
        Pool::new(
            1,
            |n: u64| {
                if n == 1 { panic!("one is {}", "too few") } else { n }
            },
        )?;
    let pids = pool.pids();
    let [bad, good] = [pool.submit(1)?, pool.submit(2)?];
    let error = bad.get().expect_err("it panicked");
    assert!(
        matches!(&error, JobError::Panicked { message } if message == "one is too few"),
        "{error}"
    );
    assert_eq!(good.get()?, 2);
    assert_eq!(pool.pids(), pids);
    Ok(())
}

fn the_other_jobs_of_a_map_finish() -> Outcome {
    let done = Lock::new(0_u64)?;
    let pool = Pool::new(2, |n: u64| {
        *done.lock().map_err(|error| error.to_string())? += 1;
        half(n).map_err(|error| error.to_string())
    })?;
    let error = pool
        .map((0..101).map(|n| if n == 60 || n == 33 { 1 } else { 2 }))
        .expect_err("two are odd");
    assert!(
        matches!(&error, MapError::Job { index: 33, source: JobError::Failed { message } }
        if message == "1 is odd"),
        "{error}"
    );
    assert_eq!(*done.lock()?, 101);
    Ok(())
}

fn no_children() -> bool {
    waitpid(None, Some(WaitPidFlag::WNOHANG)) == Err(Errno::ECHILD)
}

fn a_fork_that_fails_half_way_leaves_no_workers() -> Outcome {
    let before = open_descriptors()?;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, 40, hard)?;
    let error =
        Pool::new(1000, square).expect_err("there are not so many descriptors");
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
    let PoolError::Spawn {
        started,
        wanted: 1000,
        source: SpawnError::DescriptorLimit { .. },
    } = error
    else {
        return Err(error.into());
    };
    assert!(started > 5, "{started}");
    assert!(no_children());
    assert_eq!(open_descriptors()?, before);
    Ok(())
}

fn the_initial_function_runs_once_in_each_worker() -> Outcome {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let pool = PoolBuilder::new(3)
        .initial(|| {
            RUNS.fetch_add(1, Relaxed);
        })
        .build(|_: u32| {
            nap(5);
            (process::id(), RUNS.load(Relaxed))
        })?;
    let answers = pool.map_chunked(0..30, 1)?;
    assert!(answers.iter().all(|&(_, runs)| runs == 1), "{answers:?}");
    assert_eq!(
        answers.iter().map(|&(pid, _)| pid).collect::<BTreeSet<_>>().len(),
        3
    );
    assert_eq!(RUNS.load(Relaxed), 0);
    Ok(())
}

fn an_initial_function_that_fails_is_an_error() -> Outcome {
    let pool = PoolBuilder::new(2)
        .initial(|| Err::<(), _>("no licence"))
        .build(square)?;
    let error = pool.submit(1)?.get().expect_err("there is no worker for it");
    assert!(
        matches!(&error, JobError::NoWorker { message } if message == "no licence"),
        "{error}"
    );
    assert!(matches!(pool.submit(1), Err(PoolError::Unfit { .. })));
    let pool = PoolBuilder::new(2)
        .initial(|| -> () { process::exit(3) })
        .build(square)?;
    assert!(matches!(pool.submit(1)?.get(), Err(JobError::NoWorker { .. })));
    Ok(())
}

fn workers_retire() -> Outcome {
    let pool =
        PoolBuilder::new(2).retire_after(3).build(|_: u32| process::id())?;
    let mut jobs = BTreeMap::<u32, u32>::new();
    for pid in pool.map(0..30)? {
        *jobs.entry(pid).or_default() += 1;
    }
    for result in pool.each(0..30)? {
        *jobs.entry(result?).or_default() += 1;
    }
    assert!(jobs.len() >= 20, "{jobs:?}");
    assert!(jobs.values().all(|&count| count <= 3), "{jobs:?}");
    Ok(())
}

fn suicidal(n: u64) -> u64 {
    if n == 13 {
        let _ = raise(Number::SIGKILL);
    }
    n
}

fn a_killed_worker_loses_the_job_that_it_was_at() -> Outcome {
    let pool = Pool::new(2, suicidal)?;
    let before = pool.pids();
    let jobs =
        (0..40).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    for (n, job) in (0..).zip(jobs) {
        match (n, job.get()) {
            (13, Err(error)) => {
                assert!(
                    matches!(error, JobError::Lost { pid, status: Status::Killed(Signal::KILL) }
                    if before.contains(&pid)),
                    "{error}"
                );
                assert!(
                    error.to_string().ends_with("killed by SIGKILL"),
                    "{error}"
                );
            }
            (13, Ok(_)) => panic!("13 came back"),
            (n, result) => assert_eq!(result?, n),
        }
    }
    assert_eq!(pool.pids().len(), 2);
    assert_ne!(pool.pids(), before);
    Ok(())
}

fn a_killed_worker_of_a_map_loses_one_item_and_nothing_runs_twice() -> Outcome {
    for chunk in [1, 10, 100, 1000] {
        let runs = Lock::new([0_u32; 1000])?;
        let pool = Pool::new(2, |n: u64| {
            runs.lock().map_err(|error| error.to_string())?[n as usize] += 1;
            Ok::<_, String>(suicidal(n))
        })?;
        let error = pool.map_chunked(0..1000, chunk).expect_err("one is lost");
        assert!(
            matches!(
                error,
                MapError::Job { index: 13, source: JobError::Lost { .. } }
            ),
            "{error}"
        );
        assert_eq!(*runs.lock()?, [1; 1000], "chunks of {chunk}");
    }
    Ok(())
}

fn a_lost_job_begins_again_where_that_is_allowed() -> Outcome {
    let deaths = Lock::new(0_u32)?;
    let run = |n: u64| {
        if n == 5 {
            let mut deaths =
                deaths.lock().map_err(|error| error.to_string())?;
            if *deaths < 2 {
                *deaths += 1;
                drop(deaths);
                raise(Number::SIGKILL).map_err(|error| error.to_string())?;
            }
        }
        Ok::<_, String>(n)
    };
    let pool = PoolBuilder::new(2).attempts(3).build(run)?;
    assert_eq!(pool.map(0..10)?, (0..10).collect::<Vec<_>>());
    assert_eq!(*deaths.lock()?, 2);
    *deaths.lock()? = 0;
    drop(pool);
    let pool = PoolBuilder::new(2).attempts(2).build(run)?;
    assert!(matches!(pool.submit(5)?.get(), Err(JobError::Lost { .. })));
    Ok(())
}

fn killed_at_any_moment_with_large_arguments_and_results() -> Outcome {
    let pool = Pool::new(2, |text: String| (text.len(), text))?;
    let mut lost = 0;
    for round in 0..60_u64 {
        let size = [10, 3 << 20][(round % 2) as usize];
        let jobs = (0..6_u8)
            .map(|n| pool.submit(n.to_string().repeat(size)))
            .collect::<Result<Vec<_>, _>>()?;
        for victim in pool.pids() {
            thread::sleep(Duration::from_micros(round * 97 % 3000));
            pool.poll();
            // One that was killed when all was done may have been replaced just
            // now.
            let _ = kill(Pid::from_raw(victim as i32), Number::SIGKILL);
        }
        for (n, job) in (0_u8..).zip(jobs) {
            match job.get() {
                Ok((length, text)) => {
                    assert_eq!(length, size);
                    assert!(text == n.to_string().repeat(size), "torn");
                }
                Err(JobError::Lost {
                    status: Status::Killed(Signal::KILL),
                    ..
                }) => lost += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
    assert!(lost > 0 && lost <= 120, "{lost} jobs lost by 120 kills");
    Ok(())
}

fn an_answer_does_not_wait_for_the_next_job() -> Outcome {
    let (hold, release) = pipe()?;
    let pool = Pool::new(1, |n: u32| {
        if n == 3 {
            (&hold).read_exact(&mut [0])?;
        }
        Ok::<_, io::Error>(n)
    })?;
    // Quick ones first, so that the next jobs travel together.
    for result in pool.each([0; 300])? {
        result?;
    }
    let jobs =
        (0..=3).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    for (n, job) in (0..3).zip(&jobs) {
        assert_eq!(job.get_timeout(SOON)?, n);
    }
    (&release).write_all(&[1])?;
    assert_eq!(jobs[3].get_timeout(SOON)?, 3);
    Ok(())
}

fn a_worker_that_exits_is_replaced() -> Outcome {
    let pool =
        Pool::new(1, |n: u64| if n == 1 { process::exit(7) } else { n })?;
    let [bad, good] = [pool.submit(1)?, pool.submit(2)?];
    let error = bad.get().expect_err("its worker left");
    assert!(
        matches!(error, JobError::Lost { status: Status::Exited(7), .. }),
        "{error}"
    );
    assert_eq!(good.get()?, 2);
    Ok(())
}

fn five_thousand_jobs_may_queue() -> Outcome {
    let pool = Pool::new(2, square)?;
    let jobs =
        (0..5000).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    pool.close();
    pool.join()?;
    for (n, job) in (0..).zip(jobs) {
        assert_eq!(job.get()?, n * n);
    }
    Ok(())
}

fn what_has_not_begun_can_be_cancelled() -> Outcome {
    let runs = Lock::new(0_u32)?;
    let (hold, release) = pipe()?;
    let pool = Pool::new(1, |n: u32| {
        if n == 0 {
            (&hold).read_exact(&mut [0]).map_err(|error| error.to_string())?;
        }
        *runs.lock().map_err(|error| error.to_string())? += 1;
        Ok::<_, String>(n)
    })?;
    // Quick ones first, so that the next jobs travel together with one that has
    // begun.
    assert_eq!(pool.map_chunked(1..=100, 1)?.len(), 100);
    for result in pool.each(1..=100)? {
        result?;
    }
    let jobs =
        (0..20).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    assert!(eventually(|| matches!(
        jobs[0].get_timeout(Duration::from_millis(1)),
        Err(JobError::TimedOut { worker: Some(_), .. })
    )));
    assert!(!jobs[0].cancel(), "it has begun");
    for n in [1, 5, 19, 10, 11] {
        assert!(jobs[n].cancel(), "{n} has not begun");
        assert!(!jobs[n].cancel(), "{n} was cancelled already");
    }
    (&release).write_all(&[1])?;
    for (n, job) in (0_u32..).zip(jobs) {
        match job.get() {
            Ok(result) => assert_eq!(result, n),
            Err(JobError::Cancelled) => {
                assert!([1, 5, 19, 10, 11].contains(&n))
            }
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!(*runs.lock()?, 200 + 15);
    Ok(())
}

fn what_a_worker_has_but_has_not_begun_can_be_cancelled() -> Outcome {
    let pool = Pool::new(1, square)?;
    assert_eq!(pool.submit(1)?.get()?, 1);
    let worker = Pid::from_raw(pool.pids()[0] as i32);
    kill(worker, Number::SIGSTOP)?;
    assert!(eventually(|| state(worker.as_raw() as u32) == Some('T')));
    let job = pool.submit(2)?;
    assert!(job.cancel());
    kill(worker, Number::SIGCONT)?;
    assert!(matches!(job.get(), Err(JobError::Cancelled)));
    assert_eq!(pool.submit(3)?.get()?, 9);
    Ok(())
}

fn what_another_worker_has_not_begun_is_taken_over() -> Outcome {
    let (hold, release) = pipe()?;
    let pool = Pool::new(2, |n: u32| {
        if n == 0 {
            (&hold).read_exact(&mut [0])?;
        }
        if n == 49 {
            (&release).write_all(&[1])?;
        }
        Ok::<_, io::Error>(n)
    })?;
    // One chunk: all items go to one worker, where the first would wait for the
    // last for ever.
    assert_eq!(pool.map_chunked(0..50, 50)?, (0..50).collect::<Vec<_>>());
    Ok(())
}

fn jobs_begin_though_the_parent_does_not_wait() -> Outcome {
    let (all_here, met) = (Barrier::new(3)?, Event::new()?);
    let pool = Pool::new(3, |_: u32| {
        let meeting = all_here.wait_timeout(SOON);
        met.set();
        meeting.map(drop)
    })?;
    let jobs = (0..3).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    // Not a word to the pool meanwhile.
    assert!(met.wait_timeout(SOON));
    for job in jobs {
        job.get()?;
    }
    Ok(())
}

fn long_jobs_after_quick_ones_are_at_work_at_once() -> Outcome {
    const WORKERS: usize = 8;
    let all_here = Barrier::new(WORKERS)?;
    let pool = Pool::new(WORKERS, |meets: bool| match meets {
        true => all_here.wait_timeout(SOON).map(drop),
        false => Ok(()),
    })?;
    for meets in [false, true] {
        let number = if meets { WORKERS } else { 5000 };
        let jobs = (0..number).map(|_| pool.submit(meets));
        for job in jobs.collect::<Result<Vec<_>, _>>()? {
            job.get()?;
        }
    }
    Ok(())
}

fn what_a_stopped_worker_has_not_begun_is_taken_over() -> Outcome {
    let pool = Pool::new(2, square)?;
    for n in 0..4 {
        assert_eq!(pool.submit(n)?.get()?, n * n);
    }
    for stopped in pool.pids() {
        let worker = Pid::from_raw(stopped as i32);
        kill(worker, Number::SIGSTOP)?;
        assert!(eventually(|| state(stopped) == Some('T')));
        // One of the two is given to the stopped one.
        let jobs = [pool.submit(5)?, pool.submit(6)?];
        let [five, six] = jobs.map(|job| job.get_timeout(SOON));
        kill(worker, Number::SIGCONT)?;
        assert_eq!((five?, six?), (25, 36));
    }
    Ok(())
}

fn a_stopped_worker_is_named_and_holds_nobody_up() -> Outcome {
    let pool = Pool::new(2, |n: u64| {
        if n == 0 {
            let _ = raise(Number::SIGSTOP);
        }
        n
    })?;
    let jobs =
        (0..50).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    let mut jobs = jobs.into_iter();
    let stopped = jobs.next().expect("there are 50");
    for (n, job) in (1..).zip(jobs) {
        assert_eq!(job.get()?, n);
    }
    let error = stopped
        .get_timeout(Duration::from_millis(20))
        .expect_err("its worker is stopped");
    let JobError::TimedOut { worker: Some((pid, true)), .. } = error else {
        return Err(error.into());
    };
    kill(Pid::from_raw(pid as i32), Number::SIGCONT)?;
    assert_eq!(stopped.get()?, 0);
    kill(Pid::from_raw(pid as i32), Number::SIGSTOP)?;
    pool.close();
    pool.join()?;
    assert!(no_children());
    Ok(())
}

fn the_parents_death_takes_the_workers_along() -> Outcome {
    let (mut read, write) = pipe()?;
    let parent = Process::spawn(|| {
        let pool = Pool::new(2, |_: u32| sleep_until_killed())
            .map_err(|error| error.to_string())?;
        let _busy = pool.submit(1).map_err(|error| error.to_string())?;
        for pid in pool.pids() {
            (&write)
                .write_all(&pid.to_le_bytes())
                .map_err(|error| error.to_string())?;
        }
        sleep_until_killed();
        Ok::<_, String>(())
    })?;
    drop(write);
    let mut pids = [[0; 4]; 2];
    read.read_exact(pids.as_flattened_mut())?;
    parent.kill()?;
    assert!(parent.join().is_err());
    assert_eq!(read.read(&mut [0])?, 0);
    for pid in pids.map(u32::from_le_bytes) {
        assert!(eventually(|| state(pid).is_none_or(|state| state == 'Z')));
    }
    Ok(())
}

fn dropping_ends_workers_and_gives_all_back() -> Outcome {
    let before = open_descriptors()?;
    for _ in 0..10 {
        let pool = Pool::new(2, |_: u32| sleep_until_killed())?;
        let _busy = pool.submit(1)?;
    }
    assert!(no_children());
    assert_eq!(open_descriptors()?, before);
    Ok(())
}

fn a_worker_that_cannot_be_replaced_is_an_error_until_it_can() -> Outcome {
    // The limit of processes does not hold for root.
    let child = Process::spawn(|| {
        if Uid::effective().is_root() {
            setuid(Uid::from_raw(65_534))?;
        }
        let pool = Pool::new(1, suicidal)?;
        assert_eq!(pool.submit(1)?.get()?, 1);
        let (soft, hard) = getrlimit(Resource::RLIMIT_NPROC)?;
        setrlimit(Resource::RLIMIT_NPROC, 0, hard)?;
        let jobs = [pool.submit(13)?, pool.submit(2)?, pool.submit(3)?];
        let mut lost = 0;
        for job in jobs {
            match job.get() {
                Err(JobError::Lost { .. }) => lost += 1,
                Err(JobError::NoWorker { message }) => {
                    assert!(
                        message.contains("limit of processes"),
                        "{message}"
                    );
                }
                other => return Err(format!("{other:?}").into()),
            }
        }
        assert_eq!(lost, 1);
        setrlimit(Resource::RLIMIT_NPROC, soft, hard)?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
            pool.submit(4)?.get()?,
        )
    })?;
    assert_eq!(child.join()?, 4);
    Ok(())
}

fn with_sigchld_ignored_a_lost_job_is_still_told_of() -> Outcome {
    ignore(Number::SIGCHLD)?;
    let pool = Pool::new(2, suicidal)?;
    let jobs =
        (12..20).map(|n| pool.submit(n)).collect::<Result<Vec<_>, _>>()?;
    for (n, job) in (12..).zip(jobs) {
        match job.get() {
            Err(JobError::Lost { status, .. }) => {
                assert_eq!((n, status), (13, Status::Unknown))
            }
            result => assert_eq!(result?, n),
        }
    }
    Ok(())
}

fn a_pool_in_a_worker_is_refused() -> Outcome {
    let pool = Pool::new(1, |_: u32| match Pool::new(1, square) {
        Err(PoolError::Spawn {
            source: SpawnError::DaemonMayNotSpawn { .. },
            ..
        }) => "refused".to_owned(),
        other => format!("{other:?}"),
    })?;
    assert_eq!(pool.submit(1)?.get()?, "refused");
    Ok(())
}

struct Stubborn;

impl serde::Serialize for Stubborn {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not for sending"))
    }
}

impl<'de> serde::Deserialize<'de> for Stubborn {
    fn deserialize<D: serde::Deserializer<'de>>(
        _: D,
    ) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

fn an_argument_that_cannot_be_encoded_is_refused() -> Outcome {
    let pool = Pool::new(1, |argument: Option<Stubborn>| argument.is_none())?;
    assert!(matches!(pool.submit(Some(Stubborn)), Err(PoolError::Argument(_))));
    let mixed = [None, Some(Stubborn), None];
    assert!(matches!(
        pool.map(mixed),
        Err(MapError::Pool(PoolError::Argument(_)))
    ));
    assert!(pool.submit(None)?.get()?);
    Ok(())
}
