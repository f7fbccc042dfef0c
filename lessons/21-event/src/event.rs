//! An event, built from a mutex and a condition variable.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Set once, it lets pass all who wait, and all who come later.
#[derive(Default)]
pub struct Event {
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
    /// How many are waited for.
    awaited: usize,
}

impl Event {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn that_forgets() -> Self {
        Self { forgets: true, ..Self::default() }
    }

    pub fn set(&self) {
        let mut state = self.state();
        (state.set, state.times) = (true, state.times + 1);
        drop(state); // else who wakes finds it locked
        self.changed.notify_all();
    }

    pub fn clear(&self) {
        self.state().set = false;
    }

    /// Sets and clears it, before anybody whom that wakes can look.
    pub fn flash(&self) {
        let mut state = self.state();
        (state.set, state.times) = (false, state.times + 1);
        self.changed.notify_all();
    }

    /// Whether it was set within `time`.
    pub fn wait_timeout(&self, time: Duration) -> bool {
        let mut state = self.state();
        let before = state.times;
        state.waiting += 1;
        if state.waiting == state.awaited {
            self.changed.notify_all();
        }
        let sleeps = |state: &mut State| {
            !state.set && (self.forgets || state.times == before)
        };
        let woken = self.changed.wait_timeout_while(state, time, sleeps);
        let (mut state, late) = woken.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        !late.timed_out()
    }

    pub fn wait(&self) {
        while !self.wait_timeout(Duration::MAX) {}
    }

    /// Waits until so many wait, and no longer than `time`.
    pub fn until_waiting(&self, number: usize, time: Duration) {
        let mut state = self.state();
        state.awaited = number;
        let too_few = |state: &mut State| state.waiting < number;
        drop(self.changed.wait_timeout_while(state, time, too_few));
    }

    /// Never half changed, even if its last user panicked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
