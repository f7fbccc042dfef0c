//! What a trace can be asked.

use super::event::{Event, IN, Kind, OUT, Phase, REAPED};
use super::reader::{Fate, Span, Trace};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// A trace was asked for something that was never recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRecorded {
    track: String,
    name: String,
}

impl std::fmt::Display for NotRecorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { track, name } = self;
        write!(f, "the trace has no `{name}` on the track `{track}`")
    }
}

impl std::error::Error for NotRecorded {}

/// What does one thing after the other.
#[derive(PartialEq, Eq, Hash)]
enum Line {
    /// A thread, by its process and its own number.
    Thread(i32, i32),
    /// A coroutine, by its track, on whichever thread it is.
    Coroutine(usize),
}

impl Trace {
    /// How often `name` happened: as a span, as an instant, as a counter.
    pub fn count(&self, name: &str) -> usize {
        let counted =
            |event: &&Event| event.ph != Phase::End && event.name == name;
        self.events.iter().filter(counted).count()
    }

    /// The spans called `name`, in the order in which they began.
    pub fn spans_named<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Span> {
        self.spans.iter().filter(move |span| span.name == name)
    }

    /// How many spans called `name` went on at once at most.
    pub fn peak(&self, name: &str) -> usize {
        let measured = self.spans_named(name).any(Span::was_measured);
        // An end comes before a beginning at the same place: where one event
        // ends several spans, or where two measured ones touch.
        let mut changes: Vec<(u64, i32)> = self
            .spans_named(name)
            .map(|span| match measured {
                true => (span.begin_ns, span.end_ns),
                false => (span.begin as u64, span.end as u64),
            })
            .flat_map(|(begin, end)| [(begin, 1), (end, -1)])
            .collect();
        changes.sort_unstable();
        let running = changes.iter().scan(0, |inside, (_, change)| {
            *inside += change;
            Some(*inside)
        });
        running.max().unwrap_or(0) as usize
    }

    /// The time from the beginning of the first span called `name` to the end
    /// of the last; none if there is no such span.
    pub fn extent(&self, name: &str) -> Duration {
        let begin = self.spans_named(name).map(|span| span.begin_ns).min();
        let end = self.spans_named(name).map(|span| span.end_ns).max();
        let extent = end.zip(begin).map(|(end, begin)| end - begin);
        Duration::from_nanos(extent.unwrap_or(0))
    }

    /// The sum of the lengths of the spans called `name`.
    pub fn total(&self, name: &str) -> Duration {
        let lengths =
            self.spans_named(name).map(|span| span.end_ns - span.begin_ns);
        Duration::from_nanos(lengths.sum())
    }

    /// How long the longest span called `name` took.
    pub fn longest(&self, name: &str) -> Duration {
        let lengths =
            self.spans_named(name).map(|span| span.end_ns - span.begin_ns);
        Duration::from_nanos(lengths.max().unwrap_or(0))
    }

    /// The time in which at least one span called by one of `names` went on:
    /// what is common to several counts once.
    pub fn covered(&self, names: &[&str]) -> Duration {
        let named = self.spans.iter();
        let named = named.filter(|span| names.contains(&span.name.as_str()));
        let mut spans: Vec<_> =
            named.map(|span| (span.begin_ns, span.end_ns)).collect();
        spans.sort_unstable();
        let (mut covered, mut until) = (0, 0);
        for (begin, end) in spans {
            covered += end.saturating_sub(begin.max(until));
            until = until.max(end);
        }
        Duration::from_nanos(covered)
    }

    /// Whether some span called `one` and some *other* span called `other`
    /// went on at the same moment.
    pub fn overlap(&self, one: &str, other: &str) -> bool {
        self.spans_named(one).any(|a| {
            let mut others = self.spans_named(other);
            others.any(|b| a.begin != b.begin && a.overlaps(b))
        })
    }

    /// The spans called `name` that ended because their process was killed.
    pub fn killed(&self, name: &str) -> usize {
        let killed = |span: &&Span| matches!(span.fate, Fate::Killed(_));
        self.spans_named(name).filter(killed).count()
    }

    /// What began or happened on the tracks called `track`, in order.
    pub fn order_on(&self, track: &str) -> Vec<&str> {
        self.ordered(|event| event.track == track, |event| &event.name)
    }

    /// The tracks on which `name` began or happened, in order.
    pub fn order_of(&self, name: &str) -> Vec<&str> {
        self.ordered(|event| event.name == name, |event| &event.track)
    }

