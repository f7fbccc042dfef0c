//! What is swept, and what must hold for those who are left.

use std::time::{Duration, Instant};
use std::{cell::Cell, thread};

use nix::unistd::Pid;
use shared::process::{
    Answer, Barrier, Event, JoinableQueue, Lock, Process, Queue, QueueError,
    Semaphore,
};

use crate::point::{Failure, Trial, sleeps};

/// One operation.
pub struct Operation {
    pub name: &'static str,
    /// Whether it is swept without `--all`.
    pub always: bool,
    /// How many of a hundred points the child must come to at least: all but
    /// few, unless it depends on others how long it looks before it sleeps.
    pub reached: usize,
    /// Kills a child at the point and looks whether the others go on.
    pub run: fn(&mut Trial) -> Result<(), Failure>,
}

const fn always(
    name: &'static str,
    run: fn(&mut Trial) -> Result<(), Failure>,
) -> Operation {
    Operation { name, always: true, reached: 99, run }
}

const fn on_request(
    name: &'static str,
    run: fn(&mut Trial) -> Result<(), Failure>,
) -> Operation {
    Operation { name, always: false, reached: 90, run }
}

pub const OPERATIONS: &[Operation] = &[
    always("put", |trial| put(trial, false)),
    always("put, a getter asleep", |trial| put(trial, true)),
    always("get", |trial| get(trial, false)),
    always("get, a putter asleep", |trial| get(trial, true)),
    on_request("put asleep for room", put_asleep),
    on_request("get asleep for an item", get_asleep),
    on_request("close, getters asleep", close_for_getters),
    on_request("close, putters asleep", close_for_putters),
    on_request("task_done", |trial| task_done(trial, false)),
    on_request("task_done, joiners asleep", |trial| task_done(trial, true)),
    on_request("join", |trial| join(trial, false)),
    on_request("join asleep, another asleep", |trial| join(trial, true)),
    always("lock and unlock", lock_and_unlock),
    always("unlock, waiters asleep", unlock),
    on_request("lock asleep, the lock taken by a third", lock_asleep),
    on_request("acquire and release", acquire_and_release),
    on_request("release, waiters asleep", release),
    on_request("acquire asleep, another asleep", acquire_asleep),
    always("set", |trial| set(trial, false)),
    always("set, waiters asleep", |trial| set(trial, true)),
    on_request("clear", clear),
    on_request("wait", |trial| wait(trial, false)),
    on_request("wait asleep, another asleep", |trial| wait(trial, true)),
    on_request("barrier, the last one comes", barrier_last),
    on_request("barrier, asleep for the last one", barrier_asleep),
];

/// What survivors may take.
const SOON: Duration = Duration::from_millis(200);

/// What the killed child puts, and what a survivor puts afterwards.
const CHILDS: [u64; 3] = [1, u64::MAX, 0x0101_0101];
const OURS: [u64; 3] = [2, u64::MAX - 1, 0x0202_0202];

fn put(trial: &mut Trial, with_sleeper: bool) -> Result<(), Failure> {
    let queue = Queue::bounded(2)?;
    let getter = with_sleeper
        .then(|| sleeper(|| queue.get_timeout(SOON * 10)))
        .transpose()?;
    let done =
        trial.run(nothing, ready, |()| succeed(queue.put(&CHILDS)), || ())?;
    if getter.is_some() {
        soon("the sleeper gets what was put", || queue.is_empty())?;
    }
    queue.put_timeout(&OURS, SOON)?;
    let mut got = Vec::new();
    if let Some(getter) = getter {
        got.push(ended(getter)?);
    }
    while let Ok(item) = queue.try_get() {
        got.push(item);
    }
    match got.as_slice() {
        [CHILDS, OURS] => {}
        [OURS] if !done => {}
        got => return Err(format!("put and done: {done}, got: {got:?}").into()),
    }
    has_room(&queue)
}

fn get(trial: &mut Trial, with_sleeper: bool) -> Result<(), Failure> {
    let queue = Queue::bounded(1)?;
    queue.put(&CHILDS)?;
    let putter = with_sleeper
        .then(|| sleeper(|| queue.put_timeout(&OURS, SOON * 10)))
        .transpose()?;
    let done = trial.run(
        nothing,
        ready,
        |()| succeed(queue.get().map(drop)),
        || (),
    )?;
    let mut got = Vec::new();
    if let Some(putter) = putter {
        while got.last() != Some(&OURS) {
            got.push(queue.get_timeout(SOON)?);
        }
        ended(putter)?;
    } else {
        got.extend(queue.try_get());
        queue.put_timeout(&OURS, SOON)?;
        got.push(queue.get_timeout(SOON)?);
    }
    match got.as_slice() {
        [CHILDS, OURS] if !done => {}
        [OURS] => {}
        got => return Err(format!("got and done: {done}, got: {got:?}").into()),
    }
    has_room(&queue)
}

