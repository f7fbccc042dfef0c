//! `Process`: a closure that runs in a process of its own.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::unistd::{getpid, getppid};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{Answer, chain, panic_text};
use super::child::{self, Child};
use super::error::{JoinError, SignalError, SpawnError, Who};
use super::status::{Signal, Status};
use super::sys::fork::{EXIT_PANICKED, Orphan, Private};
use super::sys::memfd;

/// The exit code of a child whose closure returned an `Err`, or an answer that
/// could not be sent.
const EXIT_FAILED: i32 = 1;

/// A closure that runs in a process of its own, as `std::thread::JoinHandle` is
/// for a thread.
///
/// Dropping the handle neither ends the process nor leaves a zombie: once it
/// has ended it is reaped by the next call into this module that starts, joins
/// or counts processes.
///
/// ```standalone_crate
/// use shared::process::Process;
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let numbers = vec![1_u64, 2, 3];
///     let sum = Process::spawn(|| numbers.iter().sum::<u64>())?; // works on its copy
///     assert_eq!(sum.join()?, 6);
///     Ok(())
/// }
/// ```
pub struct Process<T> {
    who: Who,
    daemon: bool,
    child: Child,
    answer: Private,
    value: PhantomData<fn() -> T>,
}

impl Process<()> {
    /// Starts a process that runs `body` and has the default name, `Process-N`.
    ///
    /// The closure may borrow: the child works on its copy of the memory, and
    /// what it changes there nobody else sees. Of this process's threads
    /// only the calling one is copied, which is why there may be no other
    /// (threads that are just leaving are given time, a second for the next).
    /// In the child, signals that had a handler have their default action again,
    /// and a panic ends the child with code 101.
    ///
    /// Random numbers: a generator that was seeded before the fork
    /// (`rand::rng()` is one) repeats the parent's numbers in every child;
    /// reseed it there.
    ///
    /// # Errors
    /// [`SpawnError`]: other threads are alive, a limit is reached, or this process is a daemon.
    pub fn spawn<R: Answer>(
        body: impl FnOnce() -> R + Send,
    ) -> Result<Process<R::Value>, SpawnError> {
        Builder::new().spawn(body)
    }

    /// Starts describing a process that is more than the default.
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl<T> Process<T> {
    /// The name that it was given, or `Process-N`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.who.name
    }

    /// Its process id. Another process may have it once this one has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.who.pid
    }

    /// Whether it ends with its parent.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.daemon
    }

    /// Whether it has not ended yet. A process that cannot be seen (no child of
    /// this one, or its status went elsewhere) does not count as alive.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.child.status().is_none()
    }

    /// How it ended; `None` while it is alive.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.child.status()
    }

    /// What can be polled for its end, beside sockets and pipes: readable once
    /// it has ended (`pidfd_open(2)`; Python's `sentinel`). It is still to be
    /// reaped then, as by [`is_alive`](Self::is_alive). `None` in a process
    /// that did not start it, and of one that was gone before it could be
    /// watched (SIGCHLD is ignored).
    #[must_use]
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        let pidfd = self.child.pidfd().filter(|pidfd| pidfd.is_ours());
        pidfd.map(AsFd::as_fd)
    }

    /// Waits for its end and says how it ended, as `std::process::Child` does;
    /// of one that is no child of this process, at once that nobody knows.
    /// The answer is still to be had by [`join`](Self::join).
    pub fn wait(&self) -> Status {
        child::reap_dropped();
        self.child.wait()
    }

    /// Waits for its end, `timeout` at most; `None` if it is alive after that.
    /// The answer is still to be had by [`join`](Self::join). A signal that
    /// arrives here does not shorten the wait.
    #[must_use = "None says that the process is still alive"]
    pub fn join_timeout(&self, timeout: Duration) -> Option<Status> {
        child::reap_dropped();
        // A time beyond the clock's end is no limit.
        self.child.wait_until(Instant::now().checked_add(timeout))
    }

    /// Asks it to end, by SIGTERM. One that has ended already is no error.
    ///
    /// # Errors
    /// [`SignalError`], if it is no child of this process or the system
    /// refuses.
    pub fn terminate(&self) -> Result<(), SignalError> {
        self.send(Signal::TERM)
    }

    /// Ends it, by SIGKILL, whatever it does. One that has ended already is no
    /// error.
    ///
    /// # Errors
    /// [`SignalError`], if it is no child of this process or the system
    /// refuses.
    pub fn kill(&self) -> Result<(), SignalError> {
        self.send(Signal::KILL)
    }

    /// Sends it a signal. One that has ended already is no error, and no other
    /// process can be hit.
    ///
    /// # Errors
    /// [`SignalError`], if it is no child of this process or the system
    /// refuses.
    pub fn send(&self, signal: Signal) -> Result<(), SignalError> {
        let process = self.who.clone();
        if !self.child.is_ours() {
            return Err(SignalError::NotOurChild { process, signal });
        }
        self.child.send(signal).map_err(|source| SignalError::Refused {
            process,
            signal,
            source,
        })
    }
}

