//! A child process from its start to its end: what `Process`, `Pool` and
//! `Manager` have in common.

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use nix::libc;
use nix::unistd::Pid;

use super::status::{Signal, Status};
use super::sys::fork::{self, ForkError, Orphan, Private};
use super::sys::{pidfd, poll};

/// A forked child. One owner: it alone reaps.
#[derive(Debug)]
pub(crate) struct Child {
    pid: Pid,
    /// `None` only for a child that was gone before it could be opened
    /// (SIGCHLD is ignored).
    pidfd: Option<Private>,
    status: Cell<Option<Status>>,
}

/// Children whose handles were dropped while they lived, to be reaped when they
/// end.
static DROPPED: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Whether there are any: to look costs less than to lock.
static ANY_DROPPED: AtomicBool = AtomicBool::new(false);

/// Who is told of each end.
static TOLD: OnceLock<fn(u32, Status)> = OnceLock::new();

/// Has `told` called with the pid and the status of each child of this module
/// that was waited for from now on: of a [`Process`](super::Process), of a
/// worker of a [`Pool`](super::Pool), of a [`Manager`](super::Manager). It is
/// called in the process that waited. The children know of it too.
///
/// Only the first call has an effect.
pub fn on_end(told: fn(pid: u32, status: Status)) {
    TOLD.get_or_init(|| told);
}

impl Child {
    /// Forks; the child runs `body` and exits with its code. `some` is any open
    /// descriptor.
    #[inline]
    pub(crate) fn spawn(
        orphan: Orphan,
        some: impl AsFd,
        body: impl FnOnce() -> i32,
    ) -> Result<Self, ForkError> {
        reap_dropped();
        // A child that could not be watched would have to be killed again: make
        // sure of room first.
        let room = some
            .as_fd()
            .try_clone_to_owned()
            .map(Private::new)
            .map_err(|error| ForkError::System("fcntl", error))?;
        let pid = fork::fork(orphan, body)?;
        drop(room);
        let (pidfd, status) = match pidfd::open(pid) {
            Ok(fd) => (Some(Private::new(fd)), None),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
                (None, Some(Status::Unknown))
            }
            Err(error) => {
                abandon(pid);
                return Err(ForkError::System("pidfd_open", error));
            }
        };
        Ok(Self { pid, pidfd, status: Cell::new(status) })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    /// Whether this process started it, not one that this is a copy of.
    pub(crate) fn is_ours(&self) -> bool {
        self.pidfd.as_ref().is_none_or(Private::is_ours)
    }

    /// To be polled: readable when the child has ended.
    pub(crate) fn pidfd(&self) -> Option<&Private> {
        self.pidfd.as_ref()
    }

    /// How it ended; `None` while it lives.
    pub(crate) fn status(&self) -> Option<Status> {
        self.settle(|pidfd| pidfd::try_reap(pidfd))
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) -> Status {
        self.settle(|pidfd| Some(pidfd::reap(pidfd)))
            .expect("reap waits for the end")
    }

    /// Waits for its end until the deadline (`None`: without end).
    pub(crate) fn wait_until(
        &self,
        deadline: Option<Instant>,
    ) -> Option<Status> {
        if self.status.get().is_none()
            && let Some(pidfd) = self.pidfd.as_ref()
            && self.is_ours()
        {
            // Without memory for poll the answer is that of now.
            let _ = poll::readable(pidfd, deadline);
        }
        self.status()
    }

    /// Sends a signal; one to a child that has ended does nothing.
    pub(crate) fn send(&self, signal: Signal) -> io::Result<()> {
        match self.pidfd.as_ref() {
            Some(pidfd) if self.status.get().is_none() => {
                pidfd::send(pidfd, signal.number())
            }
            _ => Ok(()),
        }
    }

    /// Ends it by SIGKILL and reaps it.
    pub(crate) fn kill_and_wait(&self) -> Status {
        if self.is_ours() && self.send(Signal::KILL).is_ok() {
            return self.wait();
        }
        Status::Unknown
    }

    /// Whether it is stopped, by SIGSTOP or a debugger.
    pub(crate) fn is_stopped(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))
            .unwrap_or_default();
        stat.rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
    }

    fn settle(
        &self,
        reap: impl FnOnce(&Private) -> Option<pidfd::Ended>,
    ) -> Option<Status> {
        if self.status.get().is_none() {
            self.status.set(match self.pidfd.as_ref() {
                Some(pidfd) if pidfd.is_ours() => reap(pidfd).map(Status::from),
                _ => Some(Status::Unknown),
            });
            if let (Some(status), Some(told)) =
                (self.status.get(), TOLD.get().filter(|_| self.is_ours()))
            {
                told(self.pid(), status);
            }
        }
        self.status.get()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.is_ours() && self.status().is_none() {
            let pidfd = self.pidfd.take();
            ANY_DROPPED.store(true, Relaxed);
            dropped().push(Self {
                pid: self.pid,
                pidfd,
                status: Cell::new(None),
            });
        }
    }
}

/// Reaps the children that have ended after their handles were dropped; says
/// how many still live.
pub(crate) fn reap_dropped() -> usize {
    if !ANY_DROPPED.load(Relaxed) {
        return 0;
    }
    let mut dropped = dropped();
    dropped.retain(|child| child.is_ours() && child.status().is_none());
    ANY_DROPPED.store(!dropped.is_empty(), Relaxed);
    dropped.len()
}

fn dropped() -> MutexGuard<'static, Vec<Child>> {
    DROPPED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends a child that cannot be watched.
fn abandon(pid: Pid) {
    use nix::sys::signal::{Signal::SIGKILL, kill};
    use nix::sys::wait::waitpid;
    let _ = kill(pid, SIGKILL);
    while waitpid(pid, None) == Err(nix::errno::Errno::EINTR) {}
}
