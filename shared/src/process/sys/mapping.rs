//! Memory that a process shares with all its descendants.

use std::alloc::Layout;
use std::io;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::ptr::NonNull;

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::shareable::Shareable;

/// Memory shared between processes could not be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot map {bytes} bytes of memory to share between processes; \
     ask for less, or raise the limit on address space (ulimit -v)"
)]
pub struct SharedMemoryError {
    /// How much was asked for.
    pub bytes: usize,
    /// What the system said.
    pub source: io::Error,
}

/// An anonymous mapping (`MAP_SHARED`) with a header and a slice behind it.
///
/// Every process forked after it was made sees the same memory at the same
/// address. Dropping it takes it from the dropping process only.
pub(crate) struct Mapping<H: Shareable, E: Shareable = ()> {
    header: NonNull<H>,
    elements: NonNull<E>,
    len: usize,
    bytes: NonZeroUsize,
    owns: PhantomData<(H, E)>,
}

// SAFETY: what is in it is only reached by shared references, and both are
// Sync (Shareable asks for it).
unsafe impl<H: Shareable, E: Shareable> Send for Mapping<H, E> {}

// SAFETY: as above.
unsafe impl<H: Shareable, E: Shareable> Sync for Mapping<H, E> {}

impl<H: Shareable, E: Shareable> Mapping<H, E> {
    /// Maps a header and `len` elements, and initialises them.
    pub fn new(len: usize) -> Result<Self, SharedMemoryError> {
        let too_much = || SharedMemoryError {
            bytes: len.saturating_mul(size_of::<E>()),
            source: io::ErrorKind::OutOfMemory.into(),
        };
        let elements = Layout::array::<E>(len).map_err(|_| too_much())?;
        let (whole, offset) =
            Layout::new::<H>().extend(elements).map_err(|_| too_much())?;
        let bytes = NonZeroUsize::new(whole.size()).ok_or_else(too_much)?;
        let failed = |source| SharedMemoryError { bytes: bytes.get(), source };
        // SAFETY: a new mapping at a place that the kernel chooses touches
        // nothing that exists.
        let start = unsafe {
            mmap_anonymous(
                None,
                bytes,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                MapFlags::MAP_SHARED,
            )
        }
        .map_err(|errno| failed(errno.into()))?;
        let mapping = Self {
            header: start.cast(),
            // SAFETY: offset + len elements lie within the mapping, by
            // Layout::extend; a page is aligned for both types.
            elements: unsafe { start.byte_add(offset) }.cast(),
            len,
            bytes,
            owns: PhantomData,
        };
        mapping.init().map_err(failed)?;
        Ok(mapping)
    }

    fn init(&self) -> io::Result<()> {
        H::init(self)?;
        if E::STATEFUL {
            self.elements().iter().try_for_each(E::init)?;
        }
        Ok(())
    }

    /// The slice behind the header.
    #[inline]
    pub fn elements(&self) -> &[E] {
        // SAFETY: `new` mapped `len` elements there; zeroed memory is valid
        // for a Shareable, and it stays mapped as long as self lives.
        unsafe {
            NonNull::slice_from_raw_parts(self.elements, self.len).as_ref()
        }
    }

    /// Whether this process still holds something in it (a guard that was
    /// forgotten): the list of held robust mutexes leads through it then.
    fn is_held_here(&self) -> bool {
        H::is_held_here(self)
            || E::STATEFUL && self.elements().iter().any(E::is_held_here)
    }
}

impl<H: Shareable, E: Shareable> Deref for Mapping<H, E> {
    type Target = H;

    #[inline]
    fn deref(&self) -> &H {
        // SAFETY: `new` mapped a header there; zeroed memory is valid for a
        // Shareable, and it stays mapped as long as self lives.
        unsafe { self.header.as_ref() }
    }
}

impl<H: Shareable, E: Shareable> Drop for Mapping<H, E> {
    fn drop(&mut self) {
        if self.is_held_here() {
            return;
        }
        // SAFETY: start and size are those of the mapping; no reference into
        // it outlives self, and no robust mutex in it is held here.
        let unmapped = unsafe { munmap(self.header.cast(), self.bytes.get()) };
        debug_assert!(
            unmapped.is_ok(),
            "munmap of an own mapping: {unmapped:?}"
        );
    }
}
