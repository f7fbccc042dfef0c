//! All lessons in order.

use super::cargo;
use anyhow::{Context, Result};
use shared::catalogue::{Lesson, table};
use shared::lesson::Claim;
use shared::trace::Trace;
use std::fs;
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Where the traces of the last run stay.
const TRACES: &str = "target/traces";

pub fn run(lessons: &[Lesson], args: &[String]) -> Result<ExitCode> {
    let file = args.iter().find(|arg| {
        ["--trace", "--svg", "--perfetto", "--step", "--help", "-h"]
            .iter()
            .any(|option| arg.split('=').next() == Some(option))
    });
    if let Some(option) = file {
        eprintln!("course: {option} is for one lesson: just lesson N {option}");
        return Ok(ExitCode::from(2));
    }
    fs::create_dir_all(TRACES)
        .with_context(|| format!("cannot make {TRACES}"))?;
    let mut table = table(["", "lesson", "claims held", "seconds", ""]);
    let mut failed = 0;
    let mut seconds = 0.0;
    for lesson in lessons {
        let built = cargo("build", lesson).status();
        let built = built.context("cannot run cargo")?;
        if !built.success() {
            anyhow::bail!("the lesson `{}` does not compile", lesson.package);
        }
        let trace =
            Path::new(TRACES).join(&lesson.package).with_extension("jsonl");
        // What stands there is of another run.
        if trace.exists() {
            fs::remove_file(&trace).with_context(|| {
                format!("cannot remove {}", trace.display())
            })?;
        }
        let start = Instant::now();
        let status = cargo("run", lesson)
            .arg("--")
            .args(args)
            .arg("--trace")
            .arg(&trace)
            .status();
        let status = status.context("cannot run cargo")?;
        let took = start.elapsed().as_secs_f64();
        seconds += took;
        // 2: the options are wrong, for all of them; above 128: a signal.
        if let Some(code) =
            status.code().filter(|code| *code == 2 || *code > 128)
        {
            return Ok(ExitCode::from(code as u8));
        }
        let verdict = if status.success() { "" } else { "failed" };
        failed += u32::from(!status.success());
        let claims = Trace::read(&trace)
            .map(|trace| Claim::all(&trace))
            .unwrap_or_default();
        let held = claims.iter().filter(|claim| claim.held).count();
        let held = format!("{held} of {}", claims.len());
        let number = lesson.number.to_string();
        table.add_row([
            &number,
            &lesson.package,
            &held,
            &format!("{took:.1}"),
            verdict,
        ]);
        writeln!(stdout())?;
    }
    let (table, lessons) = (table.trim_fmt(), lessons.len());
    writeln!(
        stdout(),
        "{table}\n\n{lessons} lessons, {failed} failed, {seconds:.1} s"
    )?;
    Ok(ExitCode::from(u8::from(failed > 0)))
}
