//! All tests, several programs of them at a time: most of a test is waiting.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use shared::catalogue::Lesson;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// What is built, here and by `just check` alike: everything.
const EVERYTHING: [&str; 2] = ["--workspace", "--all-features"];

/// However many cores there are: each starts some dozen processes at a time.
const MOST_AT_ONCE: usize = 8;

/// No program of tests takes as long, in seconds.
const PATIENCE: &str = "2400";

/// A program of tests, or what cargo makes of the examples in the docs.
struct Program {
    name: String,
    command: Command,
}

/// Runs the tests of a lesson, or all there are; ends in a sum.
///
/// What a program prints appears when it has ended, so that no two mix.
pub fn run(lesson: Option<&Lesson>) -> Result<ExitCode> {
    let start = Instant::now();
    let mut programs = built(lesson)?;
    if programs.is_empty() {
        bail!("there are no tests");
    }
    if lesson.is_none() {
        let mut command = Command::new("cargo");
        command.args(["test", "--doc", "--quiet"]).args(EVERYTHING);
        programs.push(Program { name: "examples in the docs".into(), command });
    }
    let at_once = thread::available_parallelism()?.get().min(MOST_AT_ONCE);
    let todo = Mutex::new(programs.into_iter());
    let next = || todo.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (done, ended) = mpsc::channel();
    let sum = thread::scope(|scope| -> Result<Sum> {
        for _ in 0..at_once {
            let done = done.clone();
            scope.spawn(move || {
                while let Some(mut program) = next() {
                    let start = Instant::now();
                    let output = program.command.output();
                    let took = start.elapsed();
                    // Who reads is gone only if it could not write.
                    if done.send((program.name, output, took)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let mut sum = Sum::default();
        for (name, output, took) in ended {
            let output =
                output.with_context(|| format!("cannot run {name}"))?;
            sum.add(&name, &output, took)?;
        }
        Ok(sum)
    })?;
    let Sum { programs, passed, failed, bad } = sum;
    let seconds = start.elapsed().as_secs_f64();
    let mut stdout = stdout();
    writeln!(
        stdout,
        "\n{programs} programs, {passed} tests passed, {failed} failed, \
         {seconds:.0} s"
    )?;
    for name in &bad {
        writeln!(stdout, "failed: {name}")?;
    }
    Ok(ExitCode::from(u8::from(!bad.is_empty())))
}

/// Builds the tests and asks cargo where their programs are.
fn built(lesson: Option<&Lesson>) -> Result<Vec<Program>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--no-run"]).args(EVERYTHING);
    cargo.arg("--message-format=json-render-diagnostics");
    let output = cargo.stderr(Stdio::inherit()).output();
    let output = output.context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the tests do not compile");
    }
    let text = String::from_utf8(output.stdout)?;
    let mut programs = Vec::new();
    for line in text.lines() {
        let message: Value = serde_json::from_str(line)?;
        let (Some(executable), Some(manifest), Some(name)) = (
            message["executable"].as_str(),
            message["manifest_path"].as_str(),
            message["target"]["name"].as_str(),
        ) else {
            continue;
        };
        let folder = PathBuf::from(manifest);
        let folder = folder.parent().context("a manifest has a folder")?;
        let wanted =
            lesson.is_none_or(|lesson| folder.ends_with(&lesson.folder));
        if message["profile"]["test"] == true && wanted {
            let kind = message["target"]["kind"][0].as_str().unwrap_or("");
            // Ends also what hangs, and what that started.
            let mut command = Command::new("timeout");
            command.args(["--kill-after=5", PATIENCE, executable]);
            command.current_dir(folder);
            programs.push(Program { name: format!("{kind} {name}"), command });
        }
    }
    // The tests of the whole course take longest: nobody is to wait for them
    // in the end.
    programs.sort_by_key(|program| program.name != "test course");
    Ok(programs)
}

/// What all programs came to.
#[derive(Default)]
struct Sum {
    programs: usize,
    passed: u64,
    failed: u64,
    /// The programs that failed.
    bad: Vec<String>,
}

impl Sum {
    /// Prints what a program said, and adds what libtest's own sums say.
    fn add(
        &mut self,
        name: &str,
        output: &Output,
        took: Duration,
    ) -> Result<()> {
        let seconds = took.as_secs_f64();
        let mut stdout = stdout().lock();
        writeln!(stdout, "\n== {name}, {seconds:.0} s")?;
        stdout.write_all(&output.stdout)?;
        stdout.write_all(&output.stderr)?;
        self.programs += 1;
        let text = String::from_utf8_lossy(&output.stdout);
        for line in text.lines() {
            let Some(sum) = line.strip_prefix("test result: ") else {
                continue;
            };
            let number = |what: &str| -> Option<u64> {
                let (before, _) = sum.split_once(what)?;
                before.rsplit([' ', '.']).next()?.parse().ok()
            };
            self.passed += number(" passed").unwrap_or(0);
            self.failed += number(" failed").unwrap_or(0);
        }
        if !output.status.success() {
            self.bad.push(format!("{name} ({})", output.status));
        }
        Ok(())
    }
}
