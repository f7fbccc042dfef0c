//! The single-step sweep: a child is stopped before each instruction inside
//! one operation and killed there, and whoever is left must go on within 200 ms.
//!
//! The operation is run once step by step to learn where it goes; then once
//! for each instruction of its course, to a breakpoint there. Of a loop the
//! first turns and the last are swept: in between it is the same again.
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

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.iter().any(|argument| argument == "--all");
    let names: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
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
        match sweep(operation) {
            Ok(points) => println!("test {} ... ok ({points} points)", operation.name),
            Err(failures) => {
                failed += 1;
                println!("test {} ... FAILED", operation.name);
                for failure in failures {
                    println!("    {failure}");
                }
            }
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
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Kills a child at each point of an operation; how many there are, or what
/// went wrong where.
fn sweep(operation: &Operation) -> Result<usize, Vec<String>> {
    let mut whole = Trial::new(Point::End);
    (operation.run)(&mut whole).map_err(|error| vec![format!("nobody killed: {error}")])?;
    let points = whole.points();
    let failures: Vec<String> = points
        .iter()
        .filter_map(|&point| {
            let outcome = (operation.run)(&mut Trial::new(point));
            outcome
                .err()
                .map(|error| format!("killed {point}: {error}"))
        })
        .collect();
    if failures.is_empty() {
        Ok(points.len())
    } else {
        Err(failures)
    }
}
