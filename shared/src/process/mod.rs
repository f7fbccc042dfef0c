//! Processes like `std::thread` (Linux only).

mod answer;
mod child;
mod error;
#[expect(clippy::module_inception, reason = "one noun a file, and this one has the module's name")]
mod process;
mod status;
mod sys;

pub use answer::Answer;
pub use error::{JoinError, SignalError, SpawnError, Who};
pub use process::{Builder, Current, Process, current, dropped_alive};
pub use status::{Signal, Status};