fn put_asleep(trial: &mut Trial) -> Result<(), Failure> {
    let queue = Queue::bounded(1)?;
    queue.put(&OURS)?;
    let other = sleeper(|| queue.put_timeout(&OURS, SOON * 10))?;
    let got = Cell::new(0);
    let make_room = || got.set(got.get() + u32::from(queue.try_get().is_ok()));
    trial.run(nothing, ready, |()| succeed(queue.put(&CHILDS)), make_room)?;
    // Ours twice, and the child's at most once.
    let mut left = 0;
    while other.is_alive() && left < 3 {
        left += u32::from(queue.get_timeout(SOON).is_ok());
    }
    ended(other)?;
    while queue.try_get().is_ok() {
        left += 1;
    }
    if !(2..=3).contains(&(got.get() + left)) {
        return Err(format!("got {} and then {left}", got.get()).into());
    }
    has_room(&queue)
}

fn get_asleep(trial: &mut Trial) -> Result<(), Failure> {
    let queue = Queue::bounded(2)?;
    let other = sleeper(|| queue.get_timeout(SOON * 10))?;
    let bring_item = || drop(queue.try_put(&OURS));
    trial.run(
        nothing,
        ready,
        |()| succeed(queue.get().map(drop)),
        bring_item,
    )?;
    queue.put_timeout(&OURS, SOON)?;
    if ended(other)? != OURS {
        return Err("an item is torn".into());
    }
    while queue.try_get().is_ok() {}
    has_room(&queue)
}

fn close_for_getters(trial: &mut Trial) -> Result<(), Failure> {
    let queue = Queue::<u8>::bounded(1)?;
    let closed =
        || matches!(queue.get_timeout(SOON * 10), Err(QueueError::Closed));
    let getters = [sleeper(closed)?, sleeper(closed)?];
    trial.run(nothing, ready, |()| queue.close(), || ())?;
    if !queue.is_closed() {
        queue.close();
    }
    for getter in getters {
        holds("a getter is told that it is closed", ended(getter)?)?;
    }
    Ok(())
}

fn close_for_putters(trial: &mut Trial) -> Result<(), Failure> {
    let queue = Queue::bounded(1)?;
    queue.put(&OURS)?;
    let closed = || {
        matches!(queue.put_timeout(&OURS, SOON * 10), Err(QueueError::Closed))
    };
    let putters = [sleeper(closed)?, sleeper(closed)?];
    trial.run(nothing, ready, |()| queue.close(), || ())?;
    if !queue.is_closed() {
        queue.close();
    }
    for putter in putters {
        holds("a putter is told that it is closed", ended(putter)?)?;
    }
    holds("what was put is there", queue.get()? == OURS)
}

fn task_done(trial: &mut Trial, last_one: bool) -> Result<(), Failure> {
    let work = JoinableQueue::bounded(2)?;
    work.put(&OURS)?;
    if !last_one {
        work.put(&OURS)?;
    }
    let before = work.unfinished();
    let joining = || work.join_timeout(SOON * 10);
    let joiners = [sleeper(joining)?, sleeper(joining)?];
    let done =
        trial.run(nothing, ready, |()| succeed(work.task_done()), || ())?;
    let counted = before - work.unfinished();
    holds("it is counted once at most", counted <= 1)?;
    holds("it is counted when it is done", counted == 1 || !done)?;
    while work.unfinished() > 0 {
        work.task_done()?;
    }
    for joiner in joiners {
        holds("a joiner is told", ended(joiner)?)?;
    }
    holds("not more are done than were put", work.task_done().is_err())
}

fn join(trial: &mut Trial, asleep: bool) -> Result<(), Failure> {
    let work = JoinableQueue::bounded(1)?;
    let mut other = None;
    if asleep {
        work.put(&OURS)?;
        other = Some(sleeper(|| work.join_timeout(SOON * 10))?);
    }
    trial.run(nothing, ready, |()| work.join(), || drop(work.task_done()))?;
    if work.unfinished() > 0 {
        work.task_done()?;
    }
    if let Some(other) = other {
        holds("another that joins is told", ended(other)?)?;
    }
    holds("all is done", work.join_timeout(SOON))
}

