//! What can go wrong with processes.

use std::fmt;
use std::io;

use nix::errno::Errno;

use super::status::{Signal, Status};
use super::sys::fork::ForkError;

/// A process by name and pid, as errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Its name, `Process-N` unless it was given one.
    pub name: String,
    /// Its process id.
    pub pid: u32,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// Fork copies the calling thread alone; whatever lock another one holds
    /// would stay locked in the child for ever.
    #[error(
        "cannot start {name}: this process has {threads} threads, and a fork would copy only one of them with \
         the locks of all; start processes before threads, or join the threads first"
    )]
    ForkWhileThreaded {
        /// The process that was to be.
        name: String,
        /// The threads alive, the calling one included.
        threads: usize,
    },
    /// A daemon dies with its parent without a word; its children would be left
    /// behind.
    #[error(
        "cannot start {name}: this process is a daemon, and a daemon may not have children"
    )]
    DaemonMayNotSpawn {
        /// The process that was to be.
        name: String,
    },
    /// `EAGAIN`: no more processes for this user or in this container.
    #[error(
        "cannot start {name}: the limit of processes is reached; end some, or raise it (ulimit -u, or pids.max \
         of the cgroup)"
    )]
    ProcessLimit {
        /// The process that was to be.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// `EMFILE` or `ENFILE`: a process needs two descriptors in its parent.
    #[error(
        "cannot start {name}: the limit of open files is reached; close some, or raise it (ulimit -n)"
    )]
    DescriptorLimit {
        /// The process that was to be.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// `ENOMEM`: the kernel has no memory for the copy.
    #[error("cannot start {name}: no memory for a copy of this process")]
    NoMemory {
        /// The process that was to be.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another call failed.
    #[error("cannot start {name}: {call} failed")]
    System {
        /// The process that was to be.
        name: String,
        /// The call.
        call: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl SpawnError {
    pub(crate) fn fork(name: &str, error: ForkError) -> Self {
        match error {
            ForkError::Threaded(threads) => {
                Self::ForkWhileThreaded { name: name.to_owned(), threads }
            }
            ForkError::System(call, source) => Self::system(name, call, source),
        }
    }

    pub(crate) fn system(
        name: &str,
        call: &'static str,
        source: io::Error,
    ) -> Self {
        let name = name.to_owned();
        match source.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EAGAIN) => Self::ProcessLimit { name, source },
            Some(Errno::EMFILE | Errno::ENFILE) => {
                Self::DescriptorLimit { name, source }
            }
            Some(Errno::ENOMEM) => Self::NoMemory { name, source },
            _ => Self::System { name, call, source },
        }
    }
}

/// Why a process has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Its closure panicked; the message went to its stderr too. The exit code
    /// is 101.
    #[error("{process} panicked: {message}")]
    Panicked {
        /// The process.
        process: Who,
        /// What it panicked with.
        message: String,
    },
    /// Its closure returned an `Err`. The exit code is 1.
    #[error("{process} failed: {message}")]
    Failed {
        /// The process.
        process: Who,
        /// The error's text with its causes.
        message: String,
    },
    /// It left by itself, before its closure returned.
    #[error("{process} exited with code {code} before it had an answer")]
    Exited {
        /// The process.
        process: Who,
        /// The exit code.
        code: i32,
    },
    /// A signal ended it.
    #[error("{process} was killed by {signal}")]
    Killed {
        /// The process.
        process: Who,
        /// The signal.
        signal: Signal,
    },
    /// It has ended, and its status went elsewhere.
    #[error(
        "{process} has ended, nobody knows how: its status was taken by another wait in this process, or \
         SIGCHLD is ignored"
    )]
    Unknown {
        /// The process.
        process: Who,
    },
    /// The value that it returned could not be sent.
    #[error("{process} ended well, but its answer could not be sent: {reason}")]
    Unsendable {
        /// The process.
        process: Who,
        /// Why not.
        reason: String,
    },
    /// What arrived is not what was to be sent: `Serialize` and `Deserialize`
    /// of its type do not agree.
    #[error("{process} ended well, but its answer cannot be read")]
    Unreadable {
        /// The process.
        process: Who,
        /// What the decoder says.
        source: postcard::Error,
    },
    /// The answer could not be fetched.
    #[error("{process} ended well, but reading its answer failed")]
    System {
        /// The process.
        process: Who,
        /// What the system said.
        source: io::Error,
    },
    /// The handle came into this process by a fork: only the process that
    /// started another can join it.
    #[error(
        "{process} is no child of this process: only the process that started it can join it"
    )]
    NotOurChild {
        /// The process.
        process: Who,
    },
}

impl JoinError {
    pub(crate) fn ended(process: Who, status: Status) -> Self {
        match status {
            Status::Exited(code) => Self::Exited { process, code },
            Status::Killed(signal) => Self::Killed { process, signal },
            Status::Unknown => Self::Unknown { process },
        }
    }
}

/// Why a signal was not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The system refused: the child runs as another user, for one.
    #[error("cannot send {signal} to {process}")]
    Refused {
        /// The process.
        process: Who,
        /// The signal.
        signal: Signal,
        /// What the system said.
        source: io::Error,
    },
    /// The handle came into this process by a fork.
    #[error(
        "cannot send {signal} to {process}: it is no child of this process"
    )]
    NotOurChild {
        /// The process.
        process: Who,
        /// The signal.
        signal: Signal,
    },
}
