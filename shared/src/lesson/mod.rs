//! The frame around a lesson.
//!
//! A lesson is a list of steps, each a function. [`lesson!`](crate::lesson!)
//! reads its title, question and sentences from the source text, so that code,
//! documentation and what the class sees never disagree. A whole `src/main.rs`:
//!
//! ```text
//! //! Semaphore: five seats, twenty guests.
//! //!
//! //! A lock admits one. What admits five?
//!
//! use shared::{Stage, lesson, lesson::equals};
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     lesson![five_inside].run()
//! }
//!
//! /// Twenty threads want one of five seats. How many are inside at once?
//! fn five_inside(stage: &Stage) -> shared::Result {
//!     let guest = stage.track("guest");
//!     guest.span("inside", || guest.pause(1.0));
//!     stage.claim("one was inside", stage.trace()?.count("inside"), equals(1));
//!     Ok(())
//! }
//! ```

mod choice;
mod claim;
mod figure;
mod folder;
mod highlight;
mod hold;
mod keys;
mod limit;
mod module;
mod options;
mod order;
mod own;
mod pace;
mod pages;
mod progress;
mod runs;
mod show;
mod source;
mod stage;
mod supervisor;
mod table;
mod track;
mod voice;
mod walk;

pub use choice::Choice;
pub use claim::{
    Claim, Condition, at_least, at_most, below, between, differs_from, equals,
};
pub use figure::Figure;
pub use keys::{Key, Keys};
pub use limit::fork_error;
pub use progress::Progress;
pub use source::{Place, Script, Source};
pub use stage::Stage;
pub use track::Track;

use crate::Result;
use clap::{CommandFactory, FromArgMatches};
use folder::Folder;
use options::Options;
use own::{Chosen, Own};
use show::Show;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use voice::Voice;

/// A step of a lesson.
pub type Step = fn(&Stage) -> Result;

/// A lesson: its source and its steps. Made by [`lesson!`](crate::lesson!).
pub struct Lesson {
    source: Source<'static>,
    steps: Vec<(Place<'static>, Step)>,
    /// The texts of further files.
    beside: Vec<(&'static str, &'static str)>,
    own: Own,
    instead: Option<Instead>,
    in_person: Option<Step>,
    longer: Option<Longer>,
    finally: Option<Finally>,
}

/// Whether something takes the place of the steps, and what that is.
type Instead = (Box<dyn Fn(&Chosen) -> bool>, Step);

/// How much longer than others a lesson may take.
type Longer = Box<dyn Fn(&Chosen) -> Duration>;

/// What is done when a lesson has ended.
type Finally = Box<dyn Fn(&Chosen, &Path) -> Result>;

/// A lesson of these steps: functions of `src/main.rs`, where this stands, or,
/// as `module::step`, of the file of that module beside it. After a semicolon
/// stand modules without steps, of which walk mode shows what a step uses.
#[macro_export]
macro_rules! lesson {
    ($($($step:ident)::+),+ $(,)? $(; $($beside:ident),+ $(,)?)?) => {
        $crate::lesson::Lesson::new(
            $crate::lesson::Source {
                package: env!("CARGO_PKG_NAME"),
                text: $crate::lesson!(@file main),
            },
            [$((
                $crate::lesson::Place {
                    path: stringify!($($step)::+),
                    text: $crate::lesson!(@of $($step)::+),
                },
                $($step)::+ as $crate::lesson::Step,
            )),+],
            &[$($((stringify!($beside), $crate::lesson!(@file $beside))),+)?],
        )
    };
    (@of $step:ident) => { $crate::lesson!(@file main) };
    (@of $module:ident :: $step:ident) => { $crate::lesson!(@file $module) };
    (@file $module:ident) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"), "/src/", stringify!($module), ".rs"
        ))
    };
}

