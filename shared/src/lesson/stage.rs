use super::claim::{Claim, Condition};
use super::figure::Figure;
use super::folder::Folder;
use super::hold::Holds;
use super::keys::Keys;
use super::own::{self, Chosen};
use super::pace::Pace;
use super::progress::Progress;
use super::table;
use super::track::{CHOICE, LINES, SAY, Seat, Track, lines_told};
use super::voice::Voice;
use crate::Result;
use crate::trace::{self, Recorder, Trace};
use anstyle::Style;
use anyhow::{Context, ensure};
use rand::rngs::StdRng;
use serde::Serialize;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a step takes place: what it says, records, claims and measures goes
/// through here.
pub struct Stage {
    pub(super) recorder: Arc<Recorder>,
    /// The track of the lesson itself.
    pub(super) lesson: trace::Track,
    pub(super) voice: Voice,
    pub(super) pace: Pace,
    /// Where in the trace the step begins.
    begin: AtomicU64,
    /// How many tracks the step has.
    lanes: Arc<AtomicUsize>,
    own: Chosen,
    folder: Folder,
    pub(super) holds: Arc<Holds>,
}

/// The track on which it is recorded that a process was waited for.
#[cfg(feature = "process")]
static ENDS: std::sync::OnceLock<trace::Track> = std::sync::OnceLock::new();

impl Stage {
    pub(super) fn new(
        recorder: Arc<Recorder>,
        voice: Voice,
        pace: Pace,
        own: Chosen,
        folder: Folder,
        holds: Holds,
    ) -> Self {
        Self {
            lesson: recorder.track("lesson"),
            recorder,
            voice,
            pace,
            begin: AtomicU64::new(0),
            lanes: Arc::new(AtomicUsize::new(0)),
            own,
            folder,
            holds: Arc::new(holds),
        }
    }

    /// From now on the children of [`process`](crate::process) are recorded
    /// when they have been waited for.
    pub(super) fn record_ends(&self) {
        #[cfg(feature = "process")]
        {
            ENDS.get_or_init(|| self.recorder.track("lesson"));
            crate::process::on_end(|pid, status| {
                let signal = status.signal().map(|signal| signal.to_string());
                let track = ENDS.get().expect("set before it is asked for");
                track.reaped(pid as i32, signal.as_deref());
            });
        }
    }

    pub(super) fn begin_step(&mut self) -> io::Result<()> {
        self.voice.restart();
        self.begin.store(self.recorder.length()?, Relaxed);
        self.lanes.store(0, Relaxed);
        Ok(())
    }

    /// A track for a process or a thread, with a column of its own.
    ///
    /// Within a step a name belongs to one track. `lesson` is the frame's own,
    /// and so are events called `step`, `track`, `say`, `claim`, `figure`, `choice` and
    /// `reaped`.
    pub fn track(&self, name: impl Into<String>) -> Track {
        self.seated(self.recorder.track(name))
    }

    /// A track for a coroutine.
    pub fn coroutine_track(&self, name: impl Into<String>) -> Track {
        self.seated(self.recorder.coroutine_track(name))
    }

    fn seated(&self, track: trace::Track) -> Track {
        self.lesson.mark_with(trace::TRACK, [("name", track.name().into())]);
        Track::new(track, self.seat())
    }

    fn seat(&self) -> Seat {
        Seat {
            voice: self.voice,
            pace: self.pace,
            lane: self.lanes.fetch_add(1, Relaxed),
            lanes: Arc::clone(&self.lanes),
            begin: self.begin.load(Relaxed),
            holds: Arc::clone(&self.holds),
        }
    }

