//! Threads that want to compute.

use crate::cores::{cores, keep_to, uninterrupted};
use crate::task::{PATIENCE, Task, start};
use shared::lesson::{at_least, equals};
use shared::{Stage, Track};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

/// Two busy threads have one core, so that only one can run. Do their letters
/// tell which? And if each has a core of its own?
///
/// - [ ] yes: who waits for the core has another letter; then none
/// - [x] no: both have R, with one core and with two
pub fn one_core(stage: &Stage) -> shared::Result {
    let cores = cores();
    let [core, ..] = cores[..] else {
        stage.cannot_show("who runs", "a thread may not choose its core");
        return Ok(());
    };
    let one = ["watcher", "worker"].map(|name| stage.track(name));
    let Some(seen) = look(one, [core, core])? else {
        stage.cannot_show("who runs", "others never leave the core alone");
        return Ok(());
    };
    stage.claim("who looks is running", seen.watcher, equals('R'));
    stage.claim("who has no core is runnable", seen.worker, equals('R'));
    stage.claim("and counts no further meanwhile", seen.counted, equals(0));
    let [core, other, ..] = cores[..] else {
        stage.cannot_show("two that run", "there is one core");
        return Ok(());
    };
    let two = ["watcher 2", "worker 2"].map(|name| stage.track(name));
    let Some(seen) = look(two, [core, other])? else {
        stage.cannot_show("two that run", "others never leave the core alone");
        return Ok(());
    };
    stage.claim("with a core of its own it runs", seen.worker, equals('R'));
    stage.claim("and counts on meanwhile", seen.counted, at_least(1));
    Ok(())
}

#[derive(Clone, Copy)]
struct Look {
    watcher: char,
    worker: char,
    /// How far the worker counted while the watcher looked.
    counted: u64,
}

/// A worker counts on its core, and a watcher on the same one or on another
/// looks at itself and at the worker, without being interrupted.
fn look(
    [watcher, worker]: [Track; 2],
    [mine, its]: [usize; 2],
) -> shared::Result<Option<Look>> {
    let (count, done) = (&AtomicU64::new(0), &AtomicBool::new(false));
    let (tell, told) = channel();
    thread::scope(|scope| {
        let task = start(scope, move || {
            let _ = tell.send(keep_to(its));
            worker.span("counts", || {
                while !done.load(Relaxed) {
                    count.fetch_add(1, Relaxed);
                }
            });
        });
        let looks = scope.spawn(move || {
            let kept = told.recv()?.and_then(|()| keep_to(mine));
            let seen =
                kept.map(|()| watch(&watcher, &task, count, mine != its));
            done.store(true, Relaxed); // also if there is nothing to be seen
            seen
        });
        looks.join().expect("it does not panic")
    })
}

/// What the watcher sees, and how far the worker counts meanwhile.
fn watch(
    watcher: &Track,
    worker: &Task,
    count: &AtomicU64,
    it_has_a_core: bool,
) -> Option<Look> {
    watcher.pause(1.0);
    while count.load(Relaxed) == 0 {
        watcher.pause(0.1);
    }
    let look = || {
        let before = count.load(Relaxed);
        let (me, it) = (Task::current().state(), worker.state());
        let counted = count.load(Relaxed) - before;
        Look { watcher: me, worker: it, counted }
    };
    let begin = Instant::now();
    let mut seen = uninterrupted(look);
    // Another program may just have had the worker's own core.
    while it_has_a_core
        && seen.is_some_and(|seen| seen.counted == 0)
        && begin.elapsed() < PATIENCE
    {
        watcher.pause(0.1);
        seen = uninterrupted(look);
    }
    let seen = seen?;
    watcher.note("my state", seen.watcher.to_string());
    watcher.note("the worker's", seen.worker.to_string());
    watcher.note("it counted", seen.counted);
    Some(seen)
}