impl Lesson {
    /// A lesson with this source and these steps, which use what stands in
    /// the modules `beside`: their names and texts.
    pub fn new<const N: usize>(
        source: Source<'static>,
        steps: [(Place<'static>, Step); N],
        beside: &[(&'static str, &'static str)],
    ) -> Self {
        Self {
            source,
            steps: steps.to_vec(),
            beside: beside.to_vec(),
            own: Own::none(),
            instead: None,
            in_person: None,
            longer: None,
            finally: None,
        }
    }

    /// The same lesson with options of its own, to be had from
    /// [`Stage::options`].
    pub fn with<O>(self) -> Self
    where
        O: clap::Args + Send + Sync + 'static,
    {
        Self { own: Own::of::<O>(), ..self }
    }

    /// The same lesson, and when `asked` says so of its options, `deed` takes
    /// the place of the steps. It may take as long as it likes: a server that
    /// serves until Ctrl-C does. Options that are for steps alone do not go
    /// with such a one: let clap say so, by `conflicts_with_all`.
    pub fn instead<O: 'static>(
        self,
        asked: fn(&O) -> bool,
        deed: Step,
    ) -> Self {
        let asked = Box::new(move |own: &Chosen| asked(own::chosen(own)));
        Self { instead: Some((asked, deed)), ..self }
    }

    /// The same lesson, and where somebody can answer, on a terminal, `deed`
    /// takes the place of the steps, unless an option is about these (`--step`,
    /// `--trace` and the like). It may ask by [`Stage::keys`], and take as long
    /// as it likes.
    pub fn in_person(self, deed: Step) -> Self {
        Self { in_person: Some(deed), ..self }
    }

    /// The same lesson, which may take so much longer than others until it is
    /// stopped, as its options say: for what somebody asked for who was told
    /// that it takes minutes.
    pub fn longer<O: 'static>(self, by: fn(&O) -> Duration) -> Self {
        let longer: Longer = Box::new(move |own| by(own::chosen(own)));
        Self { longer: Some(longer), ..self }
    }

    /// The same lesson, and when it has ended, however it did, `tidy` is called
    /// with its options and the folder of the run, its own
    /// [`temp_dir`](std::env::temp_dir), which is removed afterwards: to put
    /// back what is not to stay changed. No process of the lesson is left
    /// then.
    pub fn finally<O: 'static>(self, tidy: fn(&O, &Path) -> Result) -> Self {
        let finally: Finally =
            Box::new(move |own, folder| tidy(own::chosen(own), folder));
        Self { finally: Some(finally), ..self }
    }

    /// Runs the lesson as the command line says: 0 when every claim held, 1
    /// when one did not or something failed, 2 for a wrong command line, 128
    /// and its number when a signal ended it.
    pub fn run(self) -> ExitCode {
        let (options, own) = self.options();
        let limit = self.limit(&options, &own);
        let package = self.source.package;
        let folder = Folder::named_for(package);
        let status = supervisor::supervise(
            package,
            limit,
            options.walk || self.deed(&options, &own).is_some(),
            || {
                folder.settle();
                let shown = self.show(&options, own.clone(), folder.clone());
                complain(package, shown.map(|()| 0))
            },
            || self.tidy(&own, &folder),
        );
        ExitCode::from(complain(package, status))
    }

    /// What takes the place of the steps.
    fn deed(&self, options: &Options, own: &Chosen) -> Option<Step> {
        let instead = self.instead.as_ref().filter(|(asked, _)| asked(own));
        let in_person = self.in_person.filter(|_| !options.are_about_steps());
        let in_person = in_person.filter(|_| Voice::can_ask());
        instead.map(|(_, deed)| *deed).or(in_person)
    }

    /// After so long it is stopped; never in walk mode, where it waits for
    /// keys, nor when something takes the place of the steps.
    fn limit(&self, options: &Options, own: &Chosen) -> Option<Duration> {
        // Pauses make up a natural run; nothing in one takes minutes, unless
        // somebody asked for it.
        let limit = Duration::try_from_secs_f64(30.0 + 60.0 / options.speed());
        let longer = self.longer.as_ref().map(|longer| longer(own));
        let asks = options.walk || !options.hold.is_empty();
        let endless = asks || self.deed(options, own).is_some();
        let limit = limit.ok().filter(|_| !endless)?;
        let limit = limit.checked_mul(options.runs.unwrap_or(1))?;
        limit.checked_add(longer.unwrap_or_default())
    }

    fn tidy(&self, own: &Chosen, folder: &Folder) -> Result {
        let finally = self.finally.as_ref();
        let tidied = finally.map_or(Ok(()), |tidy| tidy(own, folder.path()));
        tidied.and(folder.remove())
    }

    fn show(&self, options: &Options, own: Chosen, folder: Folder) -> Result {
        let asks =
            [("--walk", options.walk), ("--hold", !options.hold.is_empty())];
        let asks = asks.iter().find(|(_, asked)| *asked);
        if let Some((option, _)) = asks.filter(|_| !Voice::can_ask()) {
            voice::needs_a_terminal(self.source.package, option);
        }
        let deed = self.deed(options, &own);
        let mut show = Show::new(self, options, own, folder)?;
        show.tell_panics();
        if let Some(deed) = deed {
            return deed(&show.stage);
        }
        let count = self.steps.len();
        let chosen = options.step.as_deref();
        let chosen = chosen.and_then(|step| {
            self.steps.iter().position(|(place, _)| place.name() == step)
        });
        let steps = chosen.map_or(0..count, |at| at..at + 1);
        if let Some(runs) = options.runs {
            return runs::repeat(&mut show, steps, runs);
        }
        match options.walk {
            true => walk::walk(&mut show, steps.start)?,
            false => show.steps(steps)?,
        }
        show.close()
    }

    /// The points at which somebody can be held, as the source names them.
    fn points(&self) -> Vec<String> {
        let steps = self.steps.iter().map(|(place, _)| place.text);
        let beside = self.beside.iter().map(|(_, text)| *text);
        hold::points(steps.chain(beside))
    }

    fn options(&self) -> (Options, Chosen) {
        let names = self.steps.iter().map(|(place, _)| place.name());
        let steps = names.clone().map(|name| format!("\n  {name}"));
        let about =
            format!("{}\n\n{}", self.source.title(), self.source.question());
        let mut command = Options::command()
            .name(self.source.package)
            .before_long_help("")
            .mut_arg("step", |step| step.value_parser(one_of(names.collect())));
        let points = self.points();
        let hold = hold::parser(&points);
        command = command.mut_arg("hold", |arg| {
            arg.hide(points.is_empty()).value_parser(hold)
        });
        let after = command.get_after_help().cloned().unwrap_or_default();
        let points = points.iter().map(|point| format!("\n  {point}"));
        let points = match points.len() {
            0 => String::new(),
            _ => format!("Points:{}\n\n", points.collect::<String>()),
        };
        command = command.after_help(format!(
            "Steps:{}\n\n{points}{after}",
            steps.collect::<String>()
        ));
        // The lesson's own options may have a doc comment, which clap takes
        // for what the command is about.
        let command = (self.own.augment)(command);
        let command = command.about(self.source.title()).long_about(about);
        let matches = command.get_matches();
        let options = Options::from_arg_matches(&matches);
        let chosen = (self.own.choose)(&matches);
        let both = options.and_then(|options| Ok((options, chosen?)));
        both.unwrap_or_else(|error| error.exit())
    }
}

