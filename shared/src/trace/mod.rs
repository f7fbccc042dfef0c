//! What happened in a run: recorded, read back, questioned, drawn.
//!
//! A [`Recorder`] is opened before the first fork. From then on every process,
//! thread and coroutine records on a [`Track`] of its own. [`Trace`] reads the
//! lines back and answers questions ([`Trace::peak`],
//! [`Trace::happened_before`], …); [`Timeline`] draws it for a terminal or as
//! SVG; [`chrome::export`] turns it into what <https://ui.perfetto.dev> opens.
//!
//! ```
//! use shared::trace::{Recorder, Timeline, Trace};
//! use std::thread;
//!
//! let recorder = Recorder::in_memory()?;
//! thread::scope(|scope| {
//!     for name in ["anna", "ben"] {
//!         let track = recorder.track(name);
//!         scope.spawn(move || track.span("writes", || track.mark("ink")));
//!     }
//! });
//! let trace = Trace::parse(&recorder.lines_since(0)?);
//! assert_eq!(trace.count("writes"), 2);
//! assert_eq!(trace.order_on("anna"), ["writes", "ink"]);
//! assert!(trace.peak("writes") <= 2);
//! assert_eq!(Timeline::of(&trace).rows().len(), 2);
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod chrome;
mod counters;
mod event;
mod questions;
mod reader;
mod recorder;
pub mod svg;
pub mod text;
mod timeline;

pub(crate) use event::VALUE;
pub use event::{Event, Kind, Phase};
pub use questions::NotRecorded;
pub use reader::{Damage, Fate, Row, Span, Trace};
pub use recorder::{Arrow, OpenSpan, Recorder, Track};
pub use timeline::{Bar, Line, Mark, Timeline};
pub(crate) use timeline::{IDLE, TRACK};
