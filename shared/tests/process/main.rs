//! The behaviours that `shared::process` keeps, and its faults.

use std::process::ExitCode;

mod process;
mod runner;

fn main() -> ExitCode {
    runner::main(&[process::CASES])
}
