//! More that want the same lock.

use crate::curve::{Curve, Kind};
use crate::family::{Family, View};
use crate::memory;
use crate::reading::Reading;
use crate::unit::{Unit, count};
use anyhow::{Context, Result, ensure};
use nix::libc;
use nix::time::{ClockId, clock_gettime};
use shared::process::{Barrier, Lock, Process, Semaphore};
use std::cell::UnsafeCell;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{self, Mutex};
use std::time::Duration;
use std::{mem, ptr, thread};

/// How often it is taken in all.
const TIMES: u64 = 1_000_000;
const TIMES_IN_PYTHON: u64 = 100_000;

pub fn family() -> Family {
    let all: fn(u64) -> u64 = |_| TIMES;
    Family {
        name: "locks",
        counted: "processes",
        about: format!(
            "A lock is taken, a number in shared memory counted up, and the \
             lock given back, by whoever gets it, until it has been done \
             {} times in all, in Python {} times. From when \
             the first begins until the last has seen that it is done. A mutex of three states around futex(2) is the \
             limit, a pthread mutex that processes share is beside it, and \
             std's Mutex with as many threads.",
            count(TIMES),
            count(TIMES_IN_PYTHON)
        ),
        points: &[1, 2, 4, 8, 16, 32, 64],
        few: &[1, 8],
        views: vec![View {
            name: "locks",
            title: "A lock that more want",
            axis: "time for taking it once",
            unit: Unit::Seconds,
            bound: None,
        }],
        curves: vec![
            Curve::new("Lock", Kind::Ours, lock, all),
            Curve::new("Semaphore(1)", Kind::Ours, semaphore, all),
            Curve::new("std Mutex", Kind::Other, std_mutex, all),
            Curve::new("pthread mutex", Kind::Other, pthread, all),
            Curve::new("futex", Kind::Limit, futex, all),
            Curve::python("Python Lock", "locks", &[TIMES_IN_PYTHON], |_| {
                TIMES_IN_PYTHON
            }),
        ],
    }
}

/// When one of them began, and when it was done.
type Shift = (Duration, Duration);

fn reading(shifts: &[Shift], counted: u64) -> Result<Reading> {
    let began = shifts.iter().map(|shift| shift.0).min();
    let ended = shifts.iter().map(|shift| shift.1).max();
    let took = ended.zip(began).context("nobody wanted it")?;
    let took = (took.0 - took.1).as_secs_f64();
    Ok(Reading::new(took / TIMES as f64, counted))
}

/// Does it until that says that there is nothing left to do. (Who had a fixed
/// share would often be done before the others get a core.)
fn shift(mut once: impl FnMut() -> Result<bool>) -> Result<Shift> {
    let began = now()?;
    while once()? {}
    Ok((began, now()?))
}

/// Counts up, unless it has been done so often as it is to be.
fn up(number: &mut u64) -> bool {
    let more = *number < TIMES;
    *number += u64::from(more);
    more
}

/// A time that means the same in every process of this machine.
fn now() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC)?.into())
}

/// So many processes begin at the same time.
fn processes(
    number: u64,
    once: impl Fn() -> Result<bool> + Sync,
) -> Result<Vec<Shift>> {
    let gate = Barrier::new(number as usize)?;
    let all = (0..number).map(|_| {
        Process::builder().daemon(true).spawn(|| {
            gate.wait()?;
            shift(&once)
        })
    });
    let all = all.collect::<Result<Vec<_>, _>>()?;
    all.into_iter().map(|process| Ok(process.join()?)).collect()
}

fn lock(number: u64) -> Result<Reading> {
    let lock = Lock::new(0_u64)?;
    let shifts = processes(number, || Ok(up(&mut *lock.lock()?)))?;
    reading(&shifts, *lock.lock()?)
}

fn semaphore(number: u64) -> Result<Reading> {
    let (semaphore, counter) = (Semaphore::new(1)?, Counter::shared()?);
    let shifts = processes(number, || {
        let _permit = semaphore.acquire()?;
        Ok(counter.up())
    })?;
    reading(&shifts, counter.value())
}

fn std_mutex(number: u64) -> Result<Reading> {
    let gate = sync::Barrier::new(number as usize);
    let lock = Mutex::new(0_u64);
    let work = || {
        gate.wait();
        shift(|| {
            let number = lock.lock();
            Ok(up(&mut number.unwrap_or_else(sync::PoisonError::into_inner)))
        })
    };
    let shifts = thread::scope(|scope| {
        let all: Vec<_> = (0..number).map(|_| scope.spawn(work)).collect();
        let shifts = all.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        shifts.collect::<Result<Vec<_>>>()
    })?;
    reading(&shifts, lock.into_inner().unwrap_or_default())
}