impl<T: DeserializeOwned> Process<T> {
    /// Waits for its end and returns what its closure returned.
    ///
    /// A process that left by `exit(0)` inside its closure has answered if
    /// there is nothing to say (`()`).
    ///
    /// # Errors
    /// [`JoinError`]: it panicked, failed, exited or was killed before it had an answer, or nobody knows.
    pub fn join(self) -> Result<T, JoinError> {
        child::reap_dropped();
        if !self.child.is_ours() {
            return Err(JoinError::NotOurChild { process: self.who.clone() });
        }
        let status = self.child.wait();
        let process = self.who.clone();
        let Status::Exited(code @ (0 | EXIT_FAILED | EXIT_PANICKED)) = status
        else {
            return Err(JoinError::ended(process, status));
        };
        let bytes = match memfd::read_all(&self.answer) {
            Ok(bytes) => bytes,
            Err(source) => return Err(JoinError::System { process, source }),
        };
        match (code, Sent::read(&bytes)) {
            (0, Some((Sent::Value, value))) => postcard::from_bytes(value)
                .map_err(|source| JoinError::Unreadable { process, source }),
            (0, None) => postcard::from_bytes(&[])
                .map_err(|_| JoinError::ended(process, status)),
            (_, Some((Sent::Panicked, text))) => {
                Err(JoinError::Panicked { process, message: lossy(text) })
            }
            (_, Some((Sent::Failed, text))) => {
                Err(JoinError::Failed { process, message: lossy(text) })
            }
            (_, Some((Sent::Unsendable, text))) => {
                Err(JoinError::Unsendable { process, reason: lossy(text) })
            }
            _ => Err(JoinError::ended(process, status)),
        }
    }
}

impl<T> fmt::Debug for Process<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.who.name)
            .field("pid", &self.who.pid)
            .field("daemon", &self.daemon)
            .field("status", &self.child.status())
            .finish()
    }
}

/// A process that has not been started yet, as `std::thread::Builder`.
#[derive(Clone, Debug, Default)]
#[must_use = "it starts nothing until `spawn`"]
pub struct Builder {
    name: Option<String>,
    daemon: bool,
}

impl Builder {
    /// One with the default name, which outlives its parent.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names it. Names are for people: two processes may have the same.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether it is to end with its parent: by SIGKILL, however the parent
    /// ends (`prctl(2)`, `PR_SET_PDEATHSIG`). A daemon may not have
    /// children.
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = daemon;
        self
    }

    /// Starts it, as [`Process::spawn`].
    ///
    /// # Errors
    /// [`SpawnError`]: other threads are alive, a limit is reached, or this process is a daemon.
    pub fn spawn<R: Answer>(
        self,
        body: impl FnOnce() -> R + Send,
    ) -> Result<Process<R::Value>, SpawnError> {
        let name = self.name.unwrap_or_else(next_name);
        let answer = memfd::create().map_err(|error| {
            SpawnError::system(&name, "memfd_create", error)
        })?;
        let child =
            spawn_child(&name, self.daemon, &answer, || report(body, &answer))?;
        Ok(Process {
            who: Who { pid: child.pid(), name },
            daemon: self.daemon,
            child,
            answer: Private::new(answer),
            value: PhantomData,
        })
    }
}

/// The process that asks, as `std::thread::current()`.
#[must_use]
pub fn current() -> Current {
    Current { pid: getpid().as_raw() as u32, identity: identity().clone() }
}

/// How many processes live whose handles were dropped. Those that have ended
/// are reaped.
pub fn dropped_alive() -> usize {
    child::reap_dropped()
}

/// What a process knows of itself.
#[derive(Clone, Debug)]
pub struct Current {
    pid: u32,
    identity: Identity,
}

impl Current {
    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its name: what its parent gave it, or `MainProcess`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Whether it ends with its parent.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.identity.daemon
    }

    /// Who started it by this module; `None` in the first process. That one may
    /// have ended since.
    #[must_use]
    pub fn parent(&self) -> Option<&Who> {
        self.identity.parent.as_ref()
    }

    /// The pid of the parent now: another one than that of
    /// [`parent`](Self::parent) if that has ended.
    #[must_use]
    pub fn parent_pid(&self) -> u32 {
        getppid().as_raw() as u32
    }
}

#[derive(Clone, Debug)]
struct Identity {
    name: String,
    daemon: bool,
    parent: Option<Who>,
    started: u32,
}

static IDENTITY: Mutex<Option<Identity>> = Mutex::new(None);

