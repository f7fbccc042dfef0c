//! When a site wants to be asked again.

use shared::Track;
use shared::process::{Lock, LockError};
use std::time::Duration;

/// Until when nobody asks a site that has said so: all processes of a run,
/// which share this since their fork. In nanoseconds of the run's own clock.
pub struct Quiet(Lock<u64>);

impl Quiet {
    pub fn new() -> Result<Self, LockError> {
        Lock::new(0).map(Self)
    }

    /// Nobody asks for so long.
    pub fn keep(&self, time: Duration, track: &Track) -> Result<(), LockError> {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let until = track.recorder().now_ns().saturating_add(time);
        let mut quiet = self.0.lock()?;
        *quiet = until.max(*quiet);
        Ok(())
    }

    /// How long that still is.
    pub fn left(&self, track: &Track) -> Result<Duration, LockError> {
        let until = *self.0.lock()?;
        let left = until.saturating_sub(track.recorder().now_ns());
        Ok(Duration::from_nanos(left))
    }
}
