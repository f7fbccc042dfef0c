//! Starting and joining.

use std::process::Command;
use std::time::Instant;

use nix::sys::wait::waitpid;
use nix::unistd::ForkResult;
use shared::median;
use shared::process::Process;

use crate::Outcome;
use crate::row::{Goal, Row};

const TIMES: usize = 300;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "start and join one",
            ours: ("process", || taken(process)),
            goals: vec![
                Goal::AtMost {
                    times: 1.35,
                    of: ("fork and waitpid", || taken(fork_and_wait)),
                },
                Goal::Python { times: 8.0, name: "start" },
                Goal::Beside {
                    of: ("std::process::Command", || taken(command)),
                },
            ],
        },
        Row {
            name: "start a hundred, join all",
            ours: ("hundred processes", hundred),
            goals: vec![Goal::Python { times: 5.0, name: "hundred" }],
        },
    ]
}

/// How long it takes, many times over.
fn taken(once: fn() -> Outcome<()>) -> Outcome<f64> {
    let mut taken = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        once()?;
        taken.push(began.elapsed().as_secs_f64());
    }
    Ok(median(&taken).unwrap_or(f64::NAN))
}

fn process() -> Outcome<()> {
    Ok(Process::spawn(|| ())?.join()?)
}

#[expect(unsafe_code, reason = "this is what it costs without the library")]
fn fork_and_wait() -> Outcome<()> {
    // SAFETY: this process has one thread.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            Ok(())
        }
        // SAFETY: `_exit` has no preconditions.
        ForkResult::Child => unsafe { nix::libc::_exit(0) },
    }
}

fn command() -> Outcome<()> {
    Command::new("true").status()?;
    Ok(())
}

fn hundred() -> Outcome<f64> {
    let began = Instant::now();
    let children = (0..100)
        .map(|_| Process::spawn(|| ()))
        .collect::<Result<Vec<_>, _>>()?;
    for child in children {
        child.join()?;
    }
    Ok(began.elapsed().as_secs_f64())
}
