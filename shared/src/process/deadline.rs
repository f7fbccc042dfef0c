//! Until when a call waits, and how long it sleeps at a time.

use std::time::{Duration, Instant};

/// No sleep is longer than this. A process can be killed between a change and
/// the wake-up that tells of it; whoever sleeps then looks again by himself.
pub(crate) const MAX_NAP: Duration = Duration::from_millis(50);

/// Until when a call waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    Never,
    At(Instant),
}

impl Deadline {
    /// `timeout` from now; never, if that is past the end of time.
    pub fn after(timeout: Duration) -> Self {
        Instant::now().checked_add(timeout).map_or(Self::Never, Self::At)
    }

    /// How long the next sleep may be, or `None` when the deadline is over.
    pub fn nap(self) -> Option<Duration> {
        match self {
            Self::Never => Some(MAX_NAP),
            Self::At(end) => {
                let left = end.saturating_duration_since(Instant::now());
                (!left.is_zero()).then(|| left.min(MAX_NAP))
            }
        }
    }
}
