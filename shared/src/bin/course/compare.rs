//! Lessons against their peers: the same exercise in Rust and in Python, on
//! this machine, in turns.

use super::comparison::{Comparison, Round, compare, mean_ratio, middle};
use super::{chart, figures};
use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use shared::catalogue::{Catalogue, Lesson, table};
use shared::lesson::Figure;
use shared::machine::Machine;
use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How it is to be done.
#[derive(clap::Args)]
pub struct Options {
    /// Its number or its name; all if there is none
    lesson: Option<String>,
    /// How often both run, in turns, after two rounds to warm up
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Divides the pauses of both
    #[arg(long, default_value_t = 20.0, value_parser = speed)]
    speed: f64,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok();
    let speed = speed.filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| "give a number above 0".to_owned())
}

/// What came of it, as it stands in the file for other programs.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    command: String,
    rounds: u32,
    lessons: Vec<Compared>,
}

#[derive(Serialize)]
pub struct Compared {
    pub number: u32,
    pub package: String,
    pub figures: Vec<Comparison>,
}

/// Compares one lesson, or all, and writes down what came of it. Whether all
/// could be compared.
pub fn run(catalogue: &Catalogue, options: &Options) -> Result<bool> {
    let lessons: Vec<&Lesson> = match &options.lesson {
        None => catalogue.lessons.iter().collect(),
        Some(wanted) => vec![super::known(catalogue, wanted)?],
    };
    let machine = Machine::read(super::python());
    let mut stdout = stdout();
    writeln!(stdout, "{machine}\n")?;
    if machine.is_busy() {
        writeln!(
            stdout,
            "other programs are at work (load {:.1}): times are too long, ratios less so\n",
            machine.load
        )?;
    }
    let (mut compared, mut left_out) = (Vec::new(), Vec::new());
    for lesson in lessons {
        let (number, package) = (lesson.number, lesson.package.clone());
        match rounds(lesson, options) {
            Ok(figures) if figures.is_empty() => {}
            Ok(figures) => {
                let shown = shown(&figures);
                writeln!(stdout, "{number} {package}\n{shown}\n")?;
                compared.push(Compared { number, package, figures });
            }
            Err(why) => {
                let line = format!("lesson {number}, {package}: {why:#}");
                eprintln!("not compared: {line}");
                left_out.push(line);
            }
        }
    }
    let Options { rounds, speed, .. } = options;
    let report = Report {
        machine,
        command: format!("just compare --rounds {rounds} --speed {speed}"),
        rounds: *rounds,
        lessons: compared,
    };
    if report.lessons.len() > 1 {
        writeln!(stdout, "{}", overview(&report.lessons))?;
    }
    if options.lesson.is_none() {
        keep(&report, &left_out)?;
    }
    Ok(left_out.is_empty())
}

/// Both in turns, after rounds that warm up.
fn rounds(lesson: &Lesson, options: &Options) -> Result<Vec<Comparison>> {
    let python = python(lesson)?;
    let program = built(lesson)?;
    let bar = ProgressBar::new(u64::from(options.rounds) + 2);
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}");
    bar.set_style(style.context("the bar has a form")?);
    bar.set_message(lesson.package.clone());
    let trace = Path::new("target").join("compare.jsonl");
    let round = |speed: f64| -> Result<Round> {
        bar.tick();
        let rust = figures::of_lesson(lesson, &program, speed, &trace)?;
        // Nothing to compare takes no Python.
        let python = match rust.is_empty() {
            true => Vec::new(),
            false => figures::of_peer(lesson, python, speed)?,
        };
        bar.inc(1);
        Ok(Round { python, rust })
    };
    let warm = round(options.speed / 2.0)?;
    if warm.rust.is_empty() {
        return Ok(Vec::new());
    }
    let slow = [warm, round(options.speed / 2.0)?];
    let quick = (0..options.rounds).map(|_| round(options.speed));
    let quick = quick.collect::<Result<Vec<_>>>()?;
    bar.finish_and_clear();
    compare(&slow, &quick)
}

/// The lesson, as fast as the compiler makes it.
fn built(lesson: &Lesson) -> Result<PathBuf> {
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--release", "--package", &lesson.package])
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "it does not compile");
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or(PathBuf::from("target"), PathBuf::from);
    Ok(target.join("release").join(&lesson.package))
}

