//! The end of a thread, and its way there.

use crate::task::{ASLEEP, GONE, RUNNABLE, Task, start};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use shared::Stage;
use shared::lesson::equals;
use shared::process::Process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

/// A thread has ended, and a process. What is left of each?
///
/// - [ ] nothing of either
/// - [x] of the thread nothing, of the process a zombie
/// - [ ] a zombie of each, until somebody waits for it
pub fn ended(stage: &Stage) -> shared::Result {
    let (main, worker) = (stage.track("main"), stage.track("worker"));
    let task = thread::scope(|scope| {
        start(scope, || worker.span("runs", || worker.pause(0.5)))
    });
    main.note("a thread that was joined", task.until(GONE).to_string());
    let child = stage.track("child");
    let process = Process::spawn(|| child.span("runs", || child.pause(0.5)))?;
    let pid = process.pid();
    // Returns when the child has ended, and leaves it as it is.
    let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    waitid(Id::Pid(Pid::from_raw(pid as i32)), ended)?;
    let task = Task::main_of(pid);
    main.note("a process that has ended", task.state().to_string());
    process.join()?;
    main.note("and was waited for", task.state().to_string());
    for (what, letter) in [
        ("a thread that was joined", "-"),
        ("a process that has ended", "Z"),
        ("and was waited for", "-"),
    ] {
        let found: String = main.noted(what)?;
        stage.claim(what, found, equals(letter.to_owned()));
    }
    Ok(())
}

/// A worker counts, waits for a lock, counts again and ends. Which letters
/// does it have, one after another?
///
/// - [ ] R all the time: to wait for a lock is work
/// - [x] R, S, R, and then none
/// - [ ] R, S, R, and then Z
pub fn life(stage: &Stage) -> shared::Result {
    let (main, worker) = (stage.track("main"), stage.track("worker"));
    let (lock, enough) = (Mutex::new(()), AtomicBool::new(false));
    let count = || while !enough.swap(false, Relaxed) {};
    let mut letters = vec![];
    let task = thread::scope(|scope| {
        let held = (lock.lock(), main.begin("holds the lock"));
        let task = start(scope, || {
            worker.span("counts", count);
            let _guard = worker.span("waits", || lock.lock());
            worker.span("counts", count);
        });
        let mut see = |state| {
            let letter = task.until(state);
            main.note("letter", letter.to_string());
            letters.push(letter);
            main.pause(1.0);
        };
        see(RUNNABLE);
        enough.store(true, Relaxed);
        see(ASLEEP);
        drop(held);
        see(RUNNABLE);
        enough.store(true, Relaxed);
        task
    });
    letters.push(task.until(GONE));
    main.note("letter", letters[3].to_string());
    stage.drawing(&picture(letters[0], letters[1], letters[3]));
    stage.claim("its letters", letters, equals(vec!['R', 'S', 'R', '-']));
    Ok(())
}

/// The states with the letters that were read.
fn picture(ready: char, asleep: char, gone: char) -> String {
    format!(
        "       new
        |
        | spawn
        v
   runnable {ready} <----------+
     |    ^              |
 its |    | its          |
turn |    | time is up   | what it
     v    |              | waits for
   running {ready}             | is there
     |    |              |
     |    | waits        |
     |    v              |
     |  blocked {asleep} -------+
     |
     | returns
     v
   ended {gone}"
    )
}
