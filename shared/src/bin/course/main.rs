//! What the justfile needs beyond cargo: the list of lessons, one lesson by
//! its number, all of them with a table at the end, lessons against Python,
//! all tests, and the checks of what no compiler sees.

mod chart;
mod check;
mod compare;
mod comparison;
mod figures;
mod glossary;
mod pictures;
mod plan;
mod rehearsal;
mod suite;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use shared::catalogue::{Catalogue, Lesson};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// The lessons of the course, run from the top of the repository.
#[derive(Parser)]
#[command(disable_version_flag = true)]
struct Options {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// List the lessons
    List,
    /// Run one lesson
    #[command(disable_help_flag = true)]
    Lesson {
        /// Its number or its name
        lesson: String,
        /// Options of the lesson
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run the same exercise in Python
    #[command(disable_help_flag = true)]
    Peer {
        /// Its number or its name
        lesson: String,
        /// Options of the program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run all lessons in order; ends in a table
    #[command(disable_help_flag = true)]
    Lessons {
        /// Options of the lessons
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run lessons and the same in Python in turns, and compare their times
    Compare(compare::Options),
    /// Draw the pictures of one lesson, or of all, and record their runs
    Pictures {
        /// Its number or its name
        lesson: Option<String>,
    },
    /// Plan three sessions of 90 minutes, and one of a day
    Plan,
    /// Run the tests of a lesson, or all, several programs at a time
    Test {
        /// Its number or its name
        lesson: Option<String>,
    },
    /// Check numbers, headings, links, and that no part of a lesson is missing
    Check,
}

fn main() -> ExitCode {
    run(Options::parse().command).unwrap_or_else(|error| {
        // Where even that cannot be written the status must do.
        let _ = writeln!(io::stderr(), "course: {error:#}");
        match error.is::<Unknown>() {
            true => ExitCode::from(2),
            false => ExitCode::FAILURE,
        }
    })
}

fn run(task: Task) -> Result<ExitCode> {
    let catalogue = Catalogue::read()?;
    match task {
        Task::List => writeln!(io::stdout(), "{}", catalogue.table())?,
        Task::Plan => writeln!(io::stdout(), "{}", plan::text(&catalogue))?,
        Task::Pictures { lesson } => {
            let lessons = match lesson {
                None => catalogue.lessons.iter().collect(),
                Some(wanted) => vec![known(&catalogue, &wanted)?],
            };
            return pictures::draw(&lessons);
        }
        // These take the place of this process, so that keys and signals reach
        // what runs directly. They come back only if they could not.
        Task::Lesson { lesson, args } => {
            let lesson = known(&catalogue, &lesson)?;
            let mut command = cargo("run", lesson);
            return Err(command.arg("--").args(args).exec().into());
        }
        Task::Peer { lesson, args } => {
            let lesson = known(&catalogue, &lesson)?;
            let mut command = Command::new(python());
            let error =
                command.arg(lesson.folder.join("peer.py")).args(args).exec();
            return Err(error).context("cannot run python3; install it");
        }
        Task::Lessons { args } => {
            return rehearsal::run(&catalogue.lessons, &args);
        }
        Task::Compare(options) => {
            let all = compare::run(&catalogue, &options)?;
            return Ok(ExitCode::from(u8::from(!all)));
        }
        Task::Test { lesson } => {
            let lesson = lesson.map(|wanted| known(&catalogue, &wanted));
            return suite::run(lesson.transpose()?);
        }
        Task::Check => {
            let faults = check::faults(&catalogue)?;
            for fault in &faults {
                writeln!(io::stderr(), "{fault}")?;
            }
            let (lessons, count) = (catalogue.lessons.len(), faults.len());
            writeln!(
                io::stdout(),
                "{lessons} lessons checked, {count} faults"
            )?;
            return Ok(ExitCode::from(u8::from(count > 0)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A lesson that there is not; says which there are.
#[derive(Debug, thiserror::Error)]
#[error("there is no lesson `{wanted}`; these there are:\n{table}")]
struct Unknown {
    wanted: String,
    table: String,
}

/// The lesson that is meant by its number or its name.
fn known<'a>(
    catalogue: &'a Catalogue,
    wanted: &str,
) -> Result<&'a Lesson, Unknown> {
    let (wanted, table) = (wanted.to_owned(), || catalogue.table());
    catalogue.find(&wanted).ok_or_else(|| Unknown { wanted, table: table() })
}

/// The Python for which `just python` has installed what the peers import.
fn python() -> &'static str {
    let installed = "target/python/bin/python3";
    if Path::new(installed).exists() { installed } else { "python3" }
}

/// cargo for a lesson. The first time it tells what it compiles; then it has
/// nothing to tell.
fn cargo(task: &str, lesson: &Lesson) -> Command {
    let mut command = Command::new("cargo");
    command.args([task, "--package", &lesson.package]);
    if Path::new("target/debug").join(&lesson.package).exists() {
        command.arg("--quiet");
    }
    command
}
