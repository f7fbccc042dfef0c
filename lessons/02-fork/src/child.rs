//! What the first step shows, as functions for the others.

use nix::libc::_exit;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, Uid, fork, setuid};
use shared::Track;
use shared::lesson::fork_error;

/// Runs `body` in a child, which ends with the exit code that `body` returns.
/// nix has an enum for the two returns of fork.
pub fn in_child(body: impl FnOnce() -> i32) -> shared::Result<Pid> {
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { fork() }.map_err(fork_error)? {
        ForkResult::Parent { child } => Ok(child),
        // SAFETY: ends the child before it goes on as a second lesson.
        ForkResult::Child => unsafe { _exit(body()) },
    }
}

/// Waits until the child has ended; returns its exit code.
pub fn wait_for(pid: Pid, parent: &Track) -> shared::Result<i32> {
    let status = parent.span("waits", || waitpid(pid, None))?;
    parent.reaped(pid.as_raw(), None);
    match status {
        WaitStatus::Exited(_, code) => Ok(code),
        other => anyhow::bail!("the child {pid} did not exit: {other:?}"),
    }
}

/// A child that ends at once, and the wait for it.
pub fn fork_and_wait() -> shared::Result {
    waitpid(in_child(|| 0)?, None)?;
    Ok(())
}

/// What fork says to a child whose user may have one process; nothing where no
/// limit binds that user.
pub fn fork_over_the_limit(child: &Track) -> shared::Result<Option<String>> {
    let pid = in_child(|| {
        match allow_one_process().and_then(|()| fork_and_wait()) {
            Ok(()) => 0,
            Err(error) => {
                child.note("fork", format!("{error:#}"));
                1
            }
        }
    })?;
    let refused = wait_for(pid, child)? == 1;
    refused.then(|| child.noted("fork")).transpose()
}

fn allow_one_process() -> shared::Result {
    setrlimit(Resource::RLIMIT_NPROC, 1, 1)?;
    if Uid::current().is_root() {
        // The limit does not bind root (setrlimit(2)): become nobody.
        setuid(Uid::from_raw(65_534))?;
    }
    Ok(())
}