    /// What was chosen by the lesson's own options, which it was given by
    /// [`Lesson::with`](super::Lesson::with).
    ///
    /// # Panics
    /// When it was given others.
    pub fn options<O: 'static>(&self) -> &O {
        own::chosen(&self.own)
    }

    /// How long to wait for others before something is taken to be wrong: so
    /// long, but a day where somebody may be held (`--hold`): a class takes
    /// its time.
    pub fn patience(&self, at_most: Duration) -> Duration {
        if self.holds.is_empty() { at_most } else { DAY }
    }

    /// A generator of random numbers for what is called `what`: by it the same
    /// is chosen in every run with the same seed.
    pub fn choices(&self, what: &str) -> StdRng {
        self.lesson.mark_with(CHOICE, [("what", what.into())]);
        self.pace.choices(what)
    }

    /// A temporary folder, for this user and this run of the step alone. It is
    /// removed when the lesson ends, however it does.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn folder(&self) -> Result<PathBuf> {
        // A step that is run again begins with nothing.
        self.folder.below(&self.begin.load(Relaxed).to_string())
    }

    /// That many seconds at natural pace, for a call that takes a timeout.
    pub fn time(&self, seconds: f64) -> Duration {
        self.pace.time(seconds)
    }

    /// By what every pause is divided, as `--speed` says.
    pub fn speed(&self) -> f64 {
        self.pace.speed
    }

    /// Shows how far something is that has `total` parts.
    pub fn progress(&self, what: &str, total: u64) -> Progress {
        Progress::new(what, total, self.voice)
    }

    /// Prints a table. Numbers stand at the right of their columns.
    pub fn table<const N: usize>(
        &self,
        header: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let rows: Vec<_> = rows.into_iter().collect();
        let drawn = table::draw(header, &rows, self.voice.terminal);
        // Apart from what stands above it, if anything does.
        let apart = if self.has_told() { "\n" } else { "" };
        let drawn = format!("{apart}{drawn}");
        self.voice.write(&drawn);
        self.told(&header.join(" "), drawn.lines().count());
    }

    /// Prints a line across the screen with something at both ends.
    pub fn heading(&self, left: &str, right: &str) {
        self.voice.rule(left, right);
    }

    /// Prints a paragraph, folded, after `label`.
    pub fn tell(&self, style: Style, label: &str, text: &str) {
        let lines = self.voice.paragraph(style, label, text);
        self.told(text, lines);
    }

    fn told(&self, text: &str, lines: usize) {
        let args = [("text", text.into()), (LINES, lines.into())];
        self.lesson.mark_with(SAY, args);
    }

    /// Whether anything was told in this step so far.
    fn has_told(&self) -> bool {
        self.trace().is_ok_and(|trace| lines_told(&trace) > 0)
    }

    /// The keys of the terminal, one at a time; nothing where nobody can
    /// answer.
    ///
    /// # Errors
    /// When the terminal cannot be set to it.
    pub fn keys(&self) -> Result<Option<Keys>> {
        let asked = Voice::can_ask().then(|| Keys::begin(self.voice));
        asked.transpose()
    }

    /// Prints a drawing as it is, after a margin. It is to be ASCII and at most
    /// 38 columns wide, so that every terminal can show it.
    pub fn drawing(&self, text: &str) {
        let lines = text.lines().map(|line| match line.trim_end() {
            "" => "\n".to_owned(),
            line => format!("  {line}\n"),
        });
        self.voice.write(&lines.collect::<String>());
        self.told("(a drawing)", text.lines().count());
    }

    /// Says what cannot be shown here, and why. Nothing is claimed
    /// instead.
    pub fn cannot_show(&self, what: &str, why: &str) {
        let text = format!("not shown here: {what}: {why}");
        let lines = self.voice.tell(Style::new().bold(), "  ", &text);
        self.told(&text, lines);
    }

    /// What has happened in this step so far.
    ///
    /// # Errors
    /// When an event was lost or a line is damaged: nothing can be proven
    /// from such a trace.
    pub fn trace(&self) -> Result<Trace> {
        let lines = self.recorder.lines_since(self.begin.load(Relaxed));
        let lines = lines.context(
            "the trace is incomplete; make room where it is written",
        )?;
        let trace = Trace::parse(&lines);
        if let Some(damage) = trace.damaged().first() {
            anyhow::bail!("the trace is damaged at {damage}");
        }
        Ok(trace)
    }

    /// Claims that `value` meets `condition`. It is shown when the step has
    /// ended; one that does not hold makes the lesson fail.
    pub fn claim<T: Serialize>(
        &self,
        text: &str,
        value: T,
        condition: Condition<'_, T>,
    ) {
        let claim = Claim::check(text, &value, &condition);
        self.lesson.insist(Claim::NAME, claim.args());
    }

    /// Records a measured time under a label that the same exercise in Python
    /// uses too, and what the measured work came to: a count, a sum, a text.
    /// Python's figure of that label has to come to the same.
    ///
    /// # Errors
    /// When the time is no positive number.
    pub fn figure_of(
        &self,
        result: impl Serialize,
        label: &str,
        seconds: f64,
    ) -> Result {
        ensure!(
            seconds.is_finite() && seconds > 0.0,
            "`{label}` took {seconds} seconds, which cannot be"
        );
        let result = serde_json::to_value(result)?;
        let args = [
            ("label", label.into()),
            ("seconds", seconds.into()),
            ("result", result),
        ];
        self.lesson.insist(Figure::NAME, args);
        Ok(())
    }

    /// Runs `body`, and records nothing meanwhile, in no process: for what is
    /// measured in another way than by [`Stage::measure`].
    pub fn muted<R>(&self, body: impl FnOnce() -> R) -> R {
        self.recorder.muted(body)
    }

    /// Runs `body`, which does something `times` times, and records how long
    /// one of them takes, and what `body` came to; also returns how long, in
    /// seconds. Nothing else is recorded meanwhile.
    ///
    /// # Errors
    /// Those of `body`, and when the time is no positive number.
    ///
    /// # Panics
    /// When `times` is 0.
    pub fn measure<R: Serialize>(
        &self,
        label: &str,
        times: u32,
        body: impl FnOnce() -> Result<R>,
    ) -> Result<f64> {
        assert!(times > 0, "what is done 0 times cannot be measured");
        let (result, elapsed) = self.recorder.muted(|| {
            let start = Instant::now();
            (body(), start.elapsed())
        });
        let seconds = elapsed.as_secs_f64() / f64::from(times);
        self.figure_of(result?, label, seconds)?;
        Ok(seconds)
    }
}
