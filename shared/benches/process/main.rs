//! What processes and what they share cost, beside what others take for the
//! same, in one run.
//!
//! Each figure is taken in a process of its own, all in turn, several times;
//! the medians are compared.

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode, Stdio};

mod lock;
mod manager;
mod pool;
mod queue;
mod row;
mod start;

use row::{Goal, Row, Taken};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A figure: seconds for one of what it is about.
type Measure = fn() -> Outcome<f64>;

/// How often each figure is taken, unless the environment says otherwise
/// (`BENCH_ROUNDS`).
const ROUNDS: usize = 5;
/// The argument by which this program calls itself for one figure.
const ONE: &str = "--measure";
const PEER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/process/peer.py");

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [flag, name] if flag == ONE => one(name),
        _ => all(arguments.iter().find(|argument| !argument.starts_with('-'))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is compared: ours, then the others.
fn rows() -> Vec<Row> {
    [start::rows(), queue::rows(), lock::rows(), pool::rows(), manager::rows()]
        .into_iter()
        .flatten()
        .collect()
}

fn one(name: &str) -> Outcome<()> {
    let measures = rows().into_iter().flat_map(|row| row.measures());
    let (_, measure) = measures
        .into_iter()
        .find(|(known, _)| *known == name)
        .ok_or("no such figure")?;
    println!("{}", measure()?);
    Ok(())
}

fn all(filter: Option<&String>) -> Outcome<()> {
    let rounds = env::var("BENCH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let rows: Vec<Row> = rows()
        .into_iter()
        .filter(|row| filter.is_none_or(|filter| row.name.contains(filter)))
        .collect();
    let mut taken = vec![Taken::default(); rows.len()];
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (row, taken) in rows.iter().zip(&mut taken) {
            taken.ours.push(run(row.ours.0)?);
            for (index, goal) in row.goals.iter().enumerate() {
                let figure = match goal {
                    Goal::AtMost { of, .. }
                    | Goal::Times { of, .. }
                    | Goal::Beside { of } => run(of.0),
                    Goal::Python { name, .. } => run_python(name),
                    Goal::Absolute { .. } => Ok(f64::NAN),
                };
                taken.of(index).push(figure?);
            }
        }
    }
    row::print(&rows, &taken)?;
    row::save(&rows, &taken)
}

fn run(name: &str) -> Outcome<f64> {
    figure(Command::new(env::current_exe()?).args([ONE, name]))
}

fn run_python(name: &str) -> Outcome<f64> {
    figure(Command::new("python3").args([PEER, name]))
}

fn figure(command: &mut Command) -> Outcome<f64> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
