//! All lessons again and again, in a random order and two at a time, so fast
//! that hardly anything is left of their pauses: what happens once in a
//! thousand runs is to happen here.

use rand::rngs::{StdRng, SysRng};
use rand::seq::SliceRandom;
use rand::{SeedableRng, TryRng};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{env, fs, thread};
use testkit::Run;

/// So many run at the same time.
const AT_ONCE: usize = 2;
/// After so many it says how far it is.
const TELL: usize = 100;

/// Each as often as SOAK_TIMES says, once if it says nothing; in the order that
/// SOAK_SEED makes, which is told.
#[test]
fn each_run_ends_well_and_leaves_nothing() {
    let times = number("SOAK_TIMES").unwrap_or(1);
    assert!(times > 0, "SOAK_TIMES=0 runs nothing");
    let seed = number("SOAK_SEED").unwrap_or_else(|| {
        SysRng.try_next_u64().expect("the system has random numbers")
    });
    let mut programs: Vec<PathBuf> = Vec::new();
    for _ in 0..times {
        programs.extend(lessons());
    }
    programs.shuffle(&mut StdRng::seed_from_u64(seed));
    let all = programs.len();
    println!("{all} runs, {AT_ONCE} at a time, SOAK_SEED={seed}");

    let began = Instant::now();
    let left = Mutex::new(programs.into_iter());
    let failed = Mutex::new(Vec::new());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let ended_so_far = AtomicUsize::new(0);
    let run = || {
        while let Some(program) = next() {
            let ended = catch_unwind(|| {
                let path = program.to_str().expect("a name in UTF-8");
                Run::program(path, &["--speed", "50"]).end().well();
            });
            // What was wrong has been said where it was found.
            if ended.is_err() {
                println!("that was {}", program.display());
                let mut failed =
                    failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.push(program);
            }
            let so_far = 1 + ended_so_far.fetch_add(1, Relaxed);
            if so_far.is_multiple_of(TELL) {
                println!("{so_far} of {all}");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(run);
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{all} runs, {} failed, {:.0} s",
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    assert!(failed.is_empty(), "of {all} runs failed: {failed:#?}");
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: no number")))
}

/// The programs of all lessons, beside that of this test.
fn lessons() -> Vec<PathBuf> {
    let me = env::current_exe().expect("this program has a place");
    let built = me.parent().and_then(Path::parent).expect("two folders up");
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lessons");
    let folders = fs::read_dir(folders).expect("there are lessons");
    let names = folders.filter_map(|folder| {
        let name = folder.expect("they can be read").file_name();
        let (number, package) = name.to_str()?.split_once('-')?;
        number.parse::<u32>().ok()?;
        let program = built.join(package);
        assert!(program.is_file(), "{program:?}: `cargo build --workspace`");
        Some(program)
    });
    names.collect()
}
