//! The robust mutex that everything shared stands on.
//!
//! A process-shared, error-checking, robust pthread mutex. No sleep in it is
//! longer than [`MAX_NAP`](crate::process::deadline::MAX_NAP): glibc's robust
//! mutex can lose a wake-up when a woken waiter is killed while a third
//! process takes the lock, and whoever looks again goes on.

use std::cell::UnsafeCell;
use std::hint;
use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use nix::libc;

use super::pid;
use super::plain::Plain;
use super::shareable::Shareable;
use crate::process::deadline::Deadline;

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
compile_error!(
    "shared::process stands on Linux and on the robust mutexes of glibc"
);

/// How often to look whether the mutex is free before sleeping: for about
/// 40 µs, what a sleep and its wake-up cost when the core fell asleep too.
const LOOKS: u32 = 8;

/// The pauses before the first look, and the most before any. Each look takes
/// the cache line away from the holder; with long pauses it gets much done in
/// between, and eight processes on one lock are twice as fast.
const PAUSES: (u32, u32) = (16, 256);

/// The bits of the lock word that hold the owner's thread id
/// (Documentation/locking/robust-futex-ABI).
const TID_MASK: u32 = 0x3fff_ffff;

unsafe extern "C" {
    // In glibc since 2.30, and not in the libc crate.
    fn pthread_mutex_clocklock(
        mutex: *mut libc::pthread_mutex_t,
        clock: libc::clockid_t,
        until: *const libc::timespec,
    ) -> libc::c_int;
}

/// Why the mutex was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another thread held it until the deadline.
    Busy,
    /// The calling thread holds it already.
    HeldHere,
    /// The system refused for another reason.
    System(io::Error),
}

/// The mutex without what it protects.
#[repr(transparent)]
pub(crate) struct RawMutex(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: a pthread mutex is made to be used from many threads.
unsafe impl Sync for RawMutex {}

// SAFETY: a pthread_mutex_t is valid when zeroed (it is the static
// initialiser); it is process-shared and robust, so a killed owner leaves a
// state that the next one repairs.
unsafe impl Shareable for RawMutex {
    const STATEFUL: bool = true;

    fn init(&self) -> io::Result<()> {
        let mut attributes = MaybeUninit::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: the attributes are initialised by the first call, used by
        // the next ones, and destroyed before they go out of scope. Nobody
        // else has seen the mutex yet.
        unsafe {
            check(libc::pthread_mutexattr_init(attributes))?;
            let made = check(libc::pthread_mutexattr_setpshared(
                attributes,
                libc::PTHREAD_PROCESS_SHARED,
            ))
            .and_then(|()| {
                check(libc::pthread_mutexattr_setrobust(
                    attributes,
                    libc::PTHREAD_MUTEX_ROBUST,
                ))
            })
            .and_then(|()| {
                check(libc::pthread_mutexattr_settype(
                    attributes,
                    libc::PTHREAD_MUTEX_ERRORCHECK,
                ))
            })
            .and_then(|()| {
                check(libc::pthread_mutex_init(self.0.get(), attributes))
            });
            libc::pthread_mutexattr_destroy(attributes);
            made
        }
    }

    fn is_held_here(&self) -> bool {
        let Ok(tid) = libc::pid_t::try_from(self.holder()) else {
            return false;
        };
        if tid == 0 {
            return false;
        }
        // SAFETY: signal 0 is not sent, the call only tells whether this
        // process has such a thread.
        let sent =
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, 0) };
        sent == 0
    }
}

impl RawMutex {
    /// Takes the mutex if it is free.
    #[inline]
    pub fn try_lock(&self) -> Result<RawGuard<'_>, Refused> {
        // SAFETY: the mutex was initialised when its mapping was made.
        let code = unsafe { libc::pthread_mutex_trylock(self.0.get()) };
        self.outcome(code)
    }

    /// Takes the mutex, and waits for it until the deadline.
    #[inline]
    pub fn lock(&self, deadline: Deadline) -> Result<RawGuard<'_>, Refused> {
        match self.try_lock() {
            Err(Refused::Busy) => self.lock_slowly(deadline),
            outcome => outcome,
        }
    }

    #[cold]
    fn lock_slowly(&self, deadline: Deadline) -> Result<RawGuard<'_>, Refused> {
        for look in 0..LOOKS {
            for _ in 0..PAUSES.1.min(PAUSES.0 << look) {
                hint::spin_loop();
            }
            if self.is_free() {
                match self.try_lock() {
                    Err(Refused::Busy) => {}
                    outcome => return outcome,
                }
            }
        }
        while let Some(nap) = deadline.nap() {
            let until = monotonic_after(nap);
            // SAFETY: the mutex was initialised when its mapping was made;
            // `until` lives until the call returns.
            let code = unsafe {
                pthread_mutex_clocklock(
                    self.0.get(),
                    libc::CLOCK_MONOTONIC,
                    &raw const until,
                )
            };
            match self.outcome(code) {
                Err(Refused::Busy) => {}
                outcome => return outcome,
            }
        }
        self.try_lock()
    }

    #[inline]
    fn outcome(&self, code: libc::c_int) -> Result<RawGuard<'_>, Refused> {
        if code == 0 {
            return Ok(RawGuard::new(self, false));
        }
        self.rare_outcome(code)
    }

    #[cold]
    fn rare_outcome(&self, code: libc::c_int) -> Result<RawGuard<'_>, Refused> {
        match code {
            libc::EOWNERDEAD => self.adopt(),
            libc::EBUSY | libc::ETIMEDOUT => Err(Refused::Busy),
            libc::EDEADLK => Err(Refused::HeldHere),
            code => Err(Refused::System(io::Error::from_raw_os_error(code))),
        }
    }

    /// Makes the mutex of a dead owner, which the caller holds now, usable.
    fn adopt(&self) -> Result<RawGuard<'_>, Refused> {
        // SAFETY: the calling thread holds the mutex, by EOWNERDEAD.
        let code = unsafe { libc::pthread_mutex_consistent(self.0.get()) };
        check(code).map_err(Refused::System)?;
        Ok(RawGuard::new(self, true))
    }

    /// Whether nobody alive held it at the time of the look.
    #[inline]
    pub fn is_free(&self) -> bool {
        self.holder() == 0
    }

    /// The thread id of the holder, 0 for none.
    #[inline]
    fn holder(&self) -> u32 {
        // SAFETY: glibc keeps the futex word, which the kernel writes to when
        // the owner dies, at the beginning of the mutex and changes it by
        // atomic instructions only.
        let word = unsafe { AtomicU32::from_ptr(self.0.get().cast()) };
        word.load(Relaxed) & TID_MASK
    }
}

