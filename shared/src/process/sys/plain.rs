//! Data that means the same in every process.

/// Plain data: what a [`Lock`](crate::process::Lock) can hold.
///
/// Numbers, `bool`, and arrays and tuples of them. Not simply `Copy`: a
/// reference is `Copy`, and means nothing in another process. Every bit
/// pattern that a process killed in the middle of a change can leave is a
/// valid value, though it may mix the old one with the new.
///
/// The trait is sealed: it cannot be implemented elsewhere.
///
/// # Safety
///
/// The implementor has no address in it, needs no `Drop`, is valid when its
/// bytes are all zero, and stays valid when only some of its bytes were
/// written.
pub unsafe trait Plain: sealed::Sealed + Send + Sync + 'static {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! plain {
    ($($type:ty)+) => {$(
        impl sealed::Sealed for $type {}

        // SAFETY: a number (every bit pattern is valid), or one byte.
        unsafe impl Plain for $type {}
    )+};
}

plain!(() bool u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

impl<T: Plain, const N: usize> sealed::Sealed for [T; N] {}

// SAFETY: an array is what its elements are.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

macro_rules! plain_tuple {
    ($($name:ident)+) => {
        impl<$($name: Plain),+> sealed::Sealed for ($($name,)+) {}

        // SAFETY: a tuple is what its fields are; padding is never read.
        unsafe impl<$($name: Plain),+> Plain for ($($name,)+) {}
    };
}

plain_tuple!(A);
plain_tuple!(A B);
plain_tuple!(A B C);
plain_tuple!(A B C D);
plain_tuple!(A B C D E);
plain_tuple!(A B C D E F);
