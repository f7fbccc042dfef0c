use super::event::{Event, Phase, REAPED};
use super::reader::{Fate, Span, Trace};

/// Instants that the frame of a lesson records about itself; they are no part
/// of what the lesson shows.
const OF_THE_FRAME: [&str; 7] =
    ["lesson", "step", TRACK, "say", "claim", "figure", "choice"];

/// The instant that tells that somebody takes part: rows stand in the order in
/// which they were told of, not in that in which a run came to them.
pub(crate) const TRACK: &str = "track";

/// Spans of these names are drawn pale in every lesson: nothing is done in
/// them.
pub(crate) const IDLE: [&str; 3] = ["waits", "sleeps", "blocked"];

/// A trace laid out for drawing: a row a track, spans as bars, instants as
/// marks, counters as curves. A noted value is not drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    rows: Vec<Line>,
    /// Names of spans, in the order of the rows: a bar has an index here.
    spans: Vec<String>,
    /// Names of instants: a mark has an index here.
    marks: Vec<String>,
    arrows: Vec<Arrow>,
    from_ns: u64,
    to_ns: u64,
}

/// One row of a timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The track's name; with its pid where two rows have the same name.
    pub label: String,
    /// Its spans, outer ones first.
    pub bars: Vec<Bar>,
    /// Its instants.
    pub marks: Vec<Mark>,
    /// The values of its counter: when, and how much from then on.
    pub curve: Vec<(u64, f64)>,
}

/// A span of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Index of its name in [`Timeline::span_names`].
    pub name: usize,
    /// When it begins, in nanoseconds since the run began.
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
    /// How it ends.
    pub fate: Fate,
}

/// An instant of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Index of its name in [`Timeline::mark_names`].
    pub name: usize,
    /// When it happened, in nanoseconds since the run began.
    pub at_ns: u64,
}

/// From a row and a time to another.
pub(super) type Arrow = ((usize, u64), (usize, u64));

impl Timeline {
    /// Lays the whole of `trace` out.
    pub fn of(trace: &Trace) -> Self {
        let mut timeline = Self::default();
        let mut row_of = vec![None; trace.tracks.len()];
        let mut rows = shown_tracks(trace);
        let told: Vec<&str> = told_tracks(trace).collect();
        let place = |track: &usize| {
            let name = &trace.tracks[*track].name;
            told.iter().position(|told| told == name).unwrap_or(told.len())
        };
        rows.sort_by_key(place);
        for (row, track) in rows.iter().enumerate() {
            row_of[*track] = Some(row);
        }
        timeline.rows = vec![Line::default(); rows.len()];
        for (index, event) in trace.events.iter().enumerate() {
            let Some(row) =
                row_of[trace.track_of[index]].filter(|_| is_shown(event))
            else {
                continue;
            };
            if event.ph == Phase::Instant {
                let name = index_of(&mut timeline.marks, &event.name);
                let at_ns = event.t_ns;
                timeline.rows[row].marks.push(Mark { name, at_ns });
            } else if let Some(value) =
                event.value().and_then(|value| value.as_f64())
            {
                timeline.rows[row].curve.push((event.t_ns, value));
            }
        }
        // By rows, so that a name has the same shade in every run.
        let drawn = |span: &&Span| span.name != "step";
        let spans = trace.spans.iter().filter(drawn);
        let mut spans: Vec<(usize, &Span)> = spans
            .filter_map(|span| Some((row_of[span.track]?, span)))
            .collect();
        spans.sort_by_key(|(row, _)| *row);
        for (row, span) in spans {
            let name = index_of(&mut timeline.spans, &span.name);
            timeline.rows[row].bars.push(Bar {
                name,
                from_ns: span.begin_ns,
                to_ns: span.end_ns,
                fate: span.fate.clone(),
            });
        }
        timeline.label(trace, &row_of);
        timeline.connect(trace, &row_of);
        timeline.measure();
        timeline
    }

    fn label(&mut self, trace: &Trace, row_of: &[Option<usize>]) {
        let shown = |track: &usize| row_of[*track].is_some();
        for track in (0..trace.tracks.len()).filter(shown) {
            let row = &trace.tracks[track];
            let alike = |other: &usize| trace.tracks[*other].name == row.name;
            let twins = (0..trace.tracks.len()).filter(shown).filter(alike);
            self.rows[row_of[track].unwrap_or_default()].label =
                match twins.count() {
                    1 => row.name.clone(),
                    _ => format!("{} {}", row.name, row.pid),
                };
        }
    }