fn lock_and_unlock(trial: &mut Trial) -> Result<(), Failure> {
    let lock = Lock::new(0_u64)?;
    let add = |()| *lock.lock().expect("nobody else holds it") += 1;
    let done = trial.run(nothing, ready, add, || ())?;
    let other = other(|| lock.lock_timeout(SOON).map(|guard| *guard))?;
    let seen = ended(other)?;
    holds("the value is whole", seen == 1 || seen == 0 && !done)?;
    holds("it is told once", lock.lock_timeout(SOON)?.dead_owner().is_none())
}

fn unlock(trial: &mut Trial) -> Result<(), Failure> {
    let lock = Lock::new(0_u64)?;
    let waiting = || {
        lock.lock_timeout(SOON * 10).map(|mut count| {
            *count += 1;
            count.dead_owner().is_some()
        })
    };
    let waiters = Cell::new(None);
    let done = trial.run(
        || lock.lock().expect("nobody else holds it"),
        || {
            waiters.set(Some([sleeper(waiting)?, sleeper(waiting)?]));
            Ok(())
        },
        drop,
        || (),
    )?;
    let mut told = 0;
    for waiter in waiters.take().into_iter().flatten() {
        told += u32::from(ended(waiter)?);
    }
    holds("each waiter was in", *lock.lock_timeout(SOON)? == 2)?;
    holds(
        "one is told at most, none if nobody died in it",
        told <= u32::from(!done),
    )
}

/// glibc's robust mutex loses a wake-up when a woken waiter is killed while a
/// third process takes the lock: the one that sleeps behind it is not woken.
fn lock_asleep(trial: &mut Trial) -> Result<(), Failure> {
    let lock = Lock::new(0_u64)?;
    let waiting = || lock.lock_timeout(SOON * 10).map(|mut count| *count += 1);
    let held = Cell::new(Some(lock.lock()?));
    let behind = Cell::new(None);
    let hand_over = || {
        let other = behind.take();
        let first_time = other.is_none();
        behind.set(Some(other.unwrap_or_else(|| sleeper(waiting))));
        drop(held.take());
        if first_time {
            held.set(lock.try_lock().ok());
        }
    };
    let add = |()| *lock.lock().expect("it comes free") += 1;
    trial.run(nothing, ready, add, hand_over)?;
    drop(held.take());
    if let Some(other) = behind.take() {
        ended(other?)?;
    }
    let count = *lock.lock_timeout(SOON)?;
    holds("the value is whole", count <= 2)
}

fn acquire_and_release(trial: &mut Trial) -> Result<(), Failure> {
    let seats = Semaphore::new(1)?;
    let sit = |()| drop(seats.acquire().expect("it is free"));
    trial.run(nothing, ready, sit, || ())?;
    ended(other(|| seats.acquire_timeout(SOON).map(drop))?)?;
    holds("the permit is back", seats.available() == 1)
}

fn release(trial: &mut Trial) -> Result<(), Failure> {
    let seats = Semaphore::new(1)?;
    let waiting = || seats.acquire_timeout(SOON * 10).map(drop);
    let waiters = Cell::new(None);
    trial.run(
        || seats.acquire().expect("it is free"),
        || {
            waiters.set(Some([sleeper(waiting)?, sleeper(waiting)?]));
            Ok(())
        },
        drop,
        || (),
    )?;
    for waiter in waiters.take().into_iter().flatten() {
        ended(waiter)?;
    }
    holds("the permit is back", seats.available() == 1)
}

fn acquire_asleep(trial: &mut Trial) -> Result<(), Failure> {
    let seats = Semaphore::new(1)?;
    let seat = Cell::new(Some(seats.acquire()?));
    let other = sleeper(|| seats.acquire_timeout(SOON * 10).map(drop))?;
    let sit = |()| drop(seats.acquire().expect("it comes free"));
    trial.run(nothing, ready, sit, || drop(seat.take()))?;
    drop(seat.take());
    ended(other)?;
    holds("the permit is back", seats.available() == 1)
}

fn set(trial: &mut Trial, with_sleepers: bool) -> Result<(), Failure> {
    let event = Event::new()?;
    let mut waiters = Vec::new();
    if with_sleepers {
        for _ in 0..2 {
            waiters.push(sleeper(|| event.wait_timeout(SOON * 10))?);
        }
    }
    let done = trial.run(nothing, ready, |()| event.set(), || ())?;
    holds("it is set when set is done", event.is_set() || !done)?;
    if !event.is_set() {
        event.set();
    }
    for waiter in waiters {
        holds("a waiter gets through", ended(waiter)?)?;
    }
    event.clear();
    holds("it can be cleared", !event.is_set())
}

