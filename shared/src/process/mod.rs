//! Processes like `std::thread`, and what they share. Linux only.
//!
//! [`Process::spawn`] forks: the closure runs in a copy of this process, and
//! what it returns comes back by [`join`](Process::join). A copy means that
//! nothing is shared but what is made to be:
//!
//! | | what it is | in a process that is killed |
//! |---|---|---|
//! | [`Process`] | a closure in a process of its own | `join` names the signal |
//! | [`Lock`] | a value that one process at a time may touch | the next one gets in and is told |
//! | [`Semaphore`] | a number of permits | its permits come back |
//! | [`Event`] | a flag that many can wait for | nobody waits for it |
//! | [`Barrier`] | a place where a number of processes meet | it counts as arrived if it was waiting; else the others wait for their time |
//! | [`Queue`] | items, first in, first out, between any number of processes | at most the item in its hands is lost |
//! | [`JoinableQueue`] | a queue that knows when all its items are dealt with | as above |
//! | [`Pool`] | a fixed number of workers for a stream of jobs | its job is named as lost, or runs again |
//! | [`Manager`] | dicts and lists kept by a process, for any number of others | every call says so |
//!
//! ```standalone_crate
//! use shared::process::{Event, Lock, Process, Queue, Semaphore};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let total = Lock::new(0_u64)?; // plain data
//!     let queue = Queue::bounded(16)?; // anything that serde can carry
//!     let go = Event::new()?;
//!     let two = Semaphore::new(2)?;
//!     let worker = Process::spawn(|| {
//!         go.wait();
//!         // Ends when the queue is closed and empty.
//!         for n in &queue {
//!             let _permit = two.acquire().map_err(|error| error.to_string())?;
//!             *total.lock().map_err(|error| error.to_string())? += n;
//!         }
//!         Ok::<_, String>(())
//!     })?;
//!     for n in 1..=4 {
//!         queue.put(&n)?;
//!     }
//!     go.set();
//!     queue.close();
//!     worker.join()?;
//!     assert_eq!(*total.lock()?, 10);
//!     Ok(())
//! }
//! ```
//!
//! What goes wrong in a child is told by `join`:
//!
//! ```standalone_crate
//! use shared::process::{JoinError, Process, Signal};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let failing = Process::spawn(|| "twelve".parse::<u32>())?;
//!     match failing.join() {
//!         Err(JoinError::Failed { message, .. }) => assert!(message.contains("invalid digit")),
//!         other => panic!("{other:?}"),
//!     }
//!
//!     let sleeper = Process::builder().name("sleeper").daemon(true).spawn(|| -> () {
//!         loop {
//!             std::thread::park();
//!         }
//!     })?;
//!     sleeper.terminate()?;
//!     match sleeper.join() {
//!         Err(JoinError::Killed { signal, .. }) => assert_eq!(signal, Signal::TERM),
//!         other => panic!("{other:?}"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # What holds for all of it
//!
//! - **Make it, then fork.** What is shared is shared with the children that
//!   are started afterwards, by being borrowed or moved into their closures.
//! - **No threads.** A fork copies the calling thread alone, and the locks of
//!   all as they are; a process with other threads is refused
//!   ([`SpawnError::ForkWhileThreaded`]). This module starts none. Start
//!   processes first, and threads or a runtime in the children.
//! - **A process may be killed at any instruction.** The others go on: no sleep
//!   is without end, no lock stays locked, no item is torn.
//! - **Guards stay at home.** [`LockGuard`], [`Permit`] and [`Pool`] are not
//!   `Send`: to carry one into a child does not compile.
//! - **A child works on a copy** of memory and shares what the system shares
//!   over a fork: open files with their positions, sockets, signals that are
//!   ignored. Handlers are reset. Descriptors of this module that are for one
//!   process alone are closed in the others; of the way by which a child
//!   answers its parent its own children have a copy.
//! - **Descriptors 0, 1 and 2 are open**, as in any program that was started
//!   in the usual way: otherwise this module's own take their place, and what
//!   is printed goes there.
//! - **Random numbers**: a generator seeded before the fork repeats itself in
//!   every child. Reseed it there.
//! - **Costs**: a fork takes longer the more memory the parent has touched: 0.2
//!   ms for a small program, 19 ms with 512 MiB.
//!
//! ```compile_fail,E0277
//! use shared::process::{Pool, Process};
//!
//! let pool = Pool::new(2, |n: u64| n + 1).unwrap();
//! Process::spawn(|| pool.close()); // the workers are this process's children
//! ```
//!
//! # For those who come from Python
//!
//! Behaviour and names are those of `multiprocessing` where Rust has no habit
//! of its own. Left out are:
//!
//! - **A process that is not started yet** (`Process(target=…)`, `start`): a
//!   [`Builder`] describes it, and spawning is starting. `run` without starting
//!   is calling the closure.
//! - **`exitcode` as one number**: [`Status`] says exited, killed or unknown.
//! - **Joining at exit**: as with threads, what is not joined goes on alone; a
//!   daemon ends with its parent.
//! - **`spawn` and `forkserver`** as start methods: they run the program anew.
//!   That is `std::process::Command` with `std::env::current_exe`.
//! - **`RLock`**: taking a lock twice is an error that says so.
//!   **`Condition`**: a killed waiter would hang all others; an [`Event`] or a
//!   [`Queue`] does what it is used for.
//! - **`Value` and `Array`**: [`Lock`] of a number or an array. **`Pipe`**:
//!   `std::io::pipe`, or a `Queue`.
//! - **The queue's feeder thread** (`cancel_join_thread`): an item is in the
//!   queue when `put` returns.
//! - **`starmap`**: the argument may be a tuple. **`imap`** and
//!   **`imap_unordered`**: [`Pool::each`] and [`Pool::each_unordered`]. Errors
//!   are values, so that there is no `error_callback`.
//! - **A manager's other types and its network address**: a dict, a list, and
//!   one in another.

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
#[expect(
    clippy::module_inception,
    reason = "one noun a file, and this one has the module's name"
)]
mod process;
mod queue;
mod ring;
mod semaphore;
mod spin;
mod status;
mod sys;

pub use answer::Answer;
pub use barrier::{Barrier, BarrierError, BarrierWaitResult};
pub use child::on_end;
pub use error::{JoinError, SignalError, SpawnError, Who};
pub use event::{Event, EventError};
pub use joinable_queue::JoinableQueue;
pub use lock::{DeadOwner, Lock, LockError, LockGuard};
pub use manager::{Dict, List, Manager, ManagerBuilder, ManagerError};
pub use pool::{
    AsCompleted, Job, JobError, MapError, Pool, PoolBuilder, PoolError,
};
pub use process::{Builder, Current, Process, current, dropped_alive};
pub use queue::{Iter, Queue, QueueError};
pub use semaphore::{Permit, Semaphore, SemaphoreError};
pub use status::{Signal, Status};
pub use sys::mapping::SharedMemoryError;
pub use sys::plain::Plain;
