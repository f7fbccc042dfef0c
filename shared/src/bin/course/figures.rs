//! What one run of a lesson, or of its peer, measured.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use shared::catalogue::Lesson;
use shared::lesson::Figure;
use shared::trace::Trace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longer than any run takes that goes on at all, in seconds.
const PATIENCE: &str = "180";

/// The figures of the lesson, run as `program` at this speed.
pub fn of_lesson(
    lesson: &Lesson,
    program: &Path,
    speed: f64,
    trace: &Path,
) -> Result<Vec<Figure>> {
    let output = Command::new(program)
        .args(["--no-timeline", "--speed", &speed.to_string(), "--trace"])
        .arg(trace)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(
        output.status.success(),
        "the lesson failed ({}): {}",
        output.status,
        last_line(&output.stderr)
    );
    let figures = Figure::all(&Trace::read(trace)?);
    fs::remove_file(trace)
        .with_context(|| format!("cannot remove {}", trace.display()))?;
    unique(figures, &lesson.package)
}

/// The figures that its peer prints: a line each, `figure`, the label, the
/// seconds and the result, with tabs between them.
pub fn of_peer(
    lesson: &Lesson,
    python: &str,
    speed: f64,
) -> Result<Vec<Figure>> {
    // Ends also what hangs, and what that started.
    let output = Command::new("timeout")
        .args(["--kill-after=5", PATIENCE, python])
        .arg(peer(lesson))
        .args(["--speed", &speed.to_string()])
        .output()
        .context("cannot run timeout(1); install coreutils")?;
    match output.status.code() {
        Some(0) => {}
        Some(124 | 137) => bail!("peer.py had not ended after {PATIENCE} s"),
        _ => bail!(
            "peer.py failed ({}): {}",
            output.status,
            last_line(&output.stderr)
        ),
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = said.lines().filter_map(|line| line.strip_prefix("figure\t"));
    let figures: Result<Vec<Figure>> = lines.map(parsed).collect();
    unique(figures?, "peer.py")
}

pub fn peer(lesson: &Lesson) -> PathBuf {
    lesson.folder.join("peer.py")
}

fn parsed(line: &str) -> Result<Figure> {
    let mut parts = line.split('\t');
    let label = parts.next().unwrap_or_default().to_owned();
    let seconds = parts.next().and_then(|seconds| seconds.parse().ok());
    let seconds = seconds
        .filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0)
        .with_context(|| format!("peer.py: `{line}` has no time"))?;
    let result = parts.next().map_or(Value::Null, |text| {
        serde_json::from_str(text).unwrap_or_else(|_| text.into())
    });
    Ok(Figure { label, seconds, result })
}

/// A label stands for one figure.
fn unique(figures: Vec<Figure>, whose: &str) -> Result<Vec<Figure>> {
    for (index, figure) in figures.iter().enumerate() {
        let same = |other: &Figure| other.label == figure.label;
        let label = &figure.label;
        ensure!(
            !figures[..index].iter().any(same),
            "{whose}: two figures are called `{label}`"
        );
    }
    Ok(figures)
}

fn last_line(stderr: &[u8]) -> String {
    let said = String::from_utf8_lossy(stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    last.unwrap_or("it said nothing").to_owned()
}
