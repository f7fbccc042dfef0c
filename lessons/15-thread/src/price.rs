//! What it costs to make a process, and a thread.

use nix::sys::resource::UsageWho::{RUSAGE_CHILDREN, RUSAGE_SELF};
use nix::sys::resource::getrusage;
use shared::Stage;
use shared::lesson::at_least;
use shared::process::Process;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// A hundred processes against a hundred threads. What does each of them cost,
/// in time and in pages of memory?
///
/// - [ ] as many pages: each has a stack
/// - [x] a process has more pages mapped for it than a thread
/// - [ ] a thread has more: its stack has 2 MiB
pub fn price(stage: &Stage) -> shared::Result {
    let main = stage.track("main");
    let begin = pages()?;
    stage.measure("a process", 100, hundred_processes)?;
    let between = pages()?;
    stage.measure("a thread", 100, hundred_threads)?;
    let (processes, threads) = (between - begin, pages()? - between);
    main.note("pages mapped for the processes", processes);
    main.note("pages mapped for the threads", threads);
    let text = "a process has more pages mapped";
    stage.claim(text, processes, at_least(threads + 1));
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

/// How many pages were mapped so far for this process and its children, each
/// when it was first touched: a new one, a copy of its own, or one that others
/// have too, as those of the program's file.
fn pages() -> nix::Result<i64> {
    let usages = [getrusage(RUSAGE_SELF)?, getrusage(RUSAGE_CHILDREN)?];
    Ok(usages.iter().map(|usage| usage.minor_page_faults()).sum())
}