/// Holds a [`RawMutex`] until it is dropped, in the thread that took it.
pub(crate) struct RawGuard<'a> {
    mutex: &'a RawMutex,
    owner_died: bool,
    /// A mutex is released by the thread that took it.
    not_send: PhantomData<*const ()>,
}

impl<'a> RawGuard<'a> {
    #[inline]
    fn new(mutex: &'a RawMutex, owner_died: bool) -> Self {
        Self { mutex, owner_died, not_send: PhantomData }
    }

    /// Whether the holder before this one died while it held the mutex.
    #[inline]
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }
}

impl Drop for RawGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the guard is made when this thread takes the mutex, and is
        // not Send.
        let code = unsafe { libc::pthread_mutex_unlock(self.mutex.0.get()) };
        debug_assert_eq!(code, 0, "unlock of an own mutex");
    }
}

/// A mutex and the value that it protects.
pub(crate) struct Mutex<T> {
    raw: RawMutex,
    /// The pid of the holder, 0 for none; outlives a holder that is killed.
    owner: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached with the mutex held only, and Plain is Send.
unsafe impl<T: Plain> Sync for Mutex<T> {}

// SAFETY: RawMutex is Shareable; Plain promises for the value what Shareable
// asks for.
unsafe impl<T: Plain> Shareable for Mutex<T> {
    const STATEFUL: bool = true;

    fn init(&self) -> io::Result<()> {
        self.raw.init()
    }

    fn is_held_here(&self) -> bool {
        self.raw.is_held_here()
    }
}

impl<T: Plain> Mutex<T> {
    /// Takes the mutex if it is free.
    #[inline]
    pub fn try_lock(&self) -> Result<Guard<'_, T>, Refused> {
        self.raw.try_lock().map(|raw| self.guard(raw))
    }

    /// Takes the mutex, and waits for it until the deadline.
    #[cold]
    pub fn lock(&self, deadline: Deadline) -> Result<Guard<'_, T>, Refused> {
        self.raw.lock(deadline).map(|raw| self.guard(raw))
    }

    #[inline]
    fn guard<'a>(&'a self, raw: RawGuard<'a>) -> Guard<'a, T> {
        let dead_owner = raw.owner_died().then(|| self.owner.load(Relaxed));
        self.owner.store(pid::own(), Relaxed);
        Guard { value: &self.value, owner: &self.owner, dead_owner, _raw: raw }
    }
}

/// Gives access to the value of a [`Mutex`] until it is dropped.
pub(crate) struct Guard<'a, T> {
    value: &'a UnsafeCell<T>,
    owner: &'a AtomicU32,
    dead_owner: Option<u32>,
    _raw: RawGuard<'a>,
}

impl<T> Guard<'_, T> {
    /// The pid of the holder before this one, if it died while it held the
    /// mutex; 0 if it died before it could say who it is.
    pub fn dead_owner(&self) -> Option<u32> {
        self.dead_owner
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the mutex is held as long as self lives, so nobody changes
        // the value but by a mutable borrow of self.
        unsafe { &*self.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the mutex is held as long as self lives, which is borrowed
        // mutably: this is the only reference.
        unsafe { &mut *self.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.owner.store(0, Relaxed);
    }
}

fn check(code: libc::c_int) -> io::Result<()> {
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// The time of CLOCK_MONOTONIC after `nap`, which is a short one.
fn monotonic_after(nap: Duration) -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to `now` only. It cannot fail for this clock.
    unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now);
    }
    let nanoseconds = now.tv_nsec + i64::from(nap.subsec_nanos());
    libc::timespec {
        tv_sec: now.tv_sec
            + nap.as_secs() as libc::time_t
            + nanoseconds / 1_000_000_000,
        tv_nsec: nanoseconds % 1_000_000_000,
    }
}
