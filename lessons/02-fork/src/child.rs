//! What the first step shows, as functions for the others.

use anyhow::bail;
use nix::libc::_exit;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use shared::Track;
use shared::lesson::fork_error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body` in a child, which ends with the exit code that `body` returns;
/// 101 after a panic. nix has an enum for the two returns of fork.
pub fn in_child(body: impl FnOnce() -> i32) -> shared::Result<Pid> {
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { fork() }.map_err(fork_error)? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let code = catch_unwind(AssertUnwindSafe(body)).unwrap_or(101);
            // SAFETY: ends the child before it goes on as a second lesson.
            unsafe { _exit(code) }
        }
    }
}

/// Waits until the child has ended; returns its exit code.
pub fn wait_for(pid: Pid, parent: &Track) -> shared::Result<i32> {
    match parent.span("waits", || waitpid(pid, None))? {
        WaitStatus::Exited(_, code) => {
            parent.reaped(pid.as_raw(), None);
            Ok(code)
        }
        WaitStatus::Signaled(_, signal, _) => {
            parent.reaped(pid.as_raw(), Some(signal.as_str()));
            bail!("the child {pid} was killed by {signal}")
        }
        other => bail!("the child {pid} has not ended: {other:?}"),
    }
}

/// A child that ends at once with this exit code, and the wait for it; returns
/// the code that it ended with.
pub fn fork_and_wait(code: i32) -> shared::Result<i32> {
    match waitpid(in_child(|| code)?, None)? {
        WaitStatus::Exited(_, code) => Ok(code),
        other => bail!("the child has not exited: {other:?}"),
    }
}
