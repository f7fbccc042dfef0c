//! What the lessons stand on.

#[cfg(feature = "process")]
pub mod process;
