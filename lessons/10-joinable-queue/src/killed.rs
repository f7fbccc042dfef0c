//! A worker that dies with a page in its hand.

use crate::crew::{Crew, Desk, PATIENCE};
use crate::fetch_all;
use crate::list::{List, short};
use anyhow::{bail, ensure};
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Event, Process, QueueError};
use std::time::Duration;

/// A worker is killed with a page in its hand. How long does join wait, and how
/// does anybody know which page it was?
pub fn with_a_page(stage: &Stage) -> shared::Result {
    let (_site, list) = List::read(stage, [])?;
    let (parent, victim) = (stage.track("parent"), stage.track("victim"));
    let (worker, desk) = (stage.track("worker"), Desk::filled(&list)?);
    let (in_hand, never) = (Event::new()?, Event::new()?);
    let dying = Process::builder().name("the victim").daemon(true);
    let dying = dying.spawn(|| {
        let address = desk.pages.get()?;
        victim.note("takes", short(&address));
        in_hand.set();
        victim.span("fetches", || never.wait());
        Ok::<_, QueueError>(())
    })?;
    ensure!(in_hand.wait_timeout(PATIENCE), "the victim took no page");
    let crew = Crew::start(list.workers, &parent, &desk, || {
        fetch_all(&worker, "fetches", &desk)
    })?;
    parent.pause(0.5);
    dying.kill()?;
    // Of a killed child, `join` returns no answer, but how it died.
    let Err(death) = dying.join() else { bail!("the victim was not killed") };
    parent.say(death.to_string());
    crew.until_all_ended()?; // so whoever lives has done what there was
    let patience = stage.time(1.0);
    let joined = parent.span("waits", || desk.pages.join_timeout(patience));
    parent.note("join has returned", joined);
    let visits = desk.visits();
    let lost = list.not_in(&visits);
    parent.note("no result", lost.as_slice());
    for _ in &lost {
        desk.pages.task_done()?; // in the name of the dead
    }
    let joined_now = desk.pages.join_timeout(Duration::ZERO);
    parent.note("join returns now", joined_now);
    crew.dismiss()?;

    stage.claim("join waits for the dead", joined, equals(false));
    let rest = list.addresses.len() - 1;
    stage.claim("done by the others: the rest", visits.len(), equals(rest));
    let held: String = stage.trace()?.noted("victim", "takes")?;
    stage.claim("lost: the page in its hand", lost, equals(vec![&*held]));
    stage.claim("counted as done: join returns", joined_now, equals(true));
    Ok(())
}
