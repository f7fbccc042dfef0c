//! An event between two threads, one of which has only just been made.

use crate::Event;
use shared::Stage;
use shared::lesson::equals;
use std::sync::OnceLock;
use std::thread;

/// The new thread is held up before its first line, as a busy system may do.
/// spawn has returned. Has the thread begun? Who can tell?
///
/// - [ ] yes: else spawn would not return
/// - [ ] nobody can tell until it is joined
/// - [x] not always; an event tells when it has
pub fn really_started(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let (held_up, started) = (Event::new(), Event::new());
    let begun = OnceLock::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            // Any other program may keep a new thread from a core.
            held_up.wait();
            let _ = begun.set(child.hand_over("begins"));
            started.set();
            child.span("runs", || child.pause(1.0));
        });
        parent.note("begun when spawn returns", begun.get().is_some());
        held_up.set();
        started.wait();
        parent.note("begun when the event says so", begun.get().is_some());
        if let Some(arrow) = begun.get() {
            parent.take_over("knows", *arrow);
        }
    });
    let early = parent.noted("begun when spawn returns")?;
    stage.claim("spawn returns and it has not begun", early, equals(false));
    let late = parent.noted("begun when the event says so")?;
    stage.claim("the event comes and it has begun", late, equals(true));
    Ok(())
}

/// Two threads wake each other in turn. What does one turn cost?
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 5_000;
    let (there, back) = (Event::new(), Event::new());
    stage.measure("there and back", TIMES, || {
        let (mut came, mut answered) = (0, 0);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..TIMES {
                    there.wait();
                    there.clear();
                    came += 1;
                    back.set();
                }
            });
            for _ in 0..TIMES {
                there.set();
                back.wait();
                back.clear();
                answered += 1;
            }
        });
        Ok([came, answered])
    })?;
    Ok(())
}
