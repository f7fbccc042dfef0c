//! A row of the table: a figure of ours, and those that it is held against.

use std::fs;
use std::path::PathBuf;

use comfy_table::presets;
use comfy_table::{Cell, CellAlignment, Table};
use serde_json::{Value, json};
use shared::median;

use crate::{Measure, Outcome};

/// What is compared.
pub struct Row {
    pub name: &'static str,
    pub ours: (&'static str, Measure),
    pub goals: Vec<Goal>,
}

/// What a figure is held against.
pub enum Goal {
    /// It takes at most so many times what the other takes.
    AtMost { times: f64, of: (&'static str, Measure) },
    /// It is at least so many times as fast as the other.
    Times { times: f64, of: (&'static str, Measure) },
    /// It is at least so many times as fast as Python.
    Python { times: f64, name: &'static str },
    /// The other is shown beside it.
    Beside { of: (&'static str, Measure) },
    /// It takes at most so many seconds.
    Absolute { seconds: f64 },
}

/// The figures of a row, in seconds.
#[derive(Clone, Default)]
pub struct Taken {
    pub ours: Vec<f64>,
    pub others: Vec<Vec<f64>>,
}

impl Taken {
    pub fn of(&mut self, goal: usize) -> &mut Vec<f64> {
        if self.others.len() <= goal {
            self.others.resize(goal + 1, Vec::new());
        }
        &mut self.others[goal]
    }
}

impl Row {
    pub fn measures(&self) -> Vec<(&'static str, Measure)> {
        let others = self.goals.iter().filter_map(|goal| match goal {
            Goal::AtMost { of, .. }
            | Goal::Times { of, .. }
            | Goal::Beside { of } => Some(*of),
            Goal::Python { .. } | Goal::Absolute { .. } => None,
        });
        std::iter::once(self.ours).chain(others).collect()
    }
}

impl Goal {
    fn peer(&self) -> &'static str {
        match self {
            Self::AtMost { of, .. }
            | Self::Times { of, .. }
            | Self::Beside { of } => of.0,
            Self::Python { .. } => "python",
            Self::Absolute { .. } => "",
        }
    }

    /// The goal, what was reached, and whether that is enough.
    fn judge(&self, ours: f64, other: f64) -> (String, String, Option<bool>) {
        match self {
            Self::AtMost { times, .. } => {
                let ratio = ours / other;
                (
                    format!("≤ {times} ×"),
                    format!("{ratio:.2} ×"),
                    Some(ratio <= *times),
                )
            }
            Self::Times { times, .. } | Self::Python { times, .. } => {
                let ratio = other / ours;
                (
                    format!("≥ {times} × as fast"),
                    format!("{ratio:.2} ×"),
                    Some(ratio >= *times),
                )
            }
            Self::Beside { .. } => {
                (String::new(), format!("{:.2} ×", other / ours), None)
            }
            Self::Absolute { seconds } => (
                format!("≤ {}", time(*seconds)),
                time(ours),
                Some(ours <= *seconds),
            ),
        }
    }
}

/// The median; not a number where nothing was measured.
fn middle(figures: &[f64]) -> f64 {
    median(figures).unwrap_or(f64::NAN)
}

fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds.is_nan() => String::new(),
        ..1e-6 => format!("{:.1} ns", seconds * 1e9),
        ..1e-3 => format!("{:.2} µs", seconds * 1e6),
        ..1.0 => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

/// Prints the table.
pub fn print(rows: &[Row], taken: &[Taken]) -> Outcome<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
        .set_header(["what", "ours", "beside", "takes", "goal", "reached", ""]);
    for (row, taken) in rows.iter().zip(taken) {
        let ours = middle(&taken.ours);
        for (index, goal) in row.goals.iter().enumerate() {
            let other =
                middle(taken.others.get(index).map_or(&[], Vec::as_slice));
            let (target, reached, enough) = goal.judge(ours, other);
            let first = index == 0;
            table.add_row([
                Cell::new(if first { row.name } else { "" }),
                Cell::new(if first { time(ours) } else { String::new() })
                    .set_alignment(CellAlignment::Right),
                Cell::new(goal.peer()),
                Cell::new(time(other)).set_alignment(CellAlignment::Right),
                Cell::new(target),
                Cell::new(reached).set_alignment(CellAlignment::Right),
                Cell::new(match enough {
                    Some(true) => "✓",
                    Some(false) => "✗",
                    None => "",
                }),
            ]);
        }
    }
    println!("{table}");
    Ok(())
}

/// Writes all figures to target/bench/process.json.
pub fn save(rows: &[Row], taken: &[Taken]) -> Outcome<()> {
    let figures: Vec<Value> = rows
        .iter()
        .zip(taken)
        .map(|(row, taken)| {
            let ours = middle(&taken.ours);
            let others: Vec<Value> = row
                .goals
                .iter()
                .enumerate()
                .map(|(index, goal)| {
                    let others = taken.others.get(index).map_or(&[][..], Vec::as_slice);
                    let (target, reached, enough) = goal.judge(ours, middle(others));
                    json!({
                        "peer": goal.peer(), "seconds": others, "median": middle(others),
                        "goal": target, "reached": reached, "enough": enough,
                    })
                })
                .collect();
            json!({"what": row.name, "seconds": taken.ours, "median": ours, "beside": others})
        })
        .collect();
    let path = target()?.join("bench").join("process.json");
    fs::create_dir_all(path.parent().ok_or("no folder for the figures")?)?;
    fs::write(&path, serde_json::to_string_pretty(&figures)?)?;
    println!("\nwritten to {}", path.display());
    Ok(())
}

/// Cargo's target folder: this program lies in its release/deps.
fn target() -> Outcome<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program
        .ancestors()
        .nth(3)
        .ok_or("this program lies in no target folder")?
        .to_owned())
}
