//! What it costs to make a process, and a thread.

use nix::sys::resource::UsageWho::{RUSAGE_CHILDREN, RUSAGE_SELF};
use nix::sys::resource::getrusage;
use shared::Stage;
use shared::lesson::at_least;
use shared::process::Process;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// A hundred processes against a hundred threads. What does each of them cost,
/// in time and in memory?
///
/// - [ ] in memory the same: each has a stack
/// - [x] in memory a process costs more than a thread
/// - [ ] in memory a thread costs more: its stack has 2 MiB
pub fn price(stage: &Stage) -> shared::Result {
    let main = stage.track("main");
    let begin = pages()?;
    stage.measure("a process", 100, hundred_processes)?;
    let between = pages()?;
    stage.measure("a thread", 100, hundred_threads)?;
    let (processes, threads) = (between - begin, pages()? - between);
    main.note("new pages for the processes", processes);
    main.note("new pages for the threads", threads);
    stage.claim("a process takes more memory", processes, at_least(threads));
    Ok(())
}

/// How many of a hundred ended well.
fn hundred_processes() -> shared::Result<usize> {
    let started = (0..100).map(|_| Process::spawn(|| ()));
    let started: Vec<_> = started.collect::<Result<_, _>>()?;
    let joined = started.into_iter().map(Process::join);
    Ok(joined.filter(Result::is_ok).count())
}

/// How many of a hundred have run.
fn hundred_threads() -> shared::Result<usize> {
    let ran = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| ran.fetch_add(1, Relaxed));
        }
    });
    Ok(ran.into_inner())
}

/// How many pages of memory this process and its children were given anew: at
/// the first touch, or as their own copy.
fn pages() -> nix::Result<i64> {
    let usages = [getrusage(RUSAGE_SELF)?, getrusage(RUSAGE_CHILDREN)?];
    Ok(usages.iter().map(|usage| usage.minor_page_faults()).sum())
}
