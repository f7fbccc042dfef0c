//! The semaphore of lesson 20 under a model checker: shuttle runs its threads
//! in one order after another, and stops where all of them wait.

// What the lesson's file calls std is this crate, whose mutex and condition
// variable are the checker's own.
extern crate self as std;
extern crate std as real;

pub use real::*;
pub use shuttle::thread;

/// Of the checker, as far as it has it.
pub mod sync {
    pub use real::sync::*;
    pub use shuttle::sync::{Condvar, Mutex, MutexGuard};
}

#[path = "../../lessons/20-semaphore/src/semaphore.rs"]
mod semaphore;

use semaphore::Semaphore;
use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use shuttle::{check_dfs, check_pct, check_random};

const ORDERS: usize = 3_000;

/// So many guests want one of so many permits, `rounds` times each.
fn guests(number: usize, permits: usize, rounds: usize) {
    let seats = Arc::new(Semaphore::new(permits, Some(permits)));
    let inside = Arc::new(AtomicUsize::new(0));
    let guest = || {
        let (seats, inside) = (Arc::clone(&seats), Arc::clone(&inside));
        thread::spawn(move || {
            for _ in 0..rounds {
                seats.acquire();
                assert!(inside.fetch_add(1, SeqCst) < permits, "too many");
                inside.fetch_sub(1, SeqCst);
                seats.release().expect("it was acquired");
            }
        })
    };
    let running: Vec<_> = (0..number).map(|_| guest()).collect();
    for guest in running {
        guest.join().expect("it does not panic");
    }
    assert_eq!(*seats.free(), permits);
}

#[test]
fn all_orders_of_two_guests() {
    check_dfs(|| guests(2, 1, 1), None);
}

#[test]
fn many_orders_of_many_guests() {
    check_random(|| guests(4, 2, 2), ORDERS);
    check_pct(|| guests(4, 2, 2), ORDERS, 3);
}

/// A permit that comes back and wakes nobody: someone sleeps for ever.
#[test]
#[should_panic(expected = "deadlock")]
fn a_release_that_wakes_nobody_is_found() {
    use shuttle::sync::{Condvar, Mutex};
    let broken = || {
        let seats = Arc::new((Mutex::new(1), Condvar::new()));
        let guest = || {
            let seats = Arc::clone(&seats);
            thread::spawn(move || {
                let (free, returned) = &*seats;
                let free = free.lock().expect("nobody panics");
                let free = returned.wait_while(free, |free| *free == 0);
                *free.expect("nobody panics") -= 1;
                thread::yield_now();
                *seats.0.lock().expect("nobody panics") += 1;
            })
        };
        for guest in [guest(), guest()] {
            guest.join().expect("it does not panic");
        }
    };
    check_random(broken, ORDERS);
}
