//! How cost grows: with more workers, items, sleepers, clients, and with more
//! processes at one lock.
//!
//! Each figure is taken in a process of its own, all in turn, several times;
//! the medians become tables, and curves in pictures.

use anyhow::{Result, bail};
use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit, setrlimit};
use shared::machine::Machine;
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

mod clients;
mod curve;
mod family;
mod growth;
mod items;
mod locks;
mod memory;
mod page;
mod picture;
mod reading;
mod server;
mod sleepers;
mod unit;
mod workers;

use family::Family;
use growth::Growth;

/// How often each figure is taken, unless the environment says otherwise
/// (`BENCH_ROUNDS`). Once is for a look: fewer points are taken then.
const ROUNDS: usize = 5;
/// No round begins that would probably end later than this, on a machine that
/// is too busy, unless so many rounds were asked for.
const PATIENCE: Duration = Duration::from_secs(240);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all went well.
fn run() -> Result<bool> {
    let asked = env::var("BENCH_ROUNDS").ok();
    let patience = if asked.is_some() { Duration::MAX } else { PATIENCE };
    let rounds = asked.map_or(Ok(ROUNDS), |text| text.parse());
    let Ok(rounds @ 1..) = rounds else {
        bail!("BENCH_ROUNDS is to be a number from 1 on");
    };
    let wanted = env::args().skip(1).find(|word| !word.starts_with('-'));
    let families = chosen(wanted.as_deref())?;
    // Clients and their servers need many; fewer than that are told below.
    if let Ok((_, hard)) = getrlimit(RLIMIT_NOFILE) {
        let _ = setrlimit(RLIMIT_NOFILE, hard, hard);
    }
    let machine = Machine::read(&reading::python());
    println!("{machine}\n");
    if machine.is_busy() {
        println!("others are at work (load {:.1})\n", machine.load);
    }
    let (grown, rounds) = take(&families, rounds, patience);
    for growth in &grown {
        println!("{}", growth.shown());
    }
    page::write(&target(), &machine, rounds, wanted.as_deref(), &grown)?;
    Ok(grown.iter().all(Growth::is_sound))
}

/// All, or the one that is asked for.
fn chosen(wanted: Option<&str>) -> Result<Vec<Family>> {
    let mut families = vec![
        workers::squares(),
        workers::primes(),
        items::family(),
        sleepers::family(),
        clients::family(),
        locks::family(),
    ];
    if let Some(wanted) = wanted {
        let names: Vec<_> = families.iter().map(|family| family.name).collect();
        if !names.contains(&wanted) {
            bail!("nothing called `{wanted}` grows; {} do", names.join(", "));
        }
        families.retain(|family| family.name == wanted);
    }
    Ok(families)
}

/// Takes all figures, a round after the other; and how many there were.
fn take(
    families: &[Family],
    rounds: usize,
    patience: Duration,
) -> (Vec<Growth<'_>>, usize) {
    let grown = families.iter().map(|it| Growth::new(it, rounds == 1));
    let mut grown: Vec<_> = grown.collect();
    let began = Instant::now();
    for round in 1..=rounds {
        for growth in &mut grown {
            eprintln!("round {round} of {rounds}: {}", growth.family.name);
            growth.round();
        }
        let each = began.elapsed() / round as u32;
        if round < rounds && began.elapsed() + each > patience {
            eprintln!("no more rounds: each takes {:.0} s", each.as_secs_f64());
            return (grown, round);
        }
    }
    (grown, rounds)
}

/// Cargo's target folder.
fn target() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp).to_owned()
}