    fn connect(&mut self, trace: &Trace, row_of: &[Option<usize>]) {
        let place = |event: usize| {
            let row = row_of[trace.track_of[event]]?;
            Some((row, trace.events[event].t_ns))
        };
        let arrows = trace.arrows().into_iter();
        let placed = arrows
            .filter_map(|(start, end)| Some((place(start)?, place(end)?)));
        self.arrows = placed.collect();
    }

    fn measure(&mut self) {
        let rows = self.rows.iter();
        let times = rows.flat_map(|row| {
            let bars = row.bars.iter().flat_map(|bar| [bar.from_ns, bar.to_ns]);
            let marks = row.marks.iter().map(|mark| mark.at_ns);
            bars.chain(marks).chain(row.curve.iter().map(|&(at, _)| at))
        });
        let times: Vec<u64> = times.collect();
        self.from_ns = times.iter().copied().min().unwrap_or(0);
        self.to_ns =
            times.iter().copied().max().unwrap_or(0).max(self.from_ns + 1);
    }

    /// Its rows.
    pub fn rows(&self) -> &[Line] {
        &self.rows
    }

    /// The names of all spans.
    pub fn span_names(&self) -> &[String] {
        &self.spans
    }

    /// The names of all instants.
    pub fn mark_names(&self) -> &[String] {
        &self.marks
    }

    /// When the first thing on it happens, in nanoseconds since the run
    /// began.
    pub fn from_ns(&self) -> u64 {
        self.from_ns
    }

    /// When the last thing on it happens.
    pub fn to_ns(&self) -> u64 {
        self.to_ns
    }

    /// How a span of that name is painted: nothing for one in which nothing is
    /// done, else its number among the others.
    pub(super) fn paint(&self, name: usize) -> Option<usize> {
        let idle = |name: &String| IDLE.contains(&name.as_str());
        let before =
            self.spans[..name].iter().filter(|name| !idle(name)).count();
        (!idle(&self.spans[name])).then_some(before)
    }

    pub(super) fn arrows(&self) -> &[Arrow] {
        &self.arrows
    }

    /// How far along the time is, from 0.0 to 1.0.
    pub(super) fn share(&self, t_ns: u64) -> f64 {
        let length = (self.to_ns - self.from_ns) as f64;
        t_ns.saturating_sub(self.from_ns) as f64 / length
    }

    /// Whether some bar ends because its process was killed.
    pub(super) fn has_killed(&self) -> bool {
        self.has(|fate| matches!(fate, Fate::Killed(_)))
    }

    /// Whether some bar has no end.
    pub(super) fn has_open(&self) -> bool {
        self.has(|fate| *fate == Fate::Open)
    }

    fn has(&self, wanted: impl Fn(&Fate) -> bool) -> bool {
        let mut bars = self.rows.iter().flat_map(|row| &row.bars);
        bars.any(|bar| wanted(&bar.fate))
    }

    /// Places for round times on the axis, at most about `most` of them, each
    /// with what to write there.
    pub(super) fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let length = self.to_ns - self.from_ns;
        let (unit, name) = match length {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            1_000_000..1_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        let round =
            |power: u32| [1, 2, 5].map(|digit| digit * 10_u64.pow(power));
        let mut steps = (0..19).flat_map(round);
        let enough = |step: &u64| length / step < most.max(2) as u64;
        let step = steps.find(enough).unwrap_or(length);
        let times = (0..=length / step).map(|n| n * step);
        times
            .map(|t| {
                let place = t as f64 / length as f64;
                let number = t as f64 / unit as f64;
                (place, format!("{number} {name}"))
            })
            .collect()
    }
}

/// Whether an event is drawn.
fn is_shown(event: &Event) -> bool {
    let noted = event.ph == Phase::Instant && event.value().is_some();
    // What the frame itself waited for is nobody's mark.
    let frame = OF_THE_FRAME.contains(&event.name.as_str())
        || (event.name == REAPED && event.track == "lesson");
    event.ph != Phase::End && !noted && !frame
}

/// The tracks on which something is drawn, in the order of its first.
fn shown_tracks(trace: &Trace) -> Vec<usize> {
    let mut tracks = Vec::new();
    for (event, track) in trace.events.iter().zip(&trace.track_of) {
        if is_shown(event) && !tracks.contains(track) {
            tracks.push(*track);
        }
    }
    tracks
}

/// The names of the tracks that were told of, in order.
fn told_tracks(trace: &Trace) -> impl Iterator<Item = &str> {
    let told = trace.events.iter().filter(|event| event.name == TRACK);
    told.filter_map(|event| event.args.get("name")?.as_str())
}

fn index_of(names: &mut Vec<String>, name: &str) -> usize {
    let known = names.iter().position(|known| known == name);
    known.unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}
