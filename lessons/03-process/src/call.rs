//! What a call is, beside a start.

use shared::Stage;
use shared::lesson::{differs_from, equals};
use shared::process::{Process, current};

/// The same job is called once and started once. In which process is it done?
///
/// - [ ] each time in a new one
/// - [ ] each time in this one: it is the same function
/// - [x] called in this one, started in another one
pub fn called_not_started(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let job = || current().pid();
    let (me, called) = (current().pid(), job());
    let started = Process::spawn(job)?.join()?;
    parent.note("my pid", me);
    parent.note("called", called);
    parent.note("started", started);
    stage.claim("called: in this one", called, equals(me));
    stage.claim("started: in another one", started, differs_from(me));
    Ok(())
}
