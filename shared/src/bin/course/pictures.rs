//! The pictures of the chapters, drawn anew, and the runs of which they are.

use crate::cargo;
use anyhow::{Context, Result};
use shared::catalogue::{Lesson, table};
use shared::lesson::Place;
use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

/// Where pictures and traces stay until all of a lesson are there.
const ASIDE: &str = "target/pictures";

/// A record is to be read and kept, not to fill the disk: so many bytes.
const LARGEST: usize = 600_000;

/// A step that was drawn.
struct Drawn {
    step: String,
    picture: PathBuf,
    /// Where the picture belongs.
    place: PathBuf,
    trace: Vec<u8>,
}

/// Draws all pictures of these lessons. A lesson of which one fails keeps what
/// it has.
pub fn draw(lessons: &[&Lesson]) -> Result<ExitCode> {
    let mut table = table(["", "lesson", "picture", "trace", ""]);
    let mut failed = 0;
    for lesson in lessons {
        let number = lesson.number.to_string();
        let mut row = |step: &str, size: &str, said: &str| {
            table.add_row([&number, &lesson.package, step, size, said]);
        };
        let drawn = match run(lesson) {
            Ok(drawn) => drawn,
            Err(error) => {
                failed += 1;
                row("", "", &format!("failed: {error:#}"));
                continue;
            }
        };
        let mut record = Vec::new();
        for step in &drawn {
            fs::copy(&step.picture, &step.place).with_context(|| {
                format!("cannot write {}", step.place.display())
            })?;
            let size = format!("{} kB", step.trace.len().div_ceil(1000));
            let fits = record.len() + step.trace.len() <= LARGEST;
            if fits {
                record.extend_from_slice(&step.trace);
            }
            let said = if fits { "" } else { "too large to be recorded" };
            row(&step.step, &size, said);
        }
        let file = lesson.folder.join("recorded.jsonl");
        let advice = || format!("cannot write {}", file.display());
        match record.is_empty() {
            // What stands there is of other pictures.
            true if file.exists() => fs::remove_file(&file),
            true => Ok(()),
            false => fs::write(&file, record),
        }
        .with_context(advice)?;
    }
    let (table, lessons) = (table.trim_fmt(), lessons.len());
    writeln!(stdout(), "{table}\n\n{lessons} lessons, {failed} failed")?;
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Runs each step of which there is a picture, at natural pace.
fn run(lesson: &Lesson) -> Result<Vec<Drawn>> {
    fs::create_dir_all(ASIDE)
        .with_context(|| format!("cannot make {ASIDE}"))?;
    let mut drawn = Vec::new();
    for step in lesson.places().iter().map(Place::name) {
        let place = lesson.folder.join(step).with_extension("svg");
        if !place.is_file() {
            continue;
        }
        let aside = Path::new(ASIDE).join(format!("{}-{step}", lesson.package));
        let picture = aside.with_extension("svg");
        let trace = aside.with_extension("jsonl");
        // What stands there is of another run.
        for file in [&picture, &trace] {
            if file.exists() {
                fs::remove_file(file).with_context(|| {
                    format!("cannot remove {}", file.display())
                })?;
            }
        }
        eprintln!("{}: {step}", lesson.package);
        let status = cargo("run", lesson)
            .args(["--", "--step", step, "--svg"])
            .arg(&picture)
            .arg("--trace")
            .arg(&trace)
            .stdout(Stdio::null())
            .status()
            .context("cannot run cargo")?;
        anyhow::ensure!(status.success(), "{step}: {status}");
        let trace = fs::read(&trace)
            .with_context(|| format!("cannot read {}", trace.display()))?;
        drawn.push(Drawn { step: step.to_owned(), picture, place, trace });
    }
    Ok(drawn)
}
