use super::claim::Claim;
use super::figure::{self, Figure};
use super::folder::Folder;
use super::hold::Holds;
use super::limit::spawn_advice;
use super::options::Options;
use super::own::Chosen;
use super::pace::Pace;
use super::source::{Place, Script};
use super::stage::Stage;
use super::track::{CHOICE, lines_told};
use super::voice::Voice;
use super::{Lesson, supervisor};
use crate::Result;
use crate::trace::{Recorder, Timeline, Trace, chrome, svg, text};
use anstyle::{AnsiColor, Style};
use anyhow::{Context, anyhow, bail};
use rand::TryRng;
use rand::rngs::SysRng;
use std::any::Any;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Recorded by a child that came back from a step, in which it was to end.
const ASTRAY: &str = "astray";

/// A lesson being shown.
pub(super) struct Show<'a> {
    pub lesson: &'a Lesson,
    pub options: &'a Options,
    pub stage: Stage,
    /// The steps as the source tells them.
    pub scripts: Vec<Script>,
    /// Where drawings and exports go; opened before anything runs, so that a
    /// wrong name is known at once.
    svg: Option<Output>,
    perfetto: Option<Output>,
    /// What the last run of each step proved.
    pub outcomes: Vec<Option<Outcome>>,
    /// Whether any choice was made that the seed decides.
    chose: bool,
    /// How long the steps took, without anybody's thinking.
    took: Duration,
}

/// What a step showed.
pub(super) struct Outcome {
    claims: Vec<Claim>,
    figures: Vec<Figure>,
    timeline: Timeline,
    /// How many lines were told while it ran.
    told: usize,
}

/// More rows tell nothing, unless one asks for them.
const MOST_ROWS: usize = 32;
/// Fewer rows tell nothing.
pub(super) const FEWEST_ROWS: usize = 4;

struct Output {
    file: File,
    path: PathBuf,
}

impl Output {
    fn create(path: &Path) -> Result<Self> {
        let advice = || {
            format!(
                "cannot write {}; name a file that can be made",
                path.display()
            )
        };
        // Emptied only when there is something to write.
        let mut options = File::options();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(advice)?;
        let path = path.to_owned();
        Ok(Self { file, path })
    }

    fn write(&mut self, text: &str) -> Result {
        let file = self.file.metadata().is_ok_and(|file| file.is_file());
        let emptied = if file { self.file.set_len(0) } else { Ok(()) };
        let written =
            emptied.and_then(|()| self.file.write_all(text.as_bytes()));
        written.with_context(|| {
            format!("cannot write {}; make room", self.path.display())
        })
    }
}

impl Outcome {
    fn of(trace: &Trace) -> Self {
        Self {
            claims: Claim::all(trace),
            figures: Figure::all(trace),
            timeline: Timeline::of(trace),
            told: lines_told(trace),
        }
    }
}

impl<'a> Show<'a> {
    pub fn new(
        lesson: &'a Lesson,
        options: &'a Options,
        own: Chosen,
        folder: Folder,
    ) -> Result<Self> {
        let pace = Pace {
            speed: options.speed(),
            seed: options.seed.map_or_else(any_seed, Ok)?,
        };
        let recorder = match &options.trace {
            None => Recorder::in_memory()
                .context("cannot make a trace in memory")?,
            Some(path) => {
                let advice = || {
                    let path = path.display();
                    format!(
                        "cannot write the trace to {path}; name a file that can be made, and has room"
                    )
                };
                Recorder::to_file(path).with_context(advice)?
            }
        };
        let holds = Holds::of(&options.hold, folder.clone());
        let stage =
            Stage::new(recorder, Voice::new(), pace, own, folder, holds);
        stage.record_ends();
        stage.lesson.mark_with(
            "lesson",
            [
                ("package", lesson.source.package.into()),
                ("title", lesson.source.title().into()),
                ("speed", pace.speed.into()),
                ("seed", pace.seed.into()),
            ],
        );
        stage.trace()?;
        let places: Vec<Place<'_>> =
            lesson.steps.iter().map(|(place, _)| *place).collect();
        Ok(Self {
            lesson,
            options,
            stage,
            scripts: Script::read(&places, &lesson.beside)?,
            svg: options.svg.as_deref().map(Output::create).transpose()?,
            perfetto: options
                .perfetto
                .as_deref()
                .map(Output::create)
                .transpose()?,
            outcomes: lesson.steps.iter().map(|_| None).collect(),
            chose: false,
            took: Duration::ZERO,
        })
    }

