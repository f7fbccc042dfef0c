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

mod claim;
mod figure;
mod highlight;
mod limit;
mod options;
mod pace;
mod show;
mod source;
mod stage;
mod supervisor;
mod track;
mod voice;
mod walk;

pub use claim::{Claim, Condition, at_least, at_most, differs_from, equals};
pub use figure::Figure;
pub use limit::fork_error;
pub use source::{Script, Source};
pub use stage::Stage;
pub use track::Track;

use crate::Result;
use clap::{CommandFactory, FromArgMatches};
use options::Options;
use show::Show;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use voice::Voice;

/// A step of a lesson.
pub type Step = fn(&Stage) -> Result;

/// A lesson: its source and its steps. Made by [`lesson!`](crate::lesson!).
pub struct Lesson {
    source: Source<'static>,
    steps: Vec<(&'static str, Step)>,
}

/// A lesson of these steps, functions of the file in which it stands.
#[macro_export]
macro_rules! lesson {
    ($($step:ident),+ $(,)?) => {
        $crate::lesson::Lesson::new(
            $crate::lesson::Source {
                package: env!("CARGO_PKG_NAME"),
                text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/main.rs")),
            },
            [$((stringify!($step), $step as $crate::lesson::Step)),+],
        )
    };
}

impl Lesson {
    /// A lesson with this source and these steps, which are functions of it.
    pub fn new<const N: usize>(
        source: Source<'static>,
        steps: [(&'static str, Step); N],
    ) -> Self {
        let steps = steps.to_vec();
        Self { source, steps }
    }

    /// Runs the lesson as the command line says: 0 when every claim held, 1
    /// when one did not or something failed, 2 for a wrong command line, 128
    /// and its number when a signal ended it.
    pub fn run(self) -> ExitCode {
        let options = self.options();
        // Pauses make up a natural run; nothing in one takes minutes.
        let limit = Duration::try_from_secs_f64(30.0 + 60.0 / options.speed);
        let limit = limit.ok().filter(|_| !options.walk);
        let package = self.source.package;
        let status =
            supervisor::supervise(package, limit, options.walk, || {
                complain(package, self.show(&options).map(|()| 0))
            });
        ExitCode::from(complain(package, status))
    }

    fn show(&self, options: &Options) -> Result {
        if options.walk && !Voice::can_ask() {
            walk::needs_a_terminal(self.source.package);
        }
        let mut show = Show::new(self, options)?;
        show.tell_panics();
        let count = self.steps.len();
        let chosen = options.step.as_deref();
        let chosen = chosen.and_then(|step| {
            self.steps.iter().position(|(name, _)| *name == step)
        });
        match options.walk {
            true => walk::walk(&mut show, chosen.unwrap_or(0))?,
            false => show.steps(chosen.map_or(0..count, |at| at..at + 1))?,
        }
        show.close()
    }

    fn options(&self) -> Options {
        let names = self.steps.iter().map(|(name, _)| *name);
        let steps = names.clone().map(|name| format!("\n  {name}"));
        let about =
            format!("{}\n\n{}", self.source.title(), self.source.question());
        let mut command = Options::command()
            .name(self.source.package)
            .about(self.source.title())
            .long_about(about)
            .before_long_help("")
            .mut_arg("step", |step| step.value_parser(one_of(names.collect())));
        let after = command.get_after_help().cloned().unwrap_or_default();
        command = command.after_help(format!(
            "Steps:{}\n\n{after}",
            steps.collect::<String>()
        ));
        let matches = command.get_matches();
        Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
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
        // Where even that cannot be written the status must do.
        let _ = writeln!(std::io::stderr(), "{package}: {line}");
        1
    })
}
