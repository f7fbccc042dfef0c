//! What can be wrong with a page, and with the count of what is done.

use crate::crew::{Crew, Desk, PATIENCE};
use crate::list::{List, short};
use crate::{fetch_all, join};
use anyhow::ensure;
use shared::Stage;
use shared::client::Limits;
use shared::lesson::equals;
use shared::process::{Event, JoinableQueue, Process, QueueError};
use shared::site::Fault;
use std::time::Duration;

const WRONG: [(&str, Fault); 7] = [
    ("/pages/2", Fault::NotFound),
    ("/pages/4", Fault::Cut),
    ("/pages/5", Fault::Garbled),
    ("/pages/7", Fault::Silent),
    ("/pages/8", Fault::Closed),
    ("/pages/10", Fault::Huge),
    ("/pages/11", Fault::Redirect),
];

/// Some pages are missing, broken, endless, or never come. What do the others
/// notice of it?
pub fn bad_pages(stage: &Stage) -> shared::Result {
    let wrong = WRONG.map(|(path, fault)| (path.to_owned(), fault));
    let (_site, mut list) = List::read(stage, wrong)?;
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    if list.ours {
        // A busy machine needs some time even for a page that comes at once.
        let least = Duration::from_millis(500);
        let time = stage.time(1.5).max(least);
        list.limits = Limits { time, bytes: 64 << 10, redirects: 2 };
    }
    let desk = Desk::filled(&list)?;
    let mut crew = Crew::start(list.workers, &parent, &desk, || {
        fetch_all(&worker, "fetches", &desk)
    })?;
    parent.span("waits", || join(&mut crew))?;
    crew.dismiss()?;
    let visits = desk.visits();
    list.show(&visits);
    let failed = visits.iter().filter(|visit| visit.page.is_err()).count();
    parent.note("pages that failed", failed);
    if !list.ours {
        stage.cannot_show("pages that fail", "the site is not ours");
        return Ok(());
    }
    let paths = list.addresses.iter().map(|address| short(address));
    let wrong = paths.filter(|path| WRONG.iter().any(|bad| bad.0 == *path));
    let wrong = wrong.count();
    stage.claim("failed: as many as were to", failed, equals(wrong));
    let (titles, rest) = (visits.len() - failed, list.addresses.len() - wrong);
    stage.claim("titles: of all the others", titles, equals(rest));
    Ok(())
}

/// Two pages, two workers, and one of them says task_done twice. When does join
/// return, and who is told?
pub fn once_too_often(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let (slow, hasty) = (stage.track("slow"), stage.track("hasty"));
    let (taken, go_on) = (Event::new()?, Event::new()?);
    let pages = JoinableQueue::bounded(2)?;
    pages.put(&1)?;
    pages.put(&2)?;
    let working = Process::builder().daemon(true).spawn(|| {
        let _page: u32 = pages.get()?;
        taken.set();
        slow.span("works", || go_on.wait());
        let told = pages.task_done().err().map(|error| error.to_string());
        slow.note("task_done", told.as_deref().unwrap_or("well"));
        Ok::<_, QueueError>(())
    })?;
    ensure!(taken.wait_timeout(PATIENCE), "nobody took a page");
    let hurrying = Process::builder().daemon(true).spawn(|| {
        let _page: u32 = pages.get()?;
        hasty.span("works", || hasty.pause(0.5));
        for time in ["once", "twice"] {
            hasty.say(format!("task_done, {time}"));
            pages.task_done()?;
        }
        Ok::<_, QueueError>(())
    })?;
    parent.span("waits", || pages.join());
    parent.say("join returns");
    parent.mark("join returns");
    parent.pause(0.5);
    go_on.set();
    hurrying.join()?;
    working.join()?;
    let trace = stage.trace()?;
    let returns = trace.find("parent", "join returns")?;
    let works = trace.spans_named("works");
    let at_it = works.filter(|work| (work.begin..work.end).contains(&returns));
    let at_it = at_it.count();
    stage.claim("join returns, pages not done", at_it, equals(1));
    let told: String = trace.noted("slow", "task_done")?;
    let refused = told.contains("more items than were put");
    stage.claim("the other worker's task_done: refused", refused, equals(true));
    Ok(())
}
