//! The few numbers that every process of a run shares.
#![expect(unsafe_code, reason = "shared memory comes as a pointer")]

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use std::num::NonZero;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

#[derive(Default)]
pub(super) struct Counters {
    /// The number of the last arrow that was drawn.
    pub arrows: AtomicU64,
    /// Events that could not be written.
    pub lost: AtomicU64,
    /// Why the last of them could not: the system's error number.
    pub lost_errno: AtomicI32,
    /// While above 0 nothing is recorded.
    pub muted: AtomicU32,
}

/// `Counters` in a mapping that children made by fork share.
pub(super) struct SharedCounters(NonNull<Counters>);

impl SharedCounters {
    pub fn new() -> std::io::Result<Self> {
        // SAFETY: a new anonymous mapping touches no memory in use.
        let memory = unsafe {
            mmap_anonymous(
                None,
                Self::LENGTH,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                MapFlags::MAP_SHARED,
            )
        }?;
        let counters = memory.cast::<Counters>();
        // SAFETY: the mapping is page-aligned, writable, LENGTH bytes long
        // and nobody else knows of it yet.
        unsafe { counters.write(Counters::default()) };
        Ok(Self(counters))
    }

    const LENGTH: NonZero<usize> = NonZero::new(size_of::<Counters>()).unwrap();
}

impl Deref for SharedCounters {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        // SAFETY: the mapping lives as long as `self`, was initialised by
        // `new`, and all of its fields are atomic.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for SharedCounters {
    fn drop(&mut self) {
        // SAFETY: made by `new` with this length, and `&mut self` shows that
        // no reference is left in this process; other processes have
        // mappings of their own.
        let unmapped = unsafe { munmap(self.0.cast(), Self::LENGTH.get()) };
        debug_assert!(unmapped.is_ok());
    }
}

// SAFETY: only atomics are reached through the pointer.
unsafe impl Send for SharedCounters {}
// SAFETY: as above.
unsafe impl Sync for SharedCounters {}
