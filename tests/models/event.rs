//! The event of lesson 21 under a model checker: shuttle runs its threads in
//! one order after another, and stops where all of them wait. Time does not
//! pass there: what waits with a time-out waits.

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

#[path = "../../lessons/21-event/src/event.rs"]
mod event;

use event::Event;
use real::time::Duration;
use shuttle::sync::Arc;
use shuttle::{check_dfs, check_pct, check_random};

const ORDERS: usize = 3_000;

/// So many cars wait, and one turns the light.
fn cars(number: usize, light: Event, turn: fn(&Event, usize)) {
    let light = Arc::new(light);
    let car = || {
        let light = Arc::clone(&light);
        thread::spawn(move || light.wait())
    };
    let running: Vec<_> = (0..number).map(|_| car()).collect();
    turn(&light, number);
    for car in running {
        car.join().expect("it does not panic");
    }
}

fn set(light: &Event, _: usize) {
    light.set();
}

fn flash(light: &Event, cars: usize) {
    light.until_waiting(cars, Duration::MAX);
    light.flash();
}

fn set_and_clear(light: &Event, cars: usize) {
    light.until_waiting(cars, Duration::MAX);
    light.set();
    light.clear();
}

#[test]
fn all_orders_of_one_car() {
    check_dfs(|| cars(1, Event::new(), set), None);
    check_dfs(|| cars(1, Event::new(), flash), None);
}

#[test]
fn many_orders_of_many_cars() {
    for turn in [set, flash, set_and_clear] {
        check_random(move || cars(3, Event::new(), turn), ORDERS);
        check_pct(move || cars(3, Event::new(), turn), ORDERS, 3);
    }
}

/// Who wakes and only looks at what is now may sleep for ever.
#[test]
#[should_panic(expected = "deadlock")]
fn a_light_that_forgets_is_found() {
    check_random(|| cars(2, Event::that_forgets(), set_and_clear), ORDERS);
}
