//! A worker that dies with a page in its hand.

use crate::crew::{Crew, Desk, PATIENCE, too_late};
use crate::fetch_all;
use crate::list::{List, short};
use anyhow::{bail, ensure};
use shared::lesson::equals;
use shared::process::{Event, Process, QueueError};
use shared::{Stage, Track};
use std::time::Duration;

/// A worker is killed with a page in its hand. How long does join wait, and how
/// does anybody know which page it was?
///
/// - [ ] not at all: the system puts the page back, another takes it
/// - [ ] not at all: who is dead does not count; nobody knows
/// - [x] until task_done is said for it; it is the one without a result
pub fn with_a_page(stage: &Stage) -> shared::Result {
    let (_site, list) = List::read(stage, [])?;
    let (parent, victim) = (stage.track("parent"), stage.track("victim"));
    let (worker, desk) = (stage.track("worker"), Desk::filled(&list)?);
    let dying = takes_a_page(&victim, &desk)?;
    let crew = Crew::start(list.workers, &parent, &desk, || {
        fetch_all(&worker, "fetches", &desk)
    })?;
    parent.pause(0.5);
    parent.say(kill(dying)?);
    parent.span("waits", || crew.dismiss())?; // the others do what there is
    let patience = stage.time(1.0);
    parent.mark("joins");
    let joined = parent.span("waits", || desk.pages.join_timeout(patience));
    parent.note(&format!("join has returned within {patience:?}"), joined);
    let visits = desk.visits();
    let lost = list.not_in(&visits);
    parent.note("no result", lost.as_slice());
    for page in &lost {
        desk.pages.task_done()?; // in the name of the dead
        parent.note("task_done is said for", *page);
    }
    let joined_now = desk.pages.join_timeout(Duration::ZERO);
    parent.note("join returns now", joined_now);
    stage.claim("join waits for the dead", joined, equals(false));
    let rest = list.addresses.len() - 1;
    stage.claim("done by the others: the rest", visits.len(), equals(rest));
    let held: String = stage.trace()?.noted("victim", "takes")?;
    stage.claim("lost: the page in its hand", lost, equals(vec![&*held]));
    stage.claim("counted as done: join returns", joined_now, equals(true));
    Ok(())
}

/// A worker that takes a page, and never has it.
fn takes_a_page(victim: &Track, desk: &Desk) -> shared::Result<Process<()>> {
    let (in_hand, never) = (Event::new()?, Event::new()?);
    let dying = Process::builder().name("the victim").daemon(true);
    let dying = dying.spawn(|| {
        let address = desk.pages.get()?;
        victim.note("takes", short(&address));
        in_hand.set();
        victim.span("fetches", || never.wait());
        Ok::<_, QueueError>(())
    })?;
    let taken = in_hand.wait_timeout(PATIENCE);
    ensure!(taken, too_late("the victim took no page"));
    Ok(dying)
}

/// Returns how it died: `join` of a killed child has no answer.
fn kill(dying: Process<()>) -> shared::Result<String> {
    dying.kill()?;
    let Err(death) = dying.join() else {
        bail!("the victim ended before it was killed; run it again")
    };
    Ok(death.to_string())
}
