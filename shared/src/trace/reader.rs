use super::event::{Event, IN, Kind, OUT, Phase, REAPED};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

/// The events of a run, read back to be questioned and drawn.
///
/// The events stand in the order of their lines, which agrees with
/// happened-before (see [`Recorder`](super::Recorder)); "during", "before" and
/// "at once" are judged by that order and not by comparing clock readings.
/// Only spans that were measured before they were recorded
/// ([`Track::span_at`](super::Track::span_at)) have no other order than that
/// of their times.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub(super) events: Vec<Event>,
    pub(super) tracks: Vec<Row>,
    /// For each event the index of its track.
    pub(super) track_of: Vec<usize>,
    pub(super) spans: Vec<Span>,
    damaged: Vec<Damage>,
}

/// A track as the reader found it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What runs on it.
    pub kind: Kind,
    /// Its process: after a fork the child's events on a track of the parent
    /// are a row of their own.
    pub pid: i32,
}

/// From a beginning to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What went on.
    pub name: String,
    /// The track's index in [`Trace::tracks`].
    pub track: usize,
    /// Index of the event that began it.
    pub begin: usize,
    /// Index of the event that ended it; the number of all events if nothing
    /// did. Of one that was measured before it was recorded both are the
    /// index of its only event.
    pub end: usize,
    /// When it began, in nanoseconds since the run began.
    pub begin_ns: u64,
    /// When it ended; of one that was killed, when its death was known; of
    /// one that is still open, the last time in the trace.
    pub end_ns: u64,
    /// How many spans of the same track it lies in.
    pub depth: usize,
    /// How it ended.
    pub fate: Fate,
}

impl Span {
    /// Whether there was a moment at which both went on.
    pub fn overlaps(&self, other: &Span) -> bool {
        if self.was_measured() || other.was_measured() {
            return self.begin_ns < other.end_ns
                && other.begin_ns < self.end_ns;
        }
        self.begin < other.end && other.begin < self.end
    }

    /// Whether it was measured before it was recorded.
    pub(super) fn was_measured(&self) -> bool {
        self.begin == self.end
    }
}

/// How a span ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It came to its end.
    Ended,
    /// Its process was killed by the signal named here.
    Killed(String),
    /// The trace ends before it does.
    Open,
}

/// A line that could not be read, or does not fit what stands above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line's number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl Trace {
    /// Reads a trace file.
    ///
    /// # Errors
    /// When the file cannot be read. A damaged line is no error: see
    /// [`Trace::damaged`].
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::parse(&std::fs::read(path)?))
    }

    /// Reads the lines of a trace. What cannot be read is reported by
    /// [`Trace::damaged`] with its number; all the rest is there.
    pub fn parse(lines: &[u8]) -> Self {
        let mut builder = Builder::default();
        let text = lines.strip_suffix(b"\n").unwrap_or(lines);
        let lines = text.split(|&byte| byte == b'\n');
        for (number, line) in
            (1..).zip(lines).filter(|(_, line)| !line.is_empty())
        {
            match serde_json::from_slice(line) {
                Ok(event) => builder.add(number, event),
                Err(error) => {
                    builder.damage(number, format!("not an event: {error}"))
                }
            }
        }
        builder.finish()
    }

    /// A trace of these events, as if each were a line.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let mut builder = Builder::default();
        for (number, event) in (1..).zip(events) {
            builder.add(number, event);
        }
        builder.finish()
    }

    /// All events, in the order of their lines.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The tracks, in the order in which they first did something.
    pub fn tracks(&self) -> &[Row] {
        &self.tracks
    }

    /// All spans, in the order in which they began.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The lines that could not be read.
    pub fn damaged(&self) -> &[Damage] {
        &self.damaged
    }

    /// The last time in the trace, in nanoseconds since the run began.
    pub fn end_ns(&self) -> u64 {
        self.events.iter().map(|event| event.t_ns).max().unwrap_or(0)
    }
}

#[derive(Default)]
struct Builder {
    trace: Trace,
    rows: HashMap<Row, usize>,
    /// For each track the spans that have begun and not ended.
    open: Vec<Vec<usize>>,
    /// The arrows that have started.
    arrows: HashSet<u64>,
}

