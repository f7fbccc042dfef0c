//! The behaviours that `shared::process` keeps, and its faults.

use std::process::ExitCode;

mod barrier;
mod event;
mod faults;
mod joinable_queue;
mod lock;
mod manager;
mod pool;
mod process;
mod queue;
mod runner;
mod semaphore;
mod support;

fn main() -> ExitCode {
    runner::main(&[
        process::CASES,
        lock::CASES,
        semaphore::CASES,
        event::CASES,
        barrier::CASES,
        queue::CASES,
        joinable_queue::CASES,
        pool::CASES,
        manager::CASES,
        faults::CASES,
    ])
}