/// The identity of this process; the first one is called as Python calls it.
#[inline]
fn identity() -> impl std::ops::DerefMut<Target = Identity> {
    struct Known(MutexGuard<'static, Option<Identity>>);
    impl std::ops::Deref for Known {
        type Target = Identity;
        #[inline]
        fn deref(&self) -> &Identity {
            self.0.as_ref().expect("set when it was locked")
        }
    }
    impl std::ops::DerefMut for Known {
        #[inline]
        fn deref_mut(&mut self) -> &mut Identity {
            self.0.as_mut().expect("set when it was locked")
        }
    }
    let mut identity = IDENTITY.lock().unwrap_or_else(PoisonError::into_inner);
    identity.get_or_insert_with(|| Identity {
        name: "MainProcess".to_owned(),
        daemon: false,
        parent: None,
        started: 0,
    });
    Known(identity)
}

/// `Process-1`, `Process-2`, … and `Process-2:1` for the first child of the
/// second.
fn next_name() -> String {
    let mut identity = identity();
    identity.started += 1;
    let n = identity.started;
    match identity.name.strip_prefix("Process-") {
        Some(above) if identity.parent.is_some() => {
            format!("Process-{above}:{n}")
        }
        _ => format!("Process-{n}"),
    }
}

/// Forks a child that knows who it is. `some` is any open descriptor.
#[inline]
pub(crate) fn spawn_child(
    name: &str,
    daemon: bool,
    some: impl AsFd,
    body: impl FnOnce() -> i32,
) -> Result<Child, SpawnError> {
    let parent = {
        let identity = identity();
        if identity.daemon {
            return Err(SpawnError::DaemonMayNotSpawn {
                name: name.to_owned(),
            });
        }
        Who { name: identity.name.clone(), pid: getpid().as_raw() as u32 }
    };
    let orphan = if daemon { Orphan::Dies } else { Orphan::Stays };
    let child = Identity {
        name: name.to_owned(),
        daemon,
        parent: Some(parent),
        started: 0,
    };
    let identify_and_run = || {
        // The old one is not freed: that would make the child copy the pages of
        // the allocator.
        mem::forget(mem::replace(&mut *identity(), child));
        body()
    };
    Child::spawn(orphan, some, identify_and_run)
        .map_err(|error| SpawnError::fork(name, error))
}

/// What the bytes of an answer are, by their first byte.
#[derive(Clone, Copy)]
enum Sent {
    Value = 0,
    Failed = 1,
    Panicked = 2,
    Unsendable = 3,
}

impl Sent {
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (first, rest) = bytes.split_first()?;
        let what = match first {
            0 => Self::Value,
            1 => Self::Failed,
            2 => Self::Panicked,
            3 => Self::Unsendable,
            _ => return None,
        };
        Some((what, rest))
    }
}

/// In the child: runs the closure, leaves its answer in the file, says the exit
/// code.
#[inline(always)]
fn report<R: Answer>(body: impl FnOnce() -> R, answer: &OwnedFd) -> i32 {
    let us = getpid();
    let ran = panic::catch_unwind(AssertUnwindSafe(|| {
        body().answer().map(|value| encode(&value))
    }));
    if getpid() != us {
        // The closure forked by itself, and this is the copy: the answer is not
        // its to give.
        return EXIT_PANICKED;
    }
    let (what, bytes, code) = match ran {
        Ok(Ok(Ok(bytes))) if bytes.is_empty() => return 0,
        Ok(Ok(Ok(bytes))) => (Sent::Value, bytes, 0),
        Ok(Ok(Err(error))) => (
            Sent::Unsendable,
            text(Sent::Unsendable, &error.to_string()),
            EXIT_FAILED,
        ),
        Ok(Err(error)) => {
            (Sent::Failed, text(Sent::Failed, &chain(&*error)), EXIT_FAILED)
        }
        Err(payload) => (
            Sent::Panicked,
            text(Sent::Panicked, &panic_text(&*payload)),
            EXIT_PANICKED,
        ),
    };
    match (memfd::replace(answer, &bytes), what) {
        (Ok(()), _) => code,
        (Err(error), Sent::Value) => {
            let reason = format!("{} bytes: {error}", bytes.len());
            let _ = memfd::replace(answer, &text(Sent::Unsendable, &reason));
            EXIT_FAILED
        }
        (Err(_), _) => code,
    }
}

/// The bytes of a value; none at all if there is nothing to say, as with `()`.
fn encode<T: Serialize>(value: &T) -> postcard::Result<Vec<u8>> {
    if size_of::<T>() == 0
        && postcard::experimental::serialized_size(value)? == 0
    {
        return Ok(Vec::new());
    }
    postcard::to_extend(value, vec![Sent::Value as u8])
}

fn text(what: Sent, text: &str) -> Vec<u8> {
    [&[what as u8], text.as_bytes()].concat()
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
