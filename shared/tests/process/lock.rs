//! `Lock`: one at a time, and the holder's death lets the next one in.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, mem, panic, process, thread};

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal as Number, raise};
use shared::process::{Event, Lock, LockError, Process, Semaphore, Signal};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{
    SOON, asleep, eventually, interrupt_on, sleep_until_killed,
};

pub const CASES: &[Case] = cases!("lock":
    a_second_try_from_elsewhere_is_refused,
    a_timed_one_waits_about_its_time,
    five_waiters_all_get_it,
    nothing_is_lost_under_it,
    it_is_released_by_scope_error_and_panic,
    taking_it_twice_is_an_error,
    a_killed_holder_lets_the_next_in_and_it_is_told,
    an_exit_in_the_middle_is_told_too,
    an_exec_in_the_middle_is_told_too,
    a_holder_that_kills_itself_is_told_too,
    a_thread_that_ends_in_the_middle_is_told_too,
    a_sleeping_waiter_is_let_in_when_the_holder_dies,
    a_signal_does_not_end_a_wait,
    values_of_all_plain_kinds_are_kept,
    a_forgotten_guard_keeps_the_memory,
    a_child_does_not_hold_what_its_parent_holds,
    no_memory_is_an_error,
);

const A_WHILE: Duration = Duration::from_millis(60);

fn a_second_try_from_elsewhere_is_refused() -> Outcome {
    let lock = Lock::new(())?;
    let held = lock.lock()?;
    let tried = || {
        Process::spawn(|| matches!(lock.try_lock(), Err(LockError::WouldBlock)))
    };
    assert!(tried()?.join()?);
    drop(held);
    assert!(!tried()?.join()?);
    Ok(())
}

fn a_timed_one_waits_about_its_time() -> Outcome {
    let lock = Lock::new(())?;
    let _held = lock.lock()?;
    let waited = Process::spawn(|| {
        let began = Instant::now();
        let refused = matches!(lock.lock_timeout(A_WHILE), Err(LockError::Timeout(t)) if t == A_WHILE);
        (refused, began.elapsed())
    })?;
    let (refused, waited) = waited.join()?;
    assert!(refused);
    assert!((A_WHILE..SOON).contains(&waited));
    Ok(())
}

fn five_waiters_all_get_it() -> Outcome {
    let lock = Lock::new(0)?;
    let held = lock.lock()?;
    let waiters: Vec<_> = (0..5)
        .map(|_| Process::spawn(|| lock.lock().map(|mut count| *count += 1)))
        .collect::<Result<_, _>>()?;
    for waiter in &waiters {
        assert!(eventually(|| asleep(waiter.pid())));
    }
    assert_eq!(*held, 0);
    drop(held);
    for waiter in waiters {
        waiter.join()?;
    }
    assert_eq!(*lock.lock()?, 5);
    Ok(())
}

fn nothing_is_lost_under_it() -> Outcome {
    let total = Lock::new((0_u64, 0_u64))?;
    let adders: Vec<_> = (0..4)
        .map(|_| {
            Process::spawn(|| {
                for n in 0..2_000 {
                    let mut total = total.lock()?;
                    let seen = *total;
                    if n % 500 == 0 {
                        thread::yield_now(); // lets the others run into it
                    }
                    *total = (seen.0 + 1, seen.1 + 1);
                }
                Ok::<_, LockError>(())
            })
        })
        .collect::<Result<_, _>>()?;
    for adder in adders {
        adder.join()?;
    }
    assert_eq!(*total.lock()?, (8_000, 8_000));
    Ok(())
}

fn it_is_released_by_scope_error_and_panic() -> Outcome {
    let lock = Lock::new(0)?;
    let fail = || {
        let _held = lock.lock()?;
        Err::<(), _>(LockError::WouldBlock)
    };
    assert!(fail().is_err());
    let panicked = Process::spawn(|| -> () {
        let _held = lock.lock();
        panic!("on purpose");
    })?;
    assert!(panicked.join().is_err());
    let caught = panic::catch_unwind(panic::AssertUnwindSafe(|| {
        let _held = lock.lock();
        panic!("on purpose");
    }));
    assert!(caught.is_err());
    let free = lock.try_lock()?;
    assert!(free.dead_owner().is_none(), "a panic is no death");
    Ok(())
}

fn taking_it_twice_is_an_error() -> Outcome {
    let lock = Lock::new(())?;
    let _held = lock.lock()?;
    assert!(matches!(lock.lock(), Err(LockError::HeldHere)));
    assert!(matches!(lock.try_lock(), Err(LockError::HeldHere)));
    assert!(matches!(lock.lock_timeout(A_WHILE), Err(LockError::HeldHere)));
    Ok(())
}

/// Runs a child that does something to itself while it holds the lock; then
/// the next one must get in and be told who it was.
fn dies_holding(dies: impl FnOnce() + Send) -> Outcome {
    let lock = Lock::new(0)?;
    let child = Process::spawn(|| {
        let mut guard = lock.lock()?;
        *guard = 7;
        dies();
        Ok::<_, LockError>(())
    })?;
    let pid = child.pid();
    let _ = child.join();
    let guard = lock.try_lock()?;
    let owner = guard.dead_owner().ok_or("the next one is not told")?;
    assert_eq!(owner.pid(), Some(pid));
    assert!(owner.to_string().contains(&pid.to_string()));
    assert_eq!(*guard, 7);
    drop(guard);
    assert!(lock.lock()?.dead_owner().is_none(), "it is told once");
    Ok(())
}

