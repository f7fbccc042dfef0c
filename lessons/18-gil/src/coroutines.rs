//! Coroutines on one thread: one that sleeps lets the others go on.

use generator::{Gn, LocalGenerator};
use std::thread;
use std::time::{Duration, Instant};

/// A stack of 64 Ki words, much more than a program needs.
const STACK: usize = 0x1_0000;

/// Goes on, and says for how long it wants to sleep; None at its end.
type Coroutine<'a> = LocalGenerator<'a, (), Option<Duration>>;

/// Runs `body` so many times, each in a coroutine of its own, which sleeps by
/// what `body` is given. Returns when all have ended.
pub fn run_all(times: usize, body: impl Fn(&mut dyn FnMut(Duration))) {
    let body = &body;
    let mut asleep: Vec<(Instant, Coroutine)> = Vec::new();
    for _ in 0..times {
        let coroutine = Gn::new_scoped_opt_local(STACK, move |mut scope| {
            body(&mut |time| {
                scope.yield_with(Some(time));
            });
            None
        });
        asleep.push((Instant::now(), coroutine));
    }
    while let Some(first) = first_to_wake(&asleep) {
        let (wakes, mut coroutine) = asleep.remove(first);
        thread::sleep(wakes.saturating_duration_since(Instant::now()));
        if let Some(time) = coroutine.resume().flatten() {
            asleep.push((Instant::now() + time, coroutine));
        }
    }
}

fn first_to_wake(asleep: &[(Instant, Coroutine)]) -> Option<usize> {
    (0..asleep.len()).min_by_key(|&at| asleep[at].0)
}
