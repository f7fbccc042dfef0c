//! The behaviours that `shared::process` keeps, and its faults.

use std::process::ExitCode;

mod faults;
mod process;
mod runner;
mod support;

fn main() -> ExitCode {
    runner::main(&[process::CASES, faults::CASES])
}
