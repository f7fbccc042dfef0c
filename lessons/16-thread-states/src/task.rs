//! What the system tells of a thread: /proc/PID/task/TID, see proc(5).

use anyhow::Context;
use nix::libc::{
    SYS_clock_nanosleep, SYS_clone, SYS_clone3, SYS_futex, SYS_nanosleep,
    SYS_read, c_long,
};
use nix::unistd::{getpid, gettid};
use std::fs::{self, read_dir};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread::{Scope, sleep};
use std::time::{Duration, Instant};

/// How long to look for a state that is to come, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The letter of whoever can use a core, whether it has one or not.
pub const RUNNABLE: char = 'R';
/// The letter of whoever waits; any signal would wake it.
pub const ASLEEP: char = 'S';
/// In place of a letter, when the system knows no such thread.
pub const GONE: char = '-';

/// The calls in which the threads of this lesson wait, by their numbers.
const CALLS: [(c_long, &str); 6] = [
    (SYS_futex, "futex"),
    (SYS_read, "read"),
    (SYS_nanosleep, "nanosleep"),
    (SYS_clock_nanosleep, "nanosleep"),
    (SYS_clone, "clone"),
    (SYS_clone3, "clone"),
];

/// A thread, as the system calls it.
#[derive(PartialEq, Eq)]
pub struct Task(PathBuf);

/// What was seen of it.
#[derive(Clone, Copy)]
pub struct Seen {
    /// The letter of its state.
    pub state: char,
    /// The call in which it waits, if the system tells.
    pub call: Option<&'static str>,
}

impl Task {
    /// The thread that asks.
    pub fn current() -> Self {
        Self(format!("/proc/{}/task/{}", getpid(), gettid()).into())
    }

    /// The thread that a process began with.
    pub fn main_of(pid: u32) -> Self {
        Self(format!("/proc/{pid}/task/{pid}").into())
    }

    /// All threads of a process.
    pub fn all(pid: u32) -> shared::Result<Vec<Self>> {
        let folder = format!("/proc/{pid}/task");
        let entries = read_dir(&folder)
            .with_context(|| format!("cannot read {folder}; mount /proc"))?;
        entries.map(|entry| Ok(Self(entry?.path()))).collect()
    }

    /// Its state at this moment.
    pub fn state(&self) -> char {
        // 4711 (name) S 1 ...: there may be a bracket in the name too.
        let stat = fs::read_to_string(self.0.join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
        state.and_then(|rest| rest.chars().next()).unwrap_or(GONE)
    }

    fn call(&self) -> Option<&'static str> {
        let call = fs::read_to_string(self.0.join("syscall")).ok()?;
        let number = call.split_whitespace().next()?.parse();
        let known = CALLS.iter().find(|(call, _)| Ok(*call) == number);
        Some(known.map_or("another", |(_, name)| name))
    }

    /// Looks until its state is this one, and says what it is in the end.
    /// Nobody can be told when: who is blocked cannot say so.
    pub fn until(&self, state: char) -> char {
        self.look_until(|seen| seen.state == state).state
    }

    /// The same for who is asleep in a certain call.
    pub fn until_asleep_in(&self, call: &str) -> Seen {
        let there = |seen: Seen| seen.call.is_none_or(|found| found == call);
        self.look_until(|seen| seen.state == ASLEEP && there(seen))
    }

    /// The same for who rests in a certain call, in whichever state.
    pub fn until_at_rest_in(&self, call: &str) -> Seen {
        self.look_until(|seen| match seen.call {
            Some(found) => found == call && seen.state != RUNNABLE,
            None => ![RUNNABLE, ASLEEP].contains(&seen.state),
        })
    }

    fn look_until(&self, enough: impl Fn(Seen) -> bool) -> Seen {
        let begin = Instant::now();
        loop {
            let state = self.state();
            let call = if state == GONE { Some("none") } else { self.call() };
            let seen = Seen { state, call };
            if enough(seen) || begin.elapsed() > PATIENCE {
                return seen;
            }
            sleep(Duration::from_millis(1));
        }
    }
}

/// Starts a thread and waits until it has said who it is.
pub fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    body: impl FnOnce() + Send + 'scope,
) -> Task {
    let (tell, told) = channel();
    scope.spawn(move || {
        let _ = tell.send(Task::current());
        body();
    });
    told.recv().expect("it says so before all else")
}
