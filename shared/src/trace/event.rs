use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that happened, one line of a trace.
///
/// The keys of the line are the names of these fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Nanoseconds since the run began, by CLOCK_MONOTONIC.
    pub t_ns: u64,
    /// The name of the row that it belongs to: `parent`, `guest 3`.
    pub track: String,
    /// What kind of thing runs on that row.
    pub kind: Kind,
    /// The process that recorded it.
    pub pid: i32,
    /// The operating system's thread that recorded it.
    pub tid: i32,
    /// Beginning, end, instant or counter.
    pub ph: Phase,
    /// What happened: `inside`, `forks`.
    pub name: String,
    /// What else is known of it.
    pub args: Map<String, Value>,
}

impl Event {
    /// The value that [`Track::note`](super::Track::note) or
    /// [`Track::count`](super::Track::count) recorded here.
    pub fn value(&self) -> Option<&Value> {
        self.args.get(VALUE)
    }

    /// When it began, in nanoseconds since the run began: earlier than `t_ns`
    /// if it was measured before it was recorded.
    pub(super) fn began_ns(&self) -> u64 {
        self.measured().map_or(self.t_ns, |(from_ns, _)| from_ns)
    }

    /// From when to when a measured span went on.
    pub(super) fn measured(&self) -> Option<(u64, u64)> {
        let time = |key| self.args.get(key)?.as_u64();
        let span = time(FROM).zip(time(TO)).filter(|(from, to)| from <= to);
        span.filter(|_| self.ph == Phase::Measured)
    }

    pub(super) fn arrow(&self, key: &str) -> Option<u64> {
        self.args.get(key)?.as_u64()
    }
}

/// `args` key of a noted or counted value.
pub(crate) const VALUE: &str = "value";
/// `args` key of the time at which a measured span began.
pub(super) const FROM: &str = "from_ns";
/// `args` key of the time at which a measured span ended.
pub(super) const TO: &str = "to_ns";
/// `args` key of the event at which an arrow starts.
pub(super) const OUT: &str = "out";
/// `args` key of the event at which an arrow ends.
pub(super) const IN: &str = "in";
/// Name of the instant that says that a process has ended.
pub(super) const REAPED: &str = "reaped";

/// What runs on a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A process, by its first thread.
    Process,
    /// Any further thread of a process.
    Thread,
    /// A coroutine, on whichever thread carries it.
    Coroutine,
}

/// What an event is, in the letters of the Chrome trace event format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// A span begins.
    #[serde(rename = "B")]
    Begin,
    /// The span that began last on this track ends.
    #[serde(rename = "E")]
    End,
    /// Something without length.
    #[serde(rename = "i")]
    Instant,
    /// The value of a counter from here on.
    #[serde(rename = "C")]
    Counter,
    /// A span that was measured before this was recorded.
    #[serde(rename = "X")]
    Measured,
}
