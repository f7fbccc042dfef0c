//! What may lie in memory that several processes see.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// A type that may live in a [`Mapping`](super::mapping::Mapping).
///
/// # Safety
///
/// An implementor promises that
///
/// - zeroed memory is a valid value, on which [`init`](Shareable::init) is
///   called once before anything else;
/// - a process that is killed at any instruction leaves a valid value;
/// - nothing in it is an address, a descriptor or anything else that has a
///   meaning in one process only;
/// - it needs no `Drop`: the mapping is unmapped, never dropped.
pub(crate) unsafe trait Shareable: Sync + Sized {
    /// Whether [`init`](Shareable::init) and
    /// [`is_held_here`](Shareable::is_held_here) do anything.
    const STATEFUL: bool = false;

    /// Turns zeroed memory into a working value.
    fn init(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether this process holds something in it that must not be unmapped.
    fn is_held_here(&self) -> bool {
        false
    }
}

// SAFETY: plain integers, every bit pattern of which is valid.
unsafe impl Shareable for AtomicU32 {}

// SAFETY: as for AtomicU32.
unsafe impl Shareable for AtomicU64 {}

// SAFETY: has no bytes.
unsafe impl Shareable for () {}

/// Declares a struct that is [`Shareable`] because each of its fields is.
macro_rules! shareable {
    ($(#[$attribute:meta])* $vis:vis struct $name:ident {
        $($(#[$field_attribute:meta])* $field_vis:vis $field:ident: $type:ty,)+
    }) => {
        $(#[$attribute])*
        $vis struct $name {
            $($(#[$field_attribute])* $field_vis $field: $type,)+
        }

        // SAFETY: a struct is what its fields are; each is Shareable, which
        // the calls below would not compile without.
        #[allow(unsafe_code)]
        unsafe impl $crate::process::sys::shareable::Shareable for $name {
            const STATEFUL: bool = $(
                <$type as $crate::process::sys::shareable::Shareable>::STATEFUL
            )||+;

            fn init(&self) -> std::io::Result<()> {
                $($crate::process::sys::shareable::Shareable::init(&self.$field)?;)+
                Ok(())
            }

            fn is_held_here(&self) -> bool {
                $($crate::process::sys::shareable::Shareable::is_held_here(&self.$field))||+
            }
        }
    };
}

pub(crate) use shareable;
