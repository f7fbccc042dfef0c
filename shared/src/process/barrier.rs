//! A point that processes pass together.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use super::deadline::Deadline;
use super::event_count::EventCount;
use super::sys::mapping::{Mapping, SharedMemoryError};
use super::sys::shareable::shareable;

/// A point at which a fixed number of processes wait for each other.
///
/// Like [`std::sync::Barrier`], and it can be used again and again. A wait that
/// times out breaks it for all, as in Python; a broken barrier stays so.
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::{Barrier, Process};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let start = Barrier::new(2)?;
/// let other = Process::spawn(|| start.wait().expect("the parent comes too").is_leader())?;
/// let leader = start.wait()?.is_leader();
/// assert_ne!(leader, other.join()?); // one of the two, never both
/// # Ok(())
/// # }
/// ```
pub struct Barrier {
    memory: Mapping<Shared>,
    parties: u32,
}

shareable! {
    struct Shared {
        /// A [`Round`].
        round: AtomicU64,
        changed: EventCount,
    }
}

/// Which round it is, how many have come, and whether the barrier is broken;
/// one word, so that one store changes it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Round {
    number: u32,
    arrived: u32,
    broken: bool,
}

impl Round {
    fn read(word: u64) -> Self {
        Self {
            number: (word >> 32) as u32,
            arrived: word as u32 >> 1,
            broken: word & 1 == 1,
        }
    }

    /// This round with one more party, or the next one when all have come.
    fn with_one_more(self, parties: u32) -> Self {
        if self.arrived + 1 < parties {
            return Self { arrived: self.arrived + 1, ..self };
        }
        Self { number: self.number.wrapping_add(1), arrived: 0, broken: false }
    }

    fn word(self) -> u64 {
        u64::from(self.number) << 32
            | u64::from(self.arrived) << 1
            | u64::from(self.broken)
    }
}

impl Barrier {
    /// Makes a barrier for `parties` processes.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Parties`] for 0 and for more than 2³¹ − 1,
    /// [`BarrierError::Memory`] when the shared memory cannot be had.
    pub fn new(parties: usize) -> Result<Self, BarrierError> {
        let parties = u32::try_from(parties)
            .ok()
            .filter(|parties| (1..=u32::MAX >> 1).contains(parties))
            .ok_or(BarrierError::Parties { parties })?;
        Ok(Self { memory: Mapping::new(0)?, parties })
    }

    /// Waits until all parties have come.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Broken`] when another's wait timed out.
    pub fn wait(&self) -> Result<BarrierWaitResult, BarrierError> {
        self.wait_until(Deadline::Never, BarrierError::Broken)
    }

    /// Waits until all parties have come, up to `timeout`; then it breaks the
    /// barrier, so that nobody waits for a party that has given up.
    ///
    /// # Errors
    ///
    /// [`BarrierError::Timeout`] when this wait broke it,
    /// [`BarrierError::Broken`] when another did.
    pub fn wait_timeout(
        &self,
        timeout: Duration,
    ) -> Result<BarrierWaitResult, BarrierError> {
        self.wait_until(
            Deadline::after(timeout),
            BarrierError::Timeout(timeout),
        )
    }

    /// Whether a wait timed out.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.round().broken
    }

    fn round(&self) -> Round {
        Round::read(self.memory.round.load(SeqCst))
    }

    fn wait_until(
        &self,
        deadline: Deadline,
        too_late: BarrierError,
    ) -> Result<BarrierWaitResult, BarrierError> {
        let arrive = |word| {
            let round = Round::read(word);
            (!round.broken).then(|| round.with_one_more(self.parties).word())
        };
        let came = self
            .memory
            .round
            .fetch_update(SeqCst, SeqCst, arrive)
            .map(Round::read)
            .map_err(|_| BarrierError::Broken)?;
        if came.arrived + 1 == self.parties {
            self.memory.changed.notify();
            return Ok(BarrierWaitResult { is_leader: true });
        }
        loop {
            let ticket = self.memory.changed.prepare();
            let round = self.round();
            if round.number != came.number {
                return Ok(BarrierWaitResult { is_leader: false });
            }
            if round.broken {
                return Err(BarrierError::Broken);
            }
            match deadline.nap() {
                Some(nap) => self.memory.changed.wait(ticket, nap),
                None if self.break_at(round) => return Err(too_late),
                None => {}
            }
        }
    }

    /// Breaks the barrier, unless somebody came since `round` was seen.
    fn break_at(&self, round: Round) -> bool {
        let broken = Round { broken: true, ..round };
        let changed = self
            .memory
            .round
            .compare_exchange(round.word(), broken.word(), SeqCst, SeqCst)
            .is_ok();
        if changed {
            self.memory.changed.notify();
        }
        changed
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .field("arrived", &self.round().arrived)
            .field("is_broken", &self.is_broken())
            .finish()
    }
}

/// What [`Barrier::wait`] tells of one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Whether this party was chosen: exactly one of each round is.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}

/// Why a [`Barrier`] could not be made or passed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BarrierError {
    /// Another party's wait timed out.
    #[error("the barrier is broken: a party gave up waiting")]
    Broken,
    /// This wait timed out, and broke the barrier.
    #[error(
        "not all parties came to the barrier within {0:?}; it is broken now"
    )]
    Timeout(Duration),
    /// A barrier for nobody, or for too many, was asked for.
    #[error("a barrier cannot be for {parties} processes, only for 1 to {}", u32::MAX >> 1)]
    Parties {
        /// What was asked for.
        parties: usize,
    },
    /// The shared memory could not be had.
    #[error("cannot make a barrier")]
    Memory(#[from] SharedMemoryError),
}
