use super::claim::shown;
use super::hold::Holds;
use super::pace::Pace;
use super::voice::Voice;
use crate::Result;
use crate::trace::{self, Trace, VALUE};
use rand::RngExt;
use rand::rngs::StdRng;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The name of the instant that records a choice.
pub(super) const CHOICE: &str = "choice";
/// The name of the instant that records that the class was told something.
pub(super) const SAY: &str = "say";
/// How many lines of the screen that took.
pub(super) const LINES: &str = "lines";

/// How many lines of the screen were told in a step.
pub(super) fn lines_told(trace: &Trace) -> usize {
    let lines = trace.events().iter();
    let lines = lines.filter_map(|event| event.args.get(LINES)?.as_u64());
    lines.sum::<u64>() as usize
}

/// One that takes part in a step: a process, a thread or a coroutine. It
/// records what happens to it (see [`trace::Track`], whose methods it has) and
/// speaks in a column of its own.
///
/// Made by [`Stage::track`](super::Stage::track) and moved or lent to where it
/// is used. After a fork the child has a copy.
pub struct Track {
    recording: trace::Track,
    seat: Seat,
    choices: Mutex<StdRng>,
}

/// What a track has of the stage on which it is.
pub(super) struct Seat {
    pub voice: Voice,
    pub pace: Pace,
    /// Its number among the tracks of the step.
    pub lane: usize,
    /// How many of them there are.
    pub lanes: Arc<AtomicUsize>,
    /// Where in the trace its first event can be.
    pub begin: u64,
    /// Where it is to be held.
    pub holds: Arc<Holds>,
}

impl Track {
    pub(super) fn new(recording: trace::Track, seat: Seat) -> Self {
        let choices = Mutex::new(seat.pace.choices(recording.name()));
        Self { recording, seat, choices }
    }

    /// Says `text` to the class.
    pub fn say(&self, text: impl AsRef<str>) {
        let lines = self.narrate(text.as_ref());
        let text = text.as_ref().into();
        self.mark_with(SAY, [("text", text), (LINES, lines.into())]);
    }

    /// Says that `name` is `value`, and records it, so that it can be asked for
    /// by [`Track::noted`].
    pub fn note(&self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let text = format!("{name}: {}", shown(&value));
        let lines = self.narrate(&text);
        self.mark_with(name, [(VALUE, value), (LINES, lines.into())]);
    }

    /// Records that `name` is `value`, as [`Track::note`] does, without a word.
    pub fn record(&self, name: &str, value: impl Into<Value>) {
        self.recording.note(name, value);
    }

    /// What was first noted as `name` on the tracks of this name in this step,
    /// in whichever process.
    ///
    /// # Errors
    /// When there is nothing of that name and type, or the trace is
    /// incomplete.
    pub fn noted<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let lines = self.recorder().lines_since(self.seat.begin)?;
        Ok(Trace::parse(&lines).noted(self.name(), name)?)
    }

    /// In how many lines it did.
    fn narrate(&self, text: &str) -> usize {
        let lanes = self.seat.lanes.load(Relaxed);
        let lane = (self.seat.lane, lanes);
        self.seat.voice.narrate(lane, self.name(), text)
    }

    /// Marks that it has come to the point called `name`. Who runs the lesson
    /// can hold it there, by `--hold NAME`, until Enter is pressed: so a class
    /// chooses the order. Name points by literals; `--help` lists them.
    pub fn point(&self, name: &str) {
        self.mark(name);
        if self.seat.holds.are_for(self.name(), name) {
            let text = format!("is held: {name}. Enter lets it go");
            let tell = || {
                self.narrate(&text);
            };
            self.span("held", || self.seat.holds.until_enter(tell));
        }
    }

    /// Waits that many seconds at natural pace.
    pub fn pause(&self, seconds: f64) {
        self.seat.pace.pause(seconds);
    }

    /// Waits a time of its own choice, in seconds at natural pace.
    pub fn pause_between(&self, least: f64, most: f64) {
        let seconds = self.chosen_between(least, most);
        self.seat.pace.pause(seconds);
    }

    /// A number of its own choice.
    pub fn chosen_between(&self, least: f64, most: f64) -> f64 {
        let mut choices =
            self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = choices.random_range(least..=most);
        drop(choices);
        self.mark_with(CHOICE, [("chosen", chosen.into())]);
        chosen
    }
}

impl Deref for Track {
    type Target = trace::Track;

    fn deref(&self) -> &trace::Track {
        &self.recording
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_may_borrow_a_track() {
        fn shared<T: Send + Sync>() {}
        shared::<Track>();
    }
}