    fn ordered<'a>(
        &'a self,
        wanted: impl Fn(&Event) -> bool,
        part: impl Fn(&'a Event) -> &'a String,
    ) -> Vec<&'a str> {
        let wanted = |event: &&Event| event.ph != Phase::End && wanted(event);
        let mut events: Vec<_> = self.events.iter().filter(wanted).collect();
        if events.iter().any(|event| event.measured().is_some()) {
            events.sort_by_key(|event| event.began_ns());
        }
        events.into_iter().map(|event| part(event).as_str()).collect()
    }

    /// How many threads of the operating system recorded `name`.
    pub fn threads_of(&self, name: &str) -> usize {
        let events = self.events.iter().filter(|event| event.name == name);
        let threads = events.map(|event| event.tid);
        threads.collect::<HashSet<_>>().len()
    }

    /// The index of the first event `name` on a track called `track`.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, track: &str, name: &str) -> Result<usize, NotRecorded> {
        let wanted = |event: &Event| event.track == track && event.name == name;
        let found = self.events.iter().position(wanted);
        found.ok_or_else(|| NotRecorded {
            track: track.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The value that was noted as `name` on a track called `track`.
    ///
    /// # Errors
    /// When there is none of that type.
    pub fn noted<T>(&self, track: &str, name: &str) -> Result<T, NotRecorded>
    where
        T: DeserializeOwned,
    {
        let value = self.events[self.find(track, name)?].value();
        let value = value.and_then(|value| T::deserialize(value).ok());
        value.ok_or_else(|| NotRecorded {
            track: track.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whether the event with the index `earlier` *must* have come before
    /// `later`: a chain leads from one to the other along a thread or a
    /// coroutine, from `hand_over` to `take_over`, or from the last events of
    /// a process to the moment at which it was waited for (Lamport, "Time,
    /// Clocks, and the Ordering of Events in a Distributed System", 1978).
    ///
    /// That one line stands above another, or that its time is less, is not
    /// enough.
    ///
    /// # Panics
    /// When an index is not that of an event.
    pub fn happened_before(&self, earlier: usize, later: usize) -> bool {
        let causes = self.causes();
        let mut seen = vec![false; self.events.len()];
        let mut waiting = vec![later];
        while let Some(event) = waiting.pop() {
            for &cause in &causes[event] {
                if cause == earlier {
                    return true;
                }
                if !std::mem::replace(&mut seen[cause], true) {
                    waiting.push(cause);
                }
            }
        }
        false
    }

    /// For each event the events right before it.
    fn causes(&self) -> Vec<Vec<usize>> {
        let mut last_on: HashMap<Line, usize> = HashMap::new();
        let mut last_in: HashMap<i64, Vec<usize>> = HashMap::new();
        let starts = self.arrow_starts();
        let mut causes = vec![Vec::new(); self.events.len()];
        for (index, event) in self.events.iter().enumerate() {
            let thread = Line::Thread(event.pid, event.tid);
            causes[index].extend(last_on.insert(thread, index));
            if event.kind == Kind::Coroutine {
                let coroutine = Line::Coroutine(self.track_of[index]);
                causes[index].extend(last_on.insert(coroutine, index));
            }
            if let Some(start) =
                event.arrow(IN).and_then(|arrow| starts.get(&arrow))
            {
                causes[index].push(*start);
            }
            if event.name == REAPED
                && let Some(pid) = event.args.get("pid").and_then(Value::as_i64)
            {
                causes[index].extend(last_in.remove(&pid).unwrap_or_default());
            }
            last_in.entry(event.pid.into()).or_default().push(index);
        }
        causes
    }

    /// From an arrow's number to the event at which it starts.
    pub(super) fn arrow_starts(&self) -> HashMap<u64, usize> {
        let events = self.events.iter().enumerate();
        let starts = events
            .filter_map(|(index, event)| Some((event.arrow(OUT)?, index)));
        starts.collect()
    }

    /// The arrows of the trace, each as the indices of its two events.
    pub fn arrows(&self) -> Vec<(usize, usize)> {
        let starts = self.arrow_starts();
        let ends = self.events.iter().enumerate();
        let ends =
            ends.filter_map(|(index, event)| Some((event.arrow(IN)?, index)));
        ends.filter_map(|(arrow, end)| Some((*starts.get(&arrow)?, end)))
            .collect()
    }
}