fn clear(trial: &mut Trial) -> Result<(), Failure> {
    let event = Event::new()?;
    event.set();
    let done = trial.run(nothing, ready, |()| event.clear(), || ())?;
    holds("it is cleared when clear is done", !event.is_set() || !done)?;
    event.clear();
    let waiter = sleeper(|| event.wait_timeout(SOON * 10))?;
    event.set();
    holds("a waiter gets through", ended(waiter)?)
}

fn wait(trial: &mut Trial, asleep: bool) -> Result<(), Failure> {
    let event = Event::new()?;
    let mut other = None;
    if asleep {
        other = Some(sleeper(|| event.wait_timeout(SOON * 10))?);
    } else {
        event.set();
    }
    trial.run(nothing, ready, |()| event.wait(), || event.set())?;
    event.set();
    if let Some(other) = other {
        holds("another waiter gets through", ended(other)?)?;
    }
    Ok(())
}

fn barrier_last(trial: &mut Trial) -> Result<(), Failure> {
    let barrier = Barrier::new(2)?;
    let other = sleeper(|| barrier.wait_timeout(SOON * 10).is_ok())?;
    let come = |()| drop(barrier.wait());
    let done = trial.run(nothing, ready, come, || ())?;
    // If the child did not come before it died, we come in its place.
    let passed = other.join_timeout(SOON / 2).is_some();
    holds("it passes when the last one has come", passed || !done)?;
    if !passed {
        barrier.wait_timeout(SOON)?;
    }
    holds("the other passes", ended(other)?)
}

fn barrier_asleep(trial: &mut Trial) -> Result<(), Failure> {
    let barrier = Barrier::new(3)?;
    let other = sleeper(|| barrier.wait_timeout(SOON * 10).is_ok())?;
    let came = Cell::new(false);
    let come = || {
        if !came.replace(true) {
            let _ = barrier.wait_timeout(Duration::ZERO);
        }
    };
    trial.run(nothing, ready, |()| drop(barrier.wait()), come)?;
    // Whether the child came or not, the barrier is passed or it breaks.
    if other.is_alive() {
        let _ = barrier.wait_timeout(SOON / 2);
    }
    ended(other).map(drop)
}

/// Another process that waits for something, asleep when this returns.
fn sleeper<R: Answer>(
    body: impl FnOnce() -> R + Send,
) -> Result<Process<R::Value>, Failure> {
    let process = other(body)?;
    let pid = Pid::from_raw(process.pid().try_into()?);
    while !sleeps(pid)? {
        thread::yield_now();
    }
    Ok(process)
}

fn other<R: Answer>(
    body: impl FnOnce() -> R + Send,
) -> Result<Process<R::Value>, Failure> {
    Ok(Process::builder().daemon(true).spawn(body)?)
}

/// What a survivor answers, which it must do soon.
fn ended<T: serde::Serialize + serde::de::DeserializeOwned>(
    process: Process<T>,
) -> Result<T, Failure> {
    if process.join_timeout(SOON).is_none() {
        process.kill()?;
        return Err(format!("a survivor does not go on within {SOON:?}").into());
    }
    Ok(process.join()?)
}

fn soon(what: &str, so: impl Fn() -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + SOON;
    while !so() {
        if Instant::now() > deadline {
            return Err(format!("not within {SOON:?}: {what}").into());
        }
        thread::yield_now();
    }
    Ok(())
}

fn holds(what: &str, so: bool) -> Result<(), Failure> {
    if so { Ok(()) } else { Err(what.into()) }
}

/// Whether all the room of an empty queue can be used.
fn has_room(queue: &Queue<[u64; 3]>) -> Result<(), Failure> {
    for _ in 0..queue.capacity() {
        queue.put_timeout(&OURS, SOON)?;
    }
    holds("it is full then", queue.try_put(&OURS).is_err())?;
    for _ in 0..queue.capacity() {
        holds("items are whole", queue.get_timeout(SOON)? == OURS)?;
    }
    Ok(())
}

fn nothing() {}

fn ready() -> Result<(), Failure> {
    Ok(())
}

fn succeed(result: Result<(), QueueError>) {
    result.expect("nothing is wrong with it");
}