    /// From now on a panic is one line of the show, not a page about the
    /// frame's own innards.
    pub fn tell_panics(&self) {
        let voice = self.stage.voice;
        panic::set_hook(Box::new(move |info| {
            let said = said(info.payload());
            let place = info.location();
            let place = place.map_or(String::new(), |at| {
                format!(" ({}:{})", at.file(), at.line())
            });
            let style = AnsiColor::Red.on_default();
            voice.tell(style, "  ", &format!("panic{place}: {said}"));
        }));
    }

    pub fn steps(&mut self, steps: Range<usize>) -> Result {
        self.say_title();
        for step in steps {
            self.stage.voice.write("\n");
            self.say_heading(step);
            self.say_sentence(step);
            self.run_step(step)?;
            let apart = if self.told(step) > 0 { "\n" } else { "" };
            self.say_outcome(step, apart, MOST_ROWS);
        }
        Ok(())
    }

    pub fn say_title(&self) {
        let voice = self.stage.voice;
        let bold = Style::new().bold();
        voice.tell(bold, "", self.lesson.source.title());
        voice.tell(Style::new(), "", &self.lesson.source.question());
    }

    pub fn say_heading(&self, step: usize) {
        let place = format!("{} of {}", step + 1, self.scripts.len());
        self.stage.voice.rule(&self.scripts[step].name, &place);
    }

    pub fn say_sentence(&self, step: usize) {
        let sentence = &self.scripts[step].sentence;
        self.stage.voice.tell(Style::new().bold(), "", sentence);
    }

    /// Runs a step, which tells meanwhile what it does. What came of it is
    /// told by [`Show::say_outcome`], and here if it fails.
    ///
    /// # Errors
    /// When it fails, or what happened cannot be read back.
    pub fn run_step(&mut self, step: usize) -> Result {
        let (place, run) = self.lesson.steps[step];
        let name = place.name();
        let start = Instant::now();
        self.stage.begin_step()?;
        let stage = &self.stage;
        stage.voice.write("\n");
        let span = stage.lesson.begin_with("step", [("name", name.into())]);
        let result = panic::catch_unwind(AssertUnwindSafe(|| run(stage)));
        if !supervisor::is_lesson() {
            // A child that the step forked has come back from it.
            stage.lesson.mark(ASTRAY);
            std::process::exit(101);
        }
        drop(span);
        let trace = stage.trace();
        let outcome = trace.as_ref().ok().map(Outcome::of);
        let result = result.unwrap_or_else(|payload| {
            let said = said(&*payload);
            Err(spawn_advice(said).unwrap_or_else(|| anyhow!("panic: {said}")))
        });
        let result = match &trace {
            Ok(trace) if trace.count(ASTRAY) > 0 => Err(anyhow!(
                "a child of the step `{name}` went on as the lesson; end it by _exit"
            )),
            _ => result.with_context(|| format!("the step `{name}` failed")),
        };
        if let (Err(_), Some(outcome)) = (&result, &outcome) {
            let apart = if outcome.told > 0 { "\n" } else { "" };
            let picture = self.picture(outcome, MOST_ROWS);
            stage.voice.write(&format!("{apart}{picture}"));
        }
        result?;
        self.chose |= trace?.count(CHOICE) > 0;
        self.outcomes[step] = outcome;
        self.took += start.elapsed();
        Ok(())
    }

    /// How many lines the last run of a step told while it went on.
    pub fn told(&self, step: usize) -> usize {
        self.outcomes[step].as_ref().map_or(0, |outcome| outcome.told)
    }

    /// Shows what came of a step, after `apart`: its timeline in at most so
    /// many rows, its figures and its claims.
    pub fn say_outcome(&self, step: usize, apart: &str, rows: usize) {
        if let Some(outcome) = &self.outcomes[step] {
            let text = self.drawn(outcome, rows);
            let apart = if text.is_empty() { "" } else { apart };
            self.stage.voice.write(&format!("{apart}{text}"));
        }
    }

    /// In how many rows the timeline of a step can be drawn, at least `least`,
    /// for all that came of it to take at most so many lines.
    pub fn rows_within(
        &self,
        lines: usize,
        step: usize,
        least: usize,
    ) -> Option<usize> {
        let outcome = self.outcomes[step].as_ref()?;
        let fits =
            |&rows: &usize| self.drawn(outcome, rows).lines().count() <= lines;
        (least..=MOST_ROWS).rev().find(fits)
    }

