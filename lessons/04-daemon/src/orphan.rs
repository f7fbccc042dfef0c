//! What becomes of a child whose parent has ended. The lesson has asked for
//! such orphans (PR_SET_CHILD_SUBREAPER, prctl(2)): it can wait for them.

use anyhow::bail;
use nix::errno::Errno;
use nix::sys::signal::{Signal::SIGTERM, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use shared::Track;
use shared::process::Event;
use std::time::Duration;

/// Asks an orphan whether it is there.
pub struct RollCall {
    asked: Event,
    answered: Event,
}

impl RollCall {
    pub fn new() -> shared::Result<Self> {
        Ok(Self { asked: Event::new()?, answered: Event::new()? })
    }

    /// Asks until the orphan answers or has ended; says which of the two.
    pub fn fate_of(&self, orphan: i32, me: &Track) -> shared::Result<String> {
        self.asked.set();
        while !self.answered.wait_timeout(Duration::from_millis(5)) {
            if let Some(end) = ended(orphan, WaitPidFlag::WNOHANG, me)? {
                return Ok(end);
            }
        }
        Ok("lives on".to_owned())
    }

    /// The orphan's part.
    pub fn answer(&self) {
        if self.asked.is_set() {
            self.answered.set();
        }
    }
}

/// Asks an orphan to end, and says how it did.
pub fn end_by_sigterm(orphan: i32, me: &Track) -> shared::Result<String> {
    match kill(Pid::from_raw(orphan), SIGTERM) {
        Err(Errno::ESRCH) => Ok("had ended before".to_owned()),
        Err(errno) => Err(errno.into()),
        Ok(()) => wait_for(orphan, me),
    }
}

/// Waits for an orphan, and says how it ended.
pub fn wait_for(orphan: i32, me: &Track) -> shared::Result<String> {
    let end = ended(orphan, WaitPidFlag::empty(), me)?;
    Ok(end.unwrap_or_default())
}

fn ended(
    orphan: i32,
    flags: WaitPidFlag,
    me: &Track,
) -> shared::Result<Option<String>> {
    match waitpid(Pid::from_raw(orphan), Some(flags))? {
        WaitStatus::StillAlive => Ok(None),
        WaitStatus::Exited(_, code) => {
            me.reaped(orphan, None);
            Ok(Some(format!("exited with code {code}")))
        }
        WaitStatus::Signaled(_, signal, _) => {
            me.reaped(orphan, Some(signal.as_str()));
            Ok(Some(format!("killed by {signal}")))
        }
        other => bail!("the child {orphan} has not ended: {other:?}"),
    }
}
