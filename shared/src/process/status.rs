//! How a process ended.

use std::fmt;

use nix::libc;

use super::sys::pidfd::Ended;

/// How a process ended, as `wait(2)` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It exited with this code (0 to 255; 101 after a panic, 1 after an
    /// `Err`).
    Exited(i32),
    /// A signal ended it.
    Killed(Signal),
    /// It has ended, and nobody can say how: something else in this process
    /// reaped it, or SIGCHLD is ignored.
    Unknown,
}

impl Status {
    /// The exit code, if it exited.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            _ => None,
        }
    }

    /// The signal, if one ended it.
    #[must_use]
    pub fn signal(self) -> Option<Signal> {
        match self {
            Self::Killed(signal) => Some(signal),
            _ => None,
        }
    }

    /// Whether it exited with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Killed(signal) => write!(f, "killed by {signal}"),
            Self::Unknown => {
                f.write_str("ended, nobody knows how (reaped elsewhere, or SIGCHLD is ignored)")
            }
        }
    }
}

impl From<Ended> for Status {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Exited(code) => Self::Exited(code),
            Ended::Killed(signal) => Self::Killed(Signal(signal)),
            Ended::Unknown => Self::Unknown,
        }
    }
}

/// A signal by its number; shown by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(i32);

impl Signal {
    /// Ends a process that does not handle it.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// Ends a process, whatever it does.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// What Ctrl-C sends.
    pub const INT: Self = Self(libc::SIGINT);
    /// Stops a process until [`CONT`](Self::CONT).
    pub const STOP: Self = Self(libc::SIGSTOP);
    /// Lets a stopped process go on.
    pub const CONT: Self = Self(libc::SIGCONT);
    /// Ends a process that called `abort`.
    pub const ABRT: Self = Self(libc::SIGABRT);

    /// The number, as in `signal(7)`.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match nix::sys::signal::Signal::try_from(self.0) {
            Ok(signal) => f.write_str(signal.as_str()),
            Err(_) => write!(f, "signal {}", self.0),
        }
    }
}
