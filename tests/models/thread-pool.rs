//! The future of lesson 22 under a model checker: shuttle runs its threads in
//! one order after another, and stops where all of them wait.

// What the lesson's file calls std is this crate, whose mutex and condition
// variable are the checker's own.
extern crate self as std;
extern crate std as real;

pub use real::{error, fmt, mem, panic, time};
pub use shuttle::thread;

/// Of the checker, as far as it has it.
pub mod sync {
    pub use real::sync::*;
    pub use shuttle::sync::{Condvar, Mutex, MutexGuard};
}

#[path = "../../lessons/22-thread-pool/src/future.rs"]
mod future;

use future::{Future, JobError, Promise};
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle::{check_dfs, check_pct, check_random};
use time::Duration;

const ORDERS: usize = 3_000;

type Outcome = Result<u32, JobError>;

/// Adds a callback that counts, and that finds an outcome.
fn count(future: &Future<'static, u32>, called: &Arc<AtomicUsize>) {
    let called = Arc::clone(called);
    future.on_done(move |future| {
        assert!(future.is_done());
        assert_ne!(future.result(), Err(JobError::TimedOut));
        called.fetch_add(1, SeqCst);
    });
}

/// One does the job while another cancels it.
fn kept_or_cancelled() {
    let (future, promise) = Promise::new();
    let (ran, called) = (Arc::new(AtomicUsize::new(0)), Arc::default());
    count(&future, &called);
    let runs = Arc::clone(&ran);
    let worker = thread::spawn(move || {
        promise.keep(|| Ok(7 + runs.fetch_add(1, SeqCst) as u32));
    });
    let cancelled = future.cancel();
    let outcome = future.result();
    worker.join().expect("it does not panic");
    let (expected, times): (Outcome, _) = match cancelled {
        true => (Err(JobError::Cancelled), 0),
        false => (Ok(7), 1),
    };
    assert_eq!(outcome, expected);
    assert_eq!(ran.load(SeqCst), times, "it is run or cancelled");
    assert_eq!(called.load(SeqCst), 1, "each callback is called once");
}

/// One does the job, others wait, cancel, and add callbacks.
fn many_at_once() {
    let (future, promise) = Promise::new();
    let called = Arc::new(AtomicUsize::new(0));
    let keeps = thread::spawn(move || promise.keep(|| Ok(7)));
    let cancels = future.clone();
    let cancels = thread::spawn(move || cancels.cancel());
    let (asks, counts) = (future.clone(), Arc::clone(&called));
    let asks = thread::spawn(move || {
        count(&asks, &counts);
        asks.result()
    });
    count(&future, &called);
    let outcome = future.result_timeout(Duration::from_secs(1));
    assert_eq!(asks.join().expect("it does not panic"), outcome);
    let cancelled = cancels.join().expect("it does not panic");
    keeps.join().expect("it does not panic");
    assert_eq!(cancelled, outcome == Err(JobError::Cancelled));
    assert_eq!(called.load(SeqCst), 2);
    assert!(future.is_done());
}

/// The job panics; nobody does the other one.
fn no_result() {
    let ((first, promise), (second, dropped)) =
        (Promise::<u32>::new(), Promise::<u32>::new());
    let panicked = || Err(JobError::Panicked("why".to_owned()));
    let worker = thread::spawn(move || {
        promise.keep(panicked);
        drop(dropped);
    });
    assert_eq!(second.result(), Err(JobError::Cancelled));
    assert_eq!(first.result(), panicked());
    worker.join().expect("it does not panic");
}

#[test]
fn all_orders_of_two() {
    check_dfs(kept_or_cancelled, None);
    check_dfs(no_result, None);
}

#[test]
fn many_orders_of_many() {
    check_random(many_at_once, ORDERS);
    check_pct(many_at_once, ORDERS, 3);
}

/// A promise that is forgotten, neither kept nor dropped: someone waits for
/// ever.
#[test]
#[should_panic(expected = "deadlock")]
fn a_promise_that_is_forgotten_is_found() {
    let forgotten = || {
        let (future, promise) = Promise::<u32>::new();
        thread::spawn(move || mem::forget(promise));
        let _ = future.result();
    };
    check_random(forgotten, ORDERS);
}
