//! What the justfile needs beyond cargo: the list of lessons, one lesson by
//! its number, all of them with a table at the end, and the checks of what no
//! compiler sees.

mod catalogue;
mod check;
mod rehearsal;

use anyhow::Result;
use catalogue::{Catalogue, Lesson};
use clap::{Parser, Subcommand};
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
    /// Run all lessons in order; ends in a table
    #[command(disable_help_flag = true)]
    Lessons {
        /// Options of the lessons
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Check numbers, headings, links, and that no part of a lesson is missing
    Check,
}

fn main() -> ExitCode {
    run(Options::parse().command).unwrap_or_else(|error| {
        // Where even that cannot be written the status must do.
        let _ = writeln!(io::stderr(), "course: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(task: Task) -> Result<ExitCode> {
    let catalogue = Catalogue::read()?;
    match task {
        Task::List => writeln!(io::stdout(), "{}", catalogue.table())?,
        Task::Lesson { lesson, args } => {
            let Some(lesson) = catalogue.find(&lesson) else {
                eprintln!("there is no lesson `{lesson}`; these there are:");
                eprintln!("{}", catalogue.table());
                return Ok(ExitCode::from(2));
            };
            // Takes the place of this process, so that keys and signals reach
            // the lesson directly. Comes back only if it could not.
            return Err(cargo("run", lesson)
                .arg("--")
                .args(args)
                .exec()
                .into());
        }
        Task::Lessons { args } => {
            return rehearsal::run(&catalogue.lessons, &args);
        }
        Task::Check => {
            let faults = check::faults(&catalogue)?;
            for fault in &faults {
                eprintln!("{fault}");
            }
            let (lessons, count) = (catalogue.lessons.len(), faults.len());
            println!("{lessons} lessons checked, {count} faults");
            return Ok(ExitCode::from(u8::from(count > 0)));
        }
    }
    Ok(ExitCode::SUCCESS)
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
