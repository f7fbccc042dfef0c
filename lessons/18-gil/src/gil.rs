//! A global interpreter lock, as CPython has it (Python/ceval_gil.c).

use shared::Track;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So long a thread that wants the lock waits before it asks for it.
pub const SWITCH_INTERVAL: Duration = Duration::from_millis(5);

/// Whoever has it may run instructions.
#[derive(Default)]
pub struct Gil {
    state: Mutex<State>,
    given_up: Condvar,
    taken: Condvar,
    /// Somebody has waited for one interval and asks for it.
    drop_request: AtomicBool,
}

#[derive(Default)]
struct State {
    held: bool,
    /// How often it was taken.
    turn: u64,
}

/// The lock, held; dropping this gives it up.
pub struct Held<'a> {
    gil: &'a Gil,
    turn: u64,
    since: Instant,
    until: Option<Instant>,
    track: &'a Track,
}

impl Gil {
    /// Waits for the lock. Who has it is asked for it after one interval.
    pub fn take<'a>(&'a self, track: &'a Track) -> Held<'a> {
        let came = Instant::now();
        let mut state = self.state();
        while state.held {
            let turn = state.turn;
            let woken = self.given_up.wait_timeout(state, SWITCH_INTERVAL);
            let (now, late) = woken.unwrap_or_else(PoisonError::into_inner);
            state = now;
            if late.timed_out() && state.held && state.turn == turn {
                self.drop_request.store(true, Relaxed);
            }
        }
        *state = State { held: true, turn: state.turn + 1 };
        self.drop_request.store(false, Relaxed);
        self.taken.notify_all();
        // Under the mutex: nobody has begun to wait for the end of this turn.
        let (turn, since) = (state.turn, Instant::now());
        drop(state);
        track.span_at("waits", came, since);
        Held { gil: self, turn, since, until: None, track }
    }

    /// Never half changed, even if its last user panicked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    pub fn is_asked_for(&self) -> bool {
        self.gil.drop_request.load(Relaxed)
    }

    /// Gives the lock up, and waits until another has really taken it: who
    /// gave it up and runs on would be back before the other is awake.
    pub fn hand_over(mut self) {
        let (gil, turn, track) = (self.gil, self.turn, self.track);
        let gave = Instant::now();
        self.until = Some(gave);
        drop(self);
        let mine = |state: &mut State| state.turn == turn;
        drop(gil.taken.wait_while(gil.state(), mine));
        track.span_at("waits", gave, Instant::now());
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let until = self.until.unwrap_or_else(Instant::now);
        self.track.span_at("runs", self.since, until);
        self.gil.state().held = false;
        self.gil.given_up.notify_one();
    }
}
