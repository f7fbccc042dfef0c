//! What the lessons stand on.
//!
//! [`trace`] records what happens in a run, questions it and draws it;
//! [`mod@lesson`] is the frame around a lesson: its options, its steps, its
//! voice, its claims; `process` (a feature of that name) makes processes as
//! easy to use as `std::thread` makes threads. `lesson` uses `trace`, and has
//! `process` tell it which children have ended; `trace` and `process` use
//! neither each other nor `lesson`. `site` is a web site on this machine, served by
//! a process of `process`, and `client` asks a web site; `lines` are clients of a
//! server that answers in lines. Each is a feature of its own. [`machine`] says
//! what measurements were taken on.

#[cfg(feature = "course")]
pub mod catalogue;
#[cfg(feature = "client")]
pub mod client;
pub mod lesson;
#[cfg(feature = "lines")]
pub mod lines;
pub mod machine;
mod median;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "site")]
pub mod site;
pub mod trace;

pub use lesson::{Stage, Track};
pub use median::median;

/// What a step, and whatever a step calls, returns.
pub type Result<T = ()> = anyhow::Result<T>;
