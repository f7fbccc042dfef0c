//! Event: one light, twenty cars.
//!
//! A lock lets them pass one by one. What lets all of them pass at once?

mod flash;
mod patience;
mod started;

use shared::lesson::equals;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

const CARS: usize = 20;

fn main() -> ExitCode {
    lesson![
        red_then_green,
        patience::too_late_to_wait,
        patience::only_so_long,
        flash::forgotten,
        flash::remembered,
        started::really_started,
        started::price,
    ]
    .run()
}

/// Twenty cars wait for one light. How many drive while it is red?
fn red_then_green(stage: &Stage) -> shared::Result {
    let (light, green) = (stage.track("light"), Event::new());
    thread::scope(|scope| {
        for car in cars(stage) {
            let green = &green;
            scope.spawn(move || {
                car.span("waits", || green.wait());
                car.span("drives", || car.pause(0.5));
            });
        }
        light.span("red", || light.pause(1.5));
        light.say("green");
        green.set();
    });
    let trace = stage.trace()?;
    let early = trace.overlap("red", "drives");
    stage.claim("no car drives while it is red", early, equals(false));
    let driven = trace.count("drives");
    stage.claim("cars that drive then: all", driven, equals(CARS));
    Ok(())
}

fn cars(stage: &Stage) -> Vec<Track> {
    (1..=CARS).map(|n| stage.track(format!("car {n}"))).collect()
}

/// Set once, it lets pass all who wait, and all who come later.
#[derive(Default)]
struct Event {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether it only looks at what is now, not at what has been.
    forgets: bool,
}

#[derive(Default)]
struct State {
    set: bool,
    /// How often it was set.
    times: u64,
    waiting: usize,
}

impl Event {
    fn new() -> Self {
        Self::default()
    }

    fn set(&self) {
        let mut state = self.state();
        (state.set, state.times) = (true, state.times + 1);
        self.changed.notify_all();
    }

    fn clear(&self) {
        self.state().set = false;
    }

    /// Sets and clears it, before anybody whom that wakes can look.
    fn flash(&self) {
        let mut state = self.state();
        (state.set, state.times) = (false, state.times + 1);
        self.changed.notify_all();
    }

    /// Whether it was set within `time`.
    fn wait_timeout(&self, time: Duration) -> bool {
        let mut state = self.state();
        let before = state.times;
        state.waiting += 1;
        self.changed.notify_all();
        let sleeps = |state: &mut State| {
            !state.set && (self.forgets || state.times == before)
        };
        let woken = self.changed.wait_timeout_while(state, time, sleeps);
        let (mut state, late) = woken.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        !late.timed_out()
    }

    fn wait(&self) {
        while !self.wait_timeout(Duration::MAX) {}
    }

    /// Waits until so many wait.
    fn until_waiting(&self, number: usize) {
        let enough = |state: &mut State| state.waiting < number;
        drop(self.changed.wait_while(self.state(), enough));
    }

    /// Never half changed, even if its last user panicked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