    /// Shows the timeline of a step, as much of it as so many lines hold.
    pub fn say_timeline(&self, step: usize, lines: usize) {
        if let Some(outcome) = &self.outcomes[step] {
            let drawn = |rows| self.picture(outcome, rows);
            let fits = |rows: &usize| drawn(*rows).lines().count() <= lines;
            let rows = (FEWEST_ROWS..=lines).rev().find(fits);
            self.stage.voice.write(&drawn(rows.unwrap_or(FEWEST_ROWS)));
        }
    }

    /// What the last run of a step claimed.
    pub fn claims(&self, step: usize) -> &[Claim] {
        self.outcomes[step].as_ref().map_or(&[], |outcome| &outcome.claims)
    }

    /// Whether the step has drawn anything.
    pub fn has_timeline(&self, step: usize) -> bool {
        let outcome = self.outcomes[step].as_ref();
        let rows = outcome.map(|outcome| outcome.timeline.rows().len());
        rows.is_some_and(|rows| rows > 0) && !self.options.no_timeline
    }

    /// What came of a step; its parts stand apart.
    fn drawn(&self, outcome: &Outcome, rows: usize) -> String {
        let voice = self.stage.voice;
        let claims = outcome.claims.iter();
        let claims =
            claims.map(|claim| voice.claimed(claim.held, &claim.to_string()));
        let parts = [
            self.picture(outcome, rows),
            figure::bars(&outcome.figures, voice.terminal),
            claims.collect(),
        ];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("\n")
    }

    fn picture(&self, outcome: &Outcome, rows: usize) -> String {
        match self.options.no_timeline {
            true => String::new(),
            false => {
                text::draw(&outcome.timeline, self.stage.voice.terminal, rows)
            }
        }
    }

    fn write_outputs(&mut self, trace: &Trace) -> Result {
        if let Some(output) = &mut self.svg {
            let outcomes = self.outcomes.iter().zip(&self.lesson.steps);
            let sections = outcomes.filter_map(|(outcome, (place, _))| {
                let timeline = outcome.as_ref()?.timeline.clone();
                let shown = !timeline.rows().is_empty();
                shown.then(|| (place.name().to_owned(), timeline))
            });
            output.write(&svg::draw(&sections.collect::<Vec<_>>()))?;
        }
        if let Some(output) = &mut self.perfetto {
            output.write(&chrome::export(trace).to_string())?;
        }
        Ok(())
    }

    /// Writes the drawings and says what was proven. Fails if a claim did not
    /// hold.
    pub fn close(&mut self) -> Result {
        let trace = Trace::parse(&self.stage.recorder.lines_since(0)?);
        self.write_outputs(&trace)?;
        let outcomes: Vec<&Outcome> = self.outcomes.iter().flatten().collect();
        let claims: Vec<&Claim> =
            outcomes.iter().flat_map(|outcome| &outcome.claims).collect();
        let broken: Vec<_> =
            claims.iter().filter(|claim| !claim.held).collect();
        let (held, all) = (claims.len() - broken.len(), claims.len());
        let steps = counted(outcomes.len(), "step");
        let held = match all {
            0 => "nothing to claim".to_owned(),
            _ => format!("{held} of {} held", counted(all, "claim")),
        };
        let seconds = self.took.as_secs_f64();
        let seed = match self.chose {
            true => format!(
                "; --seed {} makes the same choices",
                self.stage.pace.seed
            ),
            false => String::new(),
        };
        let text = format!("\n{steps}, {held}, {seconds:.1} s{seed}");
        self.stage.voice.tell(Style::new(), "", &text);
        for hold in self.stage.holds.unmet(&trace) {
            let text = format!("--hold \"{hold}\" held nobody");
            self.stage.voice.tell(Style::new().bold(), "", &text);
        }
        if let Some(first) = broken.first() {
            let (broken, all) = (broken.len(), counted(all, "claim"));
            bail!("{broken} of {all} did not hold, the first: {first}");
        }
        Ok(())
    }
}

/// `1 step`, `2 steps`.
pub(super) fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// What a panic said.
fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("(no message)")
}

/// A seed that is easy to type again.
fn any_seed() -> Result<u64> {
    let number =
        SysRng.try_next_u32().context("the system gives no random number")?;
    Ok(u64::from(number % 100_000))
}
