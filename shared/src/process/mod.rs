//! Processes like `std::thread` (Linux only).

mod answer;
mod barrier;
mod child;
mod codec;
mod deadline;
mod error;
mod event;
mod event_count;
mod joinable_queue;
mod lock;
mod manager;
mod pool;
#[expect(clippy::module_inception, reason = "one noun a file, and this one has the module's name")]
mod process;
mod queue;
mod ring;
mod semaphore;
mod spin;
mod status;
mod sys;

pub use answer::Answer;
pub use barrier::{Barrier, BarrierError, BarrierWaitResult};
pub use error::{JoinError, SignalError, SpawnError, Who};
pub use event::{Event, EventError};
pub use joinable_queue::JoinableQueue;
pub use lock::{DeadOwner, Lock, LockError, LockGuard};
pub use manager::{Dict, List, Manager, ManagerBuilder, ManagerError};
pub use pool::{AsCompleted, Job, JobError, MapError, Pool, PoolBuilder, PoolError};
pub use process::{Builder, Current, Process, current, dropped_alive};
pub use queue::{Iter, Queue, QueueError};
pub use semaphore::{Permit, Semaphore, SemaphoreError};
pub use status::{Signal, Status};
pub use sys::mapping::SharedMemoryError;
pub use sys::plain::Plain;
