//! What a test needs and a machine may lack.

use std::io::Write;
use std::process::Command;

/// Says that a test, or a part of it, was not run, and why: past the test
/// runner's own capture, which would hide it.
///
/// # Panics
/// When it cannot be said.
pub fn not_run(test: &str, why: &str) {
    let said = writeln!(std::io::stderr(), "NOT RUN: {test}: {why}");
    said.expect("standard error is open");
}

/// Whether this user may mount something, out of everybody else's sight
/// (unshare(1)); if not, says that `test` was not run.
pub fn may_mount(test: &str) -> bool {
    let tried = Command::new("unshare").args(["--mount", "true"]).output();
    let may = tried.is_ok_and(|tried| tried.status.success());
    if !may {
        not_run(test, "this user may not mount anything (unshare(1))");
    }
    may
}
