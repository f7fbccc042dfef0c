//! What the lessons stand on.
//!
//! [`trace`] records what happens in a run, questions it and draws it;
//! [`mod@lesson`] is the frame around a lesson: its options, its steps, its voice,
//! its claims. The arrows point down: `lesson` uses `trace`, and neither knows
//! a lesson.

pub mod lesson;
pub mod trace;

pub use lesson::{Stage, Track};

/// What a step, and whatever a step calls, returns.
pub type Result<T = ()> = anyhow::Result<T>;
