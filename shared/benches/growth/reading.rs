//! Taking one figure: in a process of its own, with an end to it.

use crate::curve::{By, Curve};
use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::errno::Errno;
use nix::libc;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, alarm};
use serde::{Deserialize, Serialize};
use shared::process::{JoinError, Process};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use thiserror::Error;

/// After so many seconds a figure is given up.
const PATIENCE: u32 = 20;
const PEER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/growth/peer.py");
/// Where `just python` puts what the peer imports.
const INSTALLED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python3");

/// What was measured at one number.
#[derive(Serialize, Deserialize)]
pub struct Reading {
    /// One for each view, or none where it cannot be had.
    pub values: Vec<Option<f64>>,
    /// What the work came to.
    pub work: u64,
}

impl Reading {
    pub fn new(value: f64, work: u64) -> Self {
        Self { values: vec![Some(value)], work }
    }

    /// Takes the figure of a curve at a number.
    ///
    /// # Errors
    /// Why there is none, also when the work came to something else than it
    /// must.
    pub fn take(curve: &Curve, number: u64) -> Result<Self> {
        let reading = match curve.by {
            By::Rust(measure) => alone(measure, number)?,
            By::Python(task, sizes) => in_python(task, number, sizes)?,
        };
        let (is, must) = (reading.work, (curve.work)(number));
        ensure!(is == must, OtherWork { is, must });
        Ok(reading)
    }
}

/// The work came to something else than it must.
#[derive(Debug, Error)]
#[error("the work came to {is}, and must come to {must}")]
pub struct OtherWork {
    is: u64,
    must: u64,
}

/// In a process of its own: what it starts, threads and runtimes too, is gone
/// when this returns.
fn alone(measure: fn(u64) -> Result<Reading>, number: u64) -> Result<Reading> {
    let process = Process::spawn(|| {
        ends_with_parent();
        adopts();
        alarm::set(PATIENCE);
        let reading = measure(number)?;
        // Whoever was left by a child that ended.
        while !matches!(waitpid(Pid::from_raw(-1), None), Err(Errno::ECHILD)) {}
        anyhow::Ok(reading)
    })?;
    process.join().map_err(|error| match error {
        JoinError::Killed { signal, .. }
            if signal.number() == libc::SIGALRM =>
        {
            too_slow()
        }
        JoinError::Failed { message, .. } => anyhow!(message),
        error => error.into(),
    })
}

fn in_python(task: &str, number: u64, sizes: &[u64]) -> Result<Reading> {
    let output = peer(task, number, sizes)
        .output()
        .context("cannot run python3; `apt install python3` installs it")?;
    if output.status.signal() == Some(libc::SIGALRM) {
        return Err(too_slow());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", last(&told));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A task of peer.py as a process that serves; it tells its port first.
pub fn serving_peer(task: &str) -> Result<(Child, u16)> {
    let mut child = peer(task, 0, &[]).spawn().context("cannot run python3")?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if let Ok(port) = line.trim().parse() {
        return Ok((child, port));
    }
    let _ = child.kill();
    let mut told = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut told)?;
    }
    child.wait()?;
    bail!("{}", last(&told))
}

fn peer(task: &str, number: u64, sizes: &[u64]) -> Command {
    let mut command = Command::new(python());
    command.arg(PEER).arg(task).arg(PATIENCE.to_string());
    command.arg(number.to_string());
    command.args(sizes.iter().map(u64::to_string));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The Python for which `just python` has installed what the peer imports.
pub fn python() -> String {
    let installed = Path::new(INSTALLED).exists();
    if installed { INSTALLED } else { "python3" }.to_owned()
}

fn too_slow() -> anyhow::Error {
    anyhow!("given up after {PATIENCE} s")
}

/// What a Python program says last is what went wrong.
fn last(told: &str) -> String {
    told.lines().last().unwrap_or("peer.py said nothing").to_owned()
}

/// From now on this process is killed when its parent ends. (A daemon of
/// `shared::process` is too, and may have no children.)
#[expect(unsafe_code, reason = "nix has no call for it without a feature")]
pub fn ends_with_parent() {
    // SAFETY: it takes a number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// From now on children of children that end become this process's.
#[expect(unsafe_code, reason = "nix has no call for it without a feature")]
fn adopts() {
    // SAFETY: it takes a number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
}
