//! The beginning of a thread.

use crate::task::Task;
use anyhow::Context;
use shared::Stage;
use shared::lesson::equals;
use std::process;
use std::sync::mpsc::channel;
use std::thread::Builder;

/// A thread is described, and not started yet. Does the system know of it?
///
/// - [ ] yes: it has S, as one that sleeps
/// - [x] no: there is none until it is started
/// - [ ] yes: it has a letter for what is new
pub fn new(stage: &Stage) -> shared::Result {
    let (main, worker) = (stage.track("main"), stage.track("worker"));
    let before = Task::all(process::id())?;
    let more = || {
        let mut now = Task::all(process::id())?;
        now.retain(|task| !before.contains(task));
        shared::Result::Ok(now.len())
    };
    let builder = Builder::new().name("worker".to_owned());
    let (leave, wait) = channel::<()>();
    let body = move || worker.span("waits", || wait.recv());
    main.pause(0.5);
    let described = more()?;
    main.note("described: more threads", described);
    let thread = builder
        .spawn(body)
        .context("cannot make a thread; raise the limit with `ulimit -u N`")?;
    let started = more()?;
    main.note("started: more threads", started);
    main.pause(0.5);
    drop(leave);
    let _ = thread.join();
    stage.claim("described: more threads", described, equals(0));
    stage.claim("started: more threads", started, equals(1));
    Ok(())
}