fn pthread(number: u64) -> Result<Reading> {
    let (lock, counter) = (PthreadMutex::shared()?, Counter::shared()?);
    let shifts = processes(number, || {
        lock.lock()?;
        let more = counter.up();
        lock.unlock()?;
        Ok(more)
    })?;
    reading(&shifts, counter.value())
}

fn futex(number: u64) -> Result<Reading> {
    let (lock, counter) = (Futex::shared()?, Counter::shared()?);
    let shifts = processes(number, || {
        lock.lock();
        let more = counter.up();
        lock.unlock();
        Ok(more)
    })?;
    reading(&shifts, counter.value())
}

/// A number that is right only if one at a time counts.
struct Counter(AtomicU64);

impl Counter {
    fn shared() -> Result<&'static Self> {
        memory::shared(Self(AtomicU64::new(0)))
    }

    fn up(&self) -> bool {
        let mut number = self.value();
        let more = up(&mut number);
        self.0.store(number, Relaxed);
        more
    }

    fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Free, taken, or taken while others may sleep (Drepper, "Futexes are
/// tricky", mutex 2). Nothing in it knows who has it: if that one is killed,
/// the others wait for ever.
struct Futex(AtomicU32);

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const AWAITED: u32 = 2;

impl Futex {
    fn shared() -> Result<&'static Self> {
        memory::shared(Self(AtomicU32::new(FREE)))
    }

    fn lock(&self) {
        let taken = self.0.compare_exchange(FREE, TAKEN, Acquire, Relaxed);
        if taken.is_ok() {
            return;
        }
        while self.0.swap(AWAITED, Acquire) != FREE {
            self.call(libc::FUTEX_WAIT, AWAITED);
        }
    }

    fn unlock(&self) {
        if self.0.swap(FREE, Release) == AWAITED {
            self.call(libc::FUTEX_WAKE, 1);
        }
    }

    #[expect(unsafe_code, reason = "this is what it costs without the library")]
    fn call(&self, operation: libc::c_int, value: u32) {
        let no_timeout = ptr::null::<libc::timespec>();
        // SAFETY: the word is there as long as the process; a wait without a
        // timeout reads nothing else.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                operation,
                value,
                no_timeout,
            );
        }
    }
}

/// The mutex of the C library, shared by processes, and no more than that: not
/// robust, so that it too stays locked if who has it is killed.
struct PthreadMutex(UnsafeCell<libc::pthread_mutex_t>);

#[expect(unsafe_code, reason = "this is what it costs without the library")]
impl PthreadMutex {
    fn shared() -> Result<&'static Self> {
        let mutex = memory::shared(Self(UnsafeCell::new(
            libc::PTHREAD_MUTEX_INITIALIZER,
        )))?;
        // SAFETY: nobody else has the mutex yet, and the attributes live until
        // it has been made.
        let made = unsafe {
            let mut attributes = mem::zeroed();
            [
                libc::pthread_mutexattr_init(&raw mut attributes),
                libc::pthread_mutexattr_setpshared(
                    &raw mut attributes,
                    libc::PTHREAD_PROCESS_SHARED,
                ),
                libc::pthread_mutex_init(mutex.0.get(), &raw const attributes),
            ]
        };
        ensure!(made == [0; 3], "a mutex cannot be made: {made:?}");
        Ok(mutex)
    }

    fn lock(&self) -> Result<()> {
        // SAFETY: it was made by `shared`, and is there as long as the process.
        let taken = unsafe { libc::pthread_mutex_lock(self.0.get()) };
        ensure!(taken == 0, "pthread_mutex_lock fails with {taken}");
        Ok(())
    }

    fn unlock(&self) -> Result<()> {
        // SAFETY: as above, and who calls this has locked it.
        let given = unsafe { libc::pthread_mutex_unlock(self.0.get()) };
        ensure!(given == 0, "pthread_mutex_unlock fails with {given}");
        Ok(())
    }
}

// SAFETY: a pthread mutex is made to be used by many.
#[expect(unsafe_code, reason = "this is what it costs without the library")]
unsafe impl Sync for PthreadMutex {}
