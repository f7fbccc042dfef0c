//! A lock and the value that it protects.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::deadline::Deadline;
use super::sys::mapping::{Mapping, SharedMemoryError};
use super::sys::mutex::{self, Mutex, Refused};
use super::sys::plain::Plain;

/// Mutual exclusion between processes, and the value it protects.
///
/// Like [`std::sync::Mutex`], in memory that this process shares with every
/// process it forks afterwards. One thread of one process holds the lock at a
/// time; it is released when its [`LockGuard`] goes out of scope, also by `?`
/// or a panic, and by the holder's death.
///
/// The value is [`Plain`] data: numbers, `bool`, arrays and tuples of them. For
/// a lock that protects something else, a file say, use `Lock<()>`.
///
/// # When the holder dies
///
/// The lock of a killed process goes to the next one that asks, at once if it
/// is waiting, and its guard says so ([`LockGuard::dead_owner`]): the value may
/// be half changed. This is told once. It is what `std::sync::Mutex` calls
/// poisoning, except that a panic, which runs destructors, is no death.
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::{Lock, Process};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let total = Lock::new(0_u64)?;
/// let worker = Process::spawn(|| *total.lock().expect("free soon") += 7)?;
/// worker.join()?;
/// assert_eq!(*total.lock()?, 7);
/// # Ok(())
/// # }
/// ```
///
/// The kernel hands on at most 2048 locks and permits of one killed process
/// (ROBUST_LIST_LIMIT); further ones stay locked.
///
/// A guard stays in the process that took it, also when it is only borrowed:
///
/// ```compile_fail,E0277
/// # use shared::process::{Lock, Process};
/// let total = Lock::new(0_u64).unwrap();
/// let mut guard = total.lock().unwrap();
/// Process::spawn(move || *guard += 1);
/// ```
///
/// ```compile_fail,E0277
/// # use shared::process::{Lock, Process};
/// let total = Lock::new(0_u64).unwrap();
/// let guard = total.lock().unwrap();
/// Process::spawn(|| assert_eq!(*guard, 0));
/// ```
pub struct Lock<T: Plain> {
    mutex: Mapping<Mutex<T>>,
}

impl<T: Plain> Lock<T> {
    /// Makes a lock that nobody holds.
    ///
    /// # Errors
    ///
    /// [`LockError::Memory`] when the shared memory cannot be had.
    pub fn new(value: T) -> Result<Self, LockError> {
        let lock = Self { mutex: Mapping::new(0)? };
        *lock.lock()? = value;
        Ok(lock)
    }

    /// Takes the lock, and waits for it as long as it takes.
    ///
    /// # Errors
    ///
    /// [`LockError::HeldHere`] when the calling thread holds it already, which
    /// would be waiting for itself.
    #[inline]
    pub fn lock(&self) -> Result<LockGuard<'_, T>, LockError> {
        match self.mutex.try_lock() {
            Ok(guard) => Ok(LockGuard { guard }),
            Err(_) => self.wait(Deadline::Never, LockError::WouldBlock),
        }
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// [`LockError::WouldBlock`] when another process or thread holds it,
    /// [`LockError::HeldHere`] when the calling one does.
    #[inline]
    pub fn try_lock(&self) -> Result<LockGuard<'_, T>, LockError> {
        match self.mutex.try_lock() {
            Ok(guard) => Ok(LockGuard { guard }),
            Err(refused) => Err(LockError::new(refused, LockError::WouldBlock)),
        }
    }

    /// Takes the lock, and waits for it up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`LockError::Timeout`] when it was held for so long,
    /// [`LockError::HeldHere`] when the calling thread holds it already.
    pub fn lock_timeout(
        &self,
        timeout: Duration,
    ) -> Result<LockGuard<'_, T>, LockError> {
        self.wait(Deadline::after(timeout), LockError::Timeout(timeout))
    }

    #[cold]
    fn wait(
        &self,
        deadline: Deadline,
        too_late: LockError,
    ) -> Result<LockGuard<'_, T>, LockError> {
        match self.mutex.lock(deadline) {
            Ok(guard) => Ok(LockGuard { guard }),
            Err(refused) => Err(LockError::new(refused, too_late)),
        }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Lock");
        match self.try_lock() {
            Ok(guard) => shown.field("value", &*guard).finish(),
            Err(_) => shown.finish_non_exhaustive(),
        }
    }
}

/// Gives access to the value of a [`Lock`]; releases it when dropped.
#[must_use = "the lock is released at once when its guard is dropped"]
pub struct LockGuard<'a, T: Plain> {
    guard: mutex::Guard<'a, T>,
}

impl<T: Plain> LockGuard<'_, T> {
    /// The holder before this one, if it died while it held the lock.
    #[must_use]
    pub fn dead_owner(&self) -> Option<DeadOwner> {
        self.guard.dead_owner().map(|pid| DeadOwner { pid })
    }
}

impl<T: Plain> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T: Plain> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// A process that died while it held a [`Lock`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadOwner {
    pid: u32,
}

impl DeadOwner {
    /// Its pid; `None` if it died in the instant in which it took the lock.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        (self.pid != 0).then_some(self.pid)
    }
}

impl fmt::Display for DeadOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid() {
            Some(pid) => write!(f, "process {pid} died while it held the lock"),
            None => write!(f, "a process died while it held the lock"),
        }
    }
}

/// Why a [`Lock`] could not be made or taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process or thread holds it.
    #[error("the lock is held elsewhere")]
    WouldBlock,
    /// It was held for the whole of the given time.
    #[error("the lock was held elsewhere for {0:?}")]
    Timeout(Duration),
    /// The calling thread holds it already.
    #[error(
        "this thread holds the lock already and would wait for itself; drop its guard first"
    )]
    HeldHere,
    /// The shared memory could not be had.
    #[error("cannot make a lock")]
    Memory(#[from] SharedMemoryError),
    /// The system refused.
    #[error("cannot take the lock")]
    System(#[source] io::Error),
}

impl LockError {
    fn new(refused: Refused, busy: Self) -> Self {
        match refused {
            Refused::Busy => busy,
            Refused::HeldHere => Self::HeldHere,
            Refused::System(error) => Self::System(error),
        }
    }
}
