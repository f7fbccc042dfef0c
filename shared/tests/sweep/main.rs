//! The single-step sweep: a child is stopped before each instruction inside
//! one operation and killed there, and whoever is left must go on within 200
//! ms.
//!
//! The operation is run once step by step to learn where it goes; then once
//! for each instruction of its course, to a breakpoint there. If it takes
//! another course then (the allocator's differ), it is stepped as far. Of a
//! loop the first turns and the last are swept: in between it is the same
//! again.
//!
//! It knows the registers and the breakpoint of x86-64 only.
//!
//! `--all` sweeps every operation; without it those that the others stand on.
//! Further arguments choose operations by name.

mod operations;
mod point;

use std::process::ExitCode;
use std::time::Instant;

use operations::{OPERATIONS, Operation};
use point::{Point, Trial};
use shared::process::{JoinError, Process};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.iter().any(|argument| argument == "--all");
    let names: Vec<&String> =
        arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let chosen: Vec<&Operation> = OPERATIONS
        .iter()
        .filter(|operation| {
            if names.is_empty() {
                all || operation.always
            } else {
                names.iter().any(|name| operation.name.contains(*name))
            }
        })
        .collect();
    let began = Instant::now();
    println!("\nrunning {} tests", chosen.len());
    let mut failed = 0;
    for operation in &chosen {
        let swept = sweep(operation);
        let (points, killed) = (swept.points, swept.killed);
        let verdict = if swept.failures.is_empty() { "ok" } else { "FAILED" };
        println!(
            "test {} ... {verdict} ({killed} killed at {points} points)",
            operation.name
        );
        failed += usize::from(!swept.failures.is_empty());
        for failure in swept.failures {
            println!("    {failure}");
        }
    }
    println!(
        "\ntest result: {}. {} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; \
         finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        chosen.len() - failed,
        OPERATIONS.len() - chosen.len(),
        began.elapsed().as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a sweep came to.
struct Swept {
    points: usize,
    /// Points at which a child was killed.
    killed: usize,
    failures: Vec<String>,
}

/// Kills a child at each point of an operation.
fn sweep(operation: &Operation) -> Swept {
    let mut swept = Swept { points: 0, killed: 0, failures: Vec::new() };
    let (points, _) = try_out(operation, Point::End).unwrap_or_else(|error| {
        swept.failures.push(format!("nobody killed: {error}"));
        (Vec::new(), false)
    });
    for point in points {
        swept.points += 1;
        let tried = match (try_out(operation, point), point) {
            (Ok((_, false)), Point::At { steps, .. }) => {
                try_out(operation, Point::After { steps })
            }
            (tried, _) => tried,
        };
        match tried {
            Ok((_, killed)) => swept.killed += usize::from(killed),
            Err(error) => {
                swept.failures.push(format!("killed {point}: {error}"))
            }
        }
    }
    if swept.killed * 100 < swept.points * operation.reached {
        swept.failures.push(format!(
            "only {} of {} points were reached",
            swept.killed, swept.points
        ));
    }
    swept
}

/// Runs a trial in a process of its own, so that each finds the same: no buffer
/// has grown yet. The points of its course, and whether its child was killed.
fn try_out(
    operation: &Operation,
    point: Point,
) -> Result<(Vec<Point>, bool), JoinError> {
    let trial = Process::spawn(|| {
        let mut trial = Trial::new(point);
        (operation.run)(&mut trial).map_err(|error| error.to_string())?;
        Ok::<_, String>((trial.points(), trial.has_killed()))
    });
    trial.expect("this process has one thread").join()
}