fn a_killed_holder_lets_the_next_in_and_it_is_told() -> Outcome {
    let lock = Lock::new(0)?;
    let held = Event::new()?;
    let holder = Process::spawn(|| {
        let _guard = lock.lock()?;
        held.set();
        sleep_until_killed();
        Ok::<_, LockError>(())
    })?;
    held.wait();
    assert!(lock.try_lock().is_err());
    holder.kill()?;
    let guard = lock.lock_timeout(SOON)?;
    let owner = guard.dead_owner().ok_or("the next one is not told")?;
    assert_eq!(owner.pid(), Some(holder.pid()));
    assert!(holder.join().is_err());
    Ok(())
}

fn an_exit_in_the_middle_is_told_too() -> Outcome {
    dies_holding(|| process::exit(3))
}

fn an_exec_in_the_middle_is_told_too() -> Outcome {
    dies_holding(|| drop(Command::new("/bin/true").exec()))
}

fn a_holder_that_kills_itself_is_told_too() -> Outcome {
    dies_holding(|| raise(Number::SIGKILL).expect("it never returns"))
}

fn a_thread_that_ends_in_the_middle_is_told_too() -> Outcome {
    let lock = Lock::new(0)?;
    thread::scope(|scope| {
        scope.spawn(|| lock.lock().map(mem::forget));
    });
    let guard = lock.lock_timeout(SOON)?;
    let owner = guard.dead_owner().ok_or("the next one is not told")?;
    assert_eq!(owner.pid(), Some(process::id()));
    Ok(())
}

fn a_sleeping_waiter_is_let_in_when_the_holder_dies() -> Outcome {
    let lock = Lock::new(0)?;
    let held = Event::new()?;
    for _ in 0..10 {
        held.clear();
        let holder = Process::spawn(|| {
            let _guard = lock.lock()?;
            held.set();
            sleep_until_killed();
            Ok::<_, LockError>(())
        })?;
        held.wait();
        let waiter = Process::spawn(|| {
            lock.lock().map(|guard| guard.dead_owner().is_some())
        })?;
        assert!(eventually(|| asleep(waiter.pid())));
        holder.kill()?;
        assert!(waiter.join()?, "the waiter is told");
        assert!(holder.join().is_err());
    }
    Ok(())
}

fn a_signal_does_not_end_a_wait() -> Outcome {
    let lock = Lock::new(0)?;
    let ready = Event::new()?;
    let guard = lock.lock()?;
    let waiter = Process::spawn(|| {
        interrupt_on(Number::SIGINT)?;
        ready.set();
        *lock.lock()? += 1;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    ready.wait();
    for _ in 0..20 {
        assert!(eventually(|| asleep(waiter.pid())));
        waiter.send(Signal::INT)?;
    }
    assert_eq!(*guard, 0);
    drop(guard);
    waiter.join()?;
    assert_eq!(*lock.lock()?, 1);
    Ok(())
}

fn values_of_all_plain_kinds_are_kept() -> Outcome {
    let lock =
        Lock::new((-3_i8, 2.5_f64, true, [u128::MAX; 3], [(1_u16, 2_u64); 2]))?;
    let child = Process::spawn(|| {
        let mut value = lock.lock()?;
        value.0 -= 1;
        value.1 *= 2.0;
        value.3[1] = 0;
        value.4[1].0 = 9;
        Ok::<_, LockError>(())
    })?;
    child.join()?;
    let value = lock.lock()?;
    let expected = (-4, 5.0, true, [u128::MAX, 0, u128::MAX], [(1, 2), (9, 2)]);
    assert_eq!(*value, expected);
    Ok(())
}

fn a_forgotten_guard_keeps_the_memory() -> Outcome {
    // The system keeps a list of the robust locks that a thread holds; it
    // would lead through memory that is gone.
    let mappings = || {
        fs::read_to_string("/proc/self/maps").map(|maps| maps.lines().count())
    };
    let other = Lock::new(0)?;
    let (lock, seats) = (Lock::new(0)?, Semaphore::new(1)?);
    mem::forget(lock.lock()?);
    mem::forget(seats.acquire()?);
    let before = mappings()?;
    drop(lock);
    drop(seats);
    assert_eq!(mappings()?, before);
    *other.lock()? += 1;
    Ok(())
}

fn a_child_does_not_hold_what_its_parent_holds() -> Outcome {
    let lock = Lock::new(0)?;
    let held = lock.lock()?;
    let child = Process::spawn(|| {
        matches!(lock.try_lock(), Err(LockError::WouldBlock))
    })?;
    assert!(child.join()?);
    assert!(matches!(lock.try_lock(), Err(LockError::HeldHere)));
    drop(held);
    assert!(lock.try_lock()?.dead_owner().is_none());
    Ok(())
}

fn no_memory_is_an_error() -> Outcome {
    setrlimit(Resource::RLIMIT_AS, 0, 0)?;
    let lock = Lock::new(0);
    let seats = Semaphore::new(1 << 20);
    let event = Event::new();
    assert!(matches!(lock, Err(LockError::Memory(_))));
    assert!(seats.is_err());
    assert!(event.is_err());
    Ok(())
}