/// Takes one of these names; else says which there are.
fn one_of(
    names: Vec<&'static str>,
) -> impl Fn(&str) -> std::result::Result<String, String>
+ Clone
+ Send
+ Sync
+ 'static {
    move |name| match names.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("the steps are {}", names.join(", "))),
    }
}

/// The status to exit with; an error is said on standard error, in one line
/// with its causes.
fn complain(package: &str, result: Result<u8>) -> u8 {
    result.unwrap_or_else(|error| {
        let line = format!("{error:#}").replace('\n', " ");
        voice::complain(&format!("{package}: {line}"));
        1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Args)]
    struct Own {
        #[arg(long)]
        minutes: u64,
    }

    #[test]
    fn a_lesson_may_take_longer_if_its_options_say_so() {
        let source = Source { package: "lesson", text: "" };
        let place = Place { path: "step", text: "" };
        let step: Step = |_| Ok(());
        let lesson = || Lesson::new(source, [(place, step)], &[]).with::<Own>();
        let longer = || {
            lesson().longer(|own: &Own| Duration::from_secs(60 * own.minutes))
        };
        let own: Chosen = std::sync::Arc::new(Own { minutes: 10 });
        let limit = |lesson: Lesson, args: &[&str]| {
            let args = ["lesson"].iter().chain(args);
            let limit = lesson.limit(&Options::parse_from(args), &own);
            limit.map(|limit| limit.as_secs())
        };
        assert_eq!(limit(lesson(), &[]), Some(90));
        assert_eq!(limit(longer(), &[]), Some(690));
        assert_eq!(limit(longer(), &["--speed", "20"]), Some(633));
        assert_eq!(limit(longer(), &["--walk"]), None);
        assert_eq!(limit(longer(), &["--speed", "1e-300"]), None);
    }
}