/// A Python that has what the peer imports.
fn python(lesson: &Lesson) -> Result<&'static str> {
    let python = super::python();
    let asked = Command::new(python)
        .arg("lessons/missing.py")
        .arg(figures::peer(lesson))
        .output();
    let asked = asked
        .context("cannot run python3: `apt install python3` installs it")?;
    let missing = String::from_utf8_lossy(&asked.stdout);
    let missing = missing.trim();
    ensure!(
        asked.status.success(),
        "cannot tell what peer.py imports: {}",
        String::from_utf8_lossy(&asked.stderr).trim_end()
    );
    ensure!(
        missing.is_empty(),
        "python3 has no {missing}: `just python` installs it"
    );
    Ok(python)
}

/// The figures of a lesson as a table: how long, from the least to the most.
fn shown(figures: &[Comparison]) -> String {
    let mut table = table(["", "Python", "", "Rust", "", "ratio"]);
    for figure in figures {
        let (python, rust) = (Spread(&figure.python), Spread(&figure.rust));
        table.add_row([
            figure.label.clone(),
            time(middle(&figure.python)),
            python.text(),
            time(middle(&figure.rust)),
            rust.text(),
            ratio(figure),
        ]);
    }
    table.trim_fmt()
}

/// How far the least and the most are from the median.
struct Spread<'a>(&'a [f64]);

impl Spread<'_> {
    fn text(&self) -> String {
        let median = middle(self.0);
        let percent = |value: f64| 100.0 * (value / median - 1.0);
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(0.0, f64::max);
        format!("{:+.0} {:+.0} %", percent(least), percent(most))
    }
}

fn time(seconds: f64) -> String {
    let (label, result) = (String::new(), serde_json::Value::Null);
    Figure { label, seconds, result }.time(true)
}

fn ratio(figure: &Comparison) -> String {
    let digits = if figure.ratio < 9.95 { 1 } else { 0 };
    let wait = if figure.waits { ", a wait" } else { "" };
    format!("{:.digits$}{wait}", figure.ratio)
}

/// One row a lesson.
fn overview(lessons: &[Compared]) -> String {
    let mut table =
        table(["", "lesson", "figures", "waits", "ratio", "from", "to"]);
    for lesson in lessons {
        let (least, most) = range(&lesson.figures);
        let waits = lesson.figures.iter().filter(|figure| figure.waits);
        table.add_row([
            lesson.number.to_string(),
            lesson.package.clone(),
            lesson.figures.len().to_string(),
            waits.count().to_string(),
            mean_ratio(&lesson.figures)
                .map_or("-".to_owned(), |mean| format!("{mean:.1}")),
            format!("{least:.1}"),
            format!("{most:.1}"),
        ]);
    }
    format!(
        "{}\n\nratio: how many times as long Python takes; the mean of those that are no waits",
        table.trim_fmt()
    )
}

fn range(figures: &[Comparison]) -> (f64, f64) {
    let ratios = figures.iter().map(|figure| figure.ratio);
    let least = ratios.clone().fold(f64::INFINITY, f64::min);
    (least, ratios.fold(0.0, f64::max))
}

/// Writes the report as JSON, as a page and as a picture.
fn keep(report: &Report, left_out: &[String]) -> Result<()> {
    let json = serde_json::to_string_pretty(report)?;
    let files = [
        ("target/compare.json", json),
        ("target/compare.md", page(report, left_out)),
        ("target/compare.svg", chart::ratios(&report.lessons)?),
    ];
    for (path, text) in &files {
        fs::write(path, text)
            .with_context(|| format!("cannot write {path}"))?;
    }
    let [json, page, picture] = files.map(|(path, _)| path);
    writeln!(stdout(), "\nwritten: {page}, {picture}, {json}")?;
    Ok(())
}

/// The report in Markdown.
fn page(report: &Report, left_out: &[String]) -> String {
    let mut page = format!(
        "# Python and Rust, compared\n\n{}. `{}`: medians of {} rounds, in turns; \
         release builds. The ratio is how many times as long Python takes; a wait \
         takes as long in any language.\n\n![The ratios, lesson by lesson]\
         (compare.svg)\n",
        report.machine, report.command, report.rounds
    );
    for lesson in &report.lessons {
        let (number, package) = (lesson.number, &lesson.package);
        let _ = write!(
            page,
            "\n## {number} {package}\n\n\
             | | Python | spread | Rust | spread | ratio |\n\
             |---|---:|---:|---:|---:|---:|\n"
        );
        for figure in &lesson.figures {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} | {} |",
                figure.label,
                time(middle(&figure.python)),
                Spread(&figure.python).text(),
                time(middle(&figure.rust)),
                Spread(&figure.rust).text(),
                ratio(figure)
            );
        }
    }
    for line in left_out {
        let _ = write!(page, "\nNot compared: {line}\n");
    }
    page
}