impl Builder {
    fn damage(&mut self, line: usize, why: String) {
        self.trace.damaged.push(Damage { line, why });
    }

    fn add(&mut self, line: usize, event: Event) {
        let track = self.track(&event);
        let index = self.trace.events.len();
        match event.ph {
            Phase::Begin => self.begin(track, index, &event),
            Phase::End => {
                let innermost = self.open[track].last().copied();
                match innermost
                    .filter(|&at| self.trace.spans[at].name == event.name)
                {
                    Some(at) => {
                        self.open[track].pop();
                        self.end(at, index, event.t_ns, Fate::Ended);
                    }
                    None => {
                        let why = format!(
                            "`{}` ends on track `{}`, but is not what began last there",
                            event.name, event.track
                        );
                        return self.damage(line, why);
                    }
                }
            }
            Phase::Instant if event.name == REAPED => self.reap(index, &event),
            Phase::Measured => match event.measured() {
                Some((from_ns, to_ns)) => {
                    self.begin(track, index, &event);
                    let span = self.open[track].pop();
                    let span = &mut self.trace.spans[span.unwrap_or_default()];
                    (span.begin_ns, span.end_ns) = (from_ns, to_ns);
                    span.fate = Fate::Ended;
                }
                None => {
                    let why = format!("`{}` has no two times", event.name);
                    return self.damage(line, why);
                }
            },
            Phase::Instant | Phase::Counter => {}
        }
        self.arrows.extend(event.arrow(OUT));
        if event.arrow(IN).is_some_and(|arrow| !self.arrows.contains(&arrow)) {
            let why =
                format!("`{}` takes over what nobody handed over", event.name);
            self.damage(line, why);
        }
        self.trace.track_of.push(track);
        self.trace.events.push(event);
    }

    fn track(&mut self, event: &Event) -> usize {
        let row =
            Row { name: event.track.clone(), kind: event.kind, pid: event.pid };
        let (tracks, open) = (&mut self.trace.tracks, &mut self.open);
        *self.rows.entry(row).or_insert_with_key(|row| {
            tracks.push(row.clone());
            open.push(Vec::new());
            tracks.len() - 1
        })
    }

    fn begin(&mut self, track: usize, index: usize, event: &Event) {
        let depth = self.open[track].len();
        self.open[track].push(self.trace.spans.len());
        self.trace.spans.push(Span {
            name: event.name.clone(),
            track,
            begin: index,
            end: index,
            begin_ns: event.t_ns,
            end_ns: event.t_ns,
            depth,
            fate: Fate::Open,
        });
    }

    fn end(&mut self, span: usize, index: usize, t_ns: u64, fate: Fate) {
        let span = &mut self.trace.spans[span];
        (span.end, span.fate) = (index, fate);
        // A damaged trace may have an end before its beginning.
        span.end_ns = t_ns.max(span.begin_ns);
    }

    /// A process has ended: so has all that was going on in it.
    fn reap(&mut self, index: usize, event: &Event) {
        let pid = event.args.get("pid").and_then(|pid| pid.as_i64());
        let signal =
            event.args.get("signal").and_then(|signal| signal.as_str());
        let fate = signal
            .map_or(Fate::Ended, |signal| Fate::Killed(signal.to_owned()));
        for track in 0..self.trace.tracks.len() {
            if Some(self.trace.tracks[track].pid.into()) == pid {
                for span in std::mem::take(&mut self.open[track]) {
                    self.end(span, index, event.t_ns, fate.clone());
                }
            }
        }
    }

    fn finish(mut self) -> Trace {
        let (end, end_ns) = (self.trace.events.len(), self.trace.end_ns());
        for span in std::mem::take(&mut self.open).concat() {
            self.end(span, end, end_ns, Fate::Open);
        }
        if self.trace.spans.iter().any(Span::was_measured) {
            // They were recorded later than they began.
            self.trace.spans.sort_by_key(|span| (span.begin_ns, span.depth));
        }
        self.trace
    }
}
