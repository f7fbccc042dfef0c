//! A number of permits.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{
    AtomicUsize, Ordering::Relaxed, Ordering::SeqCst, fence,
};
use std::time::Duration;

use super::deadline::Deadline;
use super::event_count::EventCount;
use super::sys::mapping::{Mapping, SharedMemoryError};
use super::sys::mutex::{RawGuard, RawMutex, Refused};
use super::sys::shareable::shareable;

/// A fixed number of permits that processes share.
///
/// Whoever takes one when none is left waits until one comes back. A permit
/// comes back when its [`Permit`] goes out of scope, also by `?` or a panic,
/// and by the holder's death: each permit is a robust lock of its own. So a
/// permit is released by the thread that took it, and the number of permits
/// never grows past the one given (Python calls this a bounded semaphore).
///
/// The kernel hands on at most 2048 locks and permits of one killed process
/// (ROBUST_LIST_LIMIT); further ones do not come back.
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::{Process, Semaphore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let seats = Semaphore::new(2)?;
/// let guests: Vec<_> = (0..5)
///     .map(|_| {
///         Process::spawn(|| {
///             let _seat = seats.acquire().expect("a seat comes free");
///             // never more than two processes are here
///         })
///     })
///     .collect::<Result<_, _>>()?;
/// for guest in guests {
///     guest.join()?;
/// }
/// assert_eq!(seats.available(), 2);
/// # Ok(())
/// # }
/// ```
pub struct Semaphore {
    permits: Mapping<EventCount, PermitMutex>,
    /// The permit that this process had last: the likeliest to be free, and
    /// its cache line is here. A child begins with its parent's.
    last: AtomicUsize,
}

shareable! {
    /// A cache line each, so that two holders do not slow each other down.
    #[repr(align(64))]
    struct PermitMutex {
        mutex: RawMutex,
    }
}

impl Semaphore {
    /// Makes a semaphore, all of its permits free.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::NoPermits`] for 0: a permit can only come back from
    /// who took it, so everybody would wait for ever.
    /// [`SemaphoreError::Memory`] when there is no memory for so many (64
    /// bytes each).
    pub fn new(permits: usize) -> Result<Self, SemaphoreError> {
        let permits =
            NonZeroUsize::new(permits).ok_or(SemaphoreError::NoPermits)?;
        Ok(Self {
            permits: Mapping::new(permits.get())?,
            last: AtomicUsize::new(0),
        })
    }

    /// Takes a permit, and waits for one as long as it takes.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::System`] when the system refuses.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>, SemaphoreError> {
        match self.take()? {
            Some(permit) => Ok(permit),
            None => self.wait(Deadline::Never, SemaphoreError::WouldBlock),
        }
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::WouldBlock`] when all are taken.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit<'_>, SemaphoreError> {
        self.take()?.ok_or(SemaphoreError::WouldBlock)
    }

    /// Takes a permit, and waits for one up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`SemaphoreError::Timeout`] when none came free for so long.
    pub fn acquire_timeout(
        &self,
        timeout: Duration,
    ) -> Result<Permit<'_>, SemaphoreError> {
        let deadline = Deadline::after(timeout);
        self.wait(deadline, SemaphoreError::Timeout(timeout))
    }

    /// How many permits are free at this moment.
    #[must_use]
    pub fn available(&self) -> usize {
        let free = |permit: &&PermitMutex| permit.mutex.is_free();
        self.permits.elements().iter().filter(free).count()
    }

    /// How many permits there are, free or taken.
    #[must_use]
    pub fn permits(&self) -> usize {
        self.permits.elements().len()
    }

    fn wait(
        &self,
        deadline: Deadline,
        too_late: SemaphoreError,
    ) -> Result<Permit<'_>, SemaphoreError> {
        loop {
            let ticket = self.permits.prepare();
            if let Some(permit) = self.take()? {
                return Ok(permit);
            }
            match deadline.nap() {
                Some(nap) => self.permits.wait(ticket, nap),
                None => return Err(too_late),
            }
        }
    }

    #[inline]
    fn take(&self) -> Result<Option<Permit<'_>>, SemaphoreError> {
        let permits = self.permits.elements();
        let last = self.last.load(Relaxed);
        let likely = permits.iter().enumerate().skip(last);
        let others = permits.iter().enumerate().take(last);
        for (index, permit) in likely.chain(others) {
            if !permit.mutex.is_free() {
                continue;
            }
            match permit.mutex.try_lock() {
                Ok(held) => {
                    if index != last {
                        self.last.store(index, Relaxed);
                    }
                    return Ok(Some(Permit {
                        held: Some(held),
                        freed: &self.permits,
                    }));
                }
                Err(Refused::Busy | Refused::HeldHere) => {}
                Err(Refused::System(error)) => {
                    return Err(SemaphoreError::System(error));
                }
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("permits", &self.permits())
            .finish()
    }
}

/// A permit of a [`Semaphore`]; gives it back when dropped.
#[must_use = "the permit comes back at once when it is dropped"]
pub struct Permit<'a> {
    /// Taken out when it is dropped, which has to be before the others hear.
    held: Option<RawGuard<'a>>,
    freed: &'a EventCount,
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.held = None;
        if cfg!(not(target_arch = "x86_64")) {
            // There the unlock's exchange orders it before what follows.
            fence(SeqCst);
        }
        self.freed.notify();
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Why a [`Semaphore`] could not be made, or gave no permit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SemaphoreError {
    /// All permits are taken.
    #[error("all permits of the semaphore are taken")]
    WouldBlock,
    /// All permits were taken for the whole of the given time.
    #[error("all permits of the semaphore were taken for {0:?}")]
    Timeout(Duration),
    /// A semaphore without permits was asked for.
    #[error(
        "a semaphore of 0 permits would let nobody in, ever; ask for at least 1"
    )]
    NoPermits,
    /// The shared memory could not be had.
    #[error("cannot make a semaphore")]
    Memory(#[from] SharedMemoryError),
    /// The system refused.
    #[error("cannot take a permit")]
    System(#[source] io::Error),
}
