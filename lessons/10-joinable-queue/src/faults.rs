//! What can be wrong with a page, and with the count of what is done.

use crate::crew::{Crew, Desk, PATIENCE, too_late};
use crate::list::{List, short};
use crate::page::Visit;
use crate::{fetch_all, join};
use anyhow::ensure;
use shared::client::Limits;
use shared::lesson::equals;
use shared::process::{Event, JoinableQueue, Process, QueueError};
use shared::site::{Fault, Site};
use shared::{Stage, Track};
use std::time::Duration;

/// What is wrong with which page, and the reason that is to be told for it.
const WRONG: [(&str, Fault, &str); 7] = [
    ("/pages/2", Fault::NotFound, "404 Not Found"),
    ("/pages/4", Fault::Cut, "the connection ended early"),
    ("/pages/5", Fault::Garbled, "half a page: <html> has no end"),
    ("/pages/7", Fault::Silent, "no answer in time"),
    ("/pages/8", Fault::Closed, "the connection ended early"),
    ("/pages/10", Fault::Huge, "more than 65536 bytes"),
    ("/pages/11", Fault::Redirect, "too many redirects"),
];

/// Some pages are missing, broken, endless, or never come. What do the others
/// notice of it?
///
/// - [x] nothing: all other pages come
/// - [ ] they wait for the one that never comes
/// - [ ] whoever meets such a page is lost, and so are its next pages
pub fn bad_pages(stage: &Stage) -> shared::Result {
    let (_site, list) = bad_list(stage)?;
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let desk = Desk::filled(&list)?;
    let mut crew = Crew::start(list.workers, &parent, &desk, || {
        fetch_all(&worker, "fetches", &desk)
    })?;
    parent.span("waits", || join(&mut crew))?;
    crew.dismiss()?;
    let visits = desk.visits();
    list.show(&visits);
    let failed = failed(&visits);
    parent.note("pages that failed", failed.len());
    if !list.ours {
        stage.cannot_show("pages that fail", "the site is not ours");
        return Ok(());
    }
    stage.claim(
        "failed, each for its own reason: all",
        failed.iter().filter(|one| wrong_of(&list).contains(one)).count(),
        equals(wrong_of(&list).len()),
    );
    let titles = visits.len() - failed.len();
    let rest = list.addresses.len() - wrong_of(&list).len();
    stage.claim("titles: of all the others", titles, equals(rest));
    Ok(())
}

/// The list of a site where pages are wrong. Of our own one only so much is
/// taken, in so much time.
fn bad_list(stage: &Stage) -> shared::Result<(Option<Site>, List<'_>)> {
    let wrong = WRONG.map(|(path, fault, _)| (path.to_owned(), fault));
    let (site, mut list) = List::read(stage, wrong)?;
    if list.ours {
        // A busy machine needs some time even for a page that comes at once.
        let least = Duration::from_secs(1);
        let time = stage.time(1.5).max(least);
        list.limits = Limits { time, bytes: 64 << 10, redirects: 2 };
    }
    Ok((site, list))
}

/// What is wrong of what is to be fetched, and the reasons for it.
fn wrong_of(list: &List) -> Vec<(String, String)> {
    let listed = |path| list.addresses.iter().any(|page| short(page) == path);
    let wrong = WRONG.iter().filter(|(path, ..)| listed(*path));
    wrong.map(|(path, _, why)| (path.to_string(), why.to_string())).collect()
}

/// What has failed, and the reasons that were told.
fn failed(visits: &[Visit]) -> Vec<(String, String)> {
    let failed = visits.iter().filter_map(|visit| {
        let why = visit.page.as_ref().err()?;
        Some((short(&visit.address).to_owned(), why.to_string()))
    });
    failed.collect()
}

/// Two pages, two workers, and one of them says task_done twice. When does join
/// return, and who is told?
///
/// - [x] with one page not done; the other worker is told
/// - [ ] when both are done; the hasty one is told
/// - [ ] when both are done; nobody is told
pub fn once_too_often(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let (slow, hasty) = (stage.track("slow"), stage.track("hasty"));
    let (taken, go_on) = (Event::new()?, Event::new()?);
    let pages = JoinableQueue::bounded(2)?;
    [1, 2].iter().try_for_each(|page| pages.put(page))?;
    let daemon = || Process::builder().daemon(true);
    let working = daemon().spawn(|| is_slow(&slow, &pages, &taken, &go_on))?;
    ensure!(taken.wait_timeout(PATIENCE), too_late("no worker took a page"));
    let hurrying = daemon().spawn(|| says_it_twice(&hasty, &pages))?;
    parent.span("waits", || pages.join());
    parent.say("join returns");
    parent.mark("join returns");
    parent.pause(0.5);
    go_on.set();
    hurrying.join()?;
    working.join()?;
    let trace = stage.trace()?;
    let returns = trace.find("parent", "join returns")?;
    let at_it = trace
        .spans_named("works")
        .filter(|work| (work.begin..work.end).contains(&returns));
    stage.claim("pages not done when join returns", at_it.count(), equals(1));
    let told: String = trace.noted("slow", "hears")?;
    let refused = told.contains("more items than were put");
    stage.claim("the other worker's task_done: refused", refused, equals(true));
    Ok(())
}

type Pages = JoinableQueue<u32>;

fn says_it_twice(hasty: &Track, pages: &Pages) -> Result<(), QueueError> {
    let _page = pages.get()?;
    hasty.span("works", || hasty.pause(0.5));
    for time in ["once", "twice"] {
        hasty.say(format!("task_done, {time}"));
        pages.task_done()?;
        hasty.note("hears", "no error");
    }
    Ok(())
}

fn is_slow(
    slow: &Track,
    pages: &Pages,
    taken: &Event,
    go_on: &Event,
) -> Result<(), QueueError> {
    let _page = pages.get()?;
    taken.set();
    slow.span("works", || go_on.wait());
    slow.say("task_done");
    match pages.task_done() {
        Ok(()) => slow.note("hears", "no error"),
        Err(error) => slow.note("hears", error.to_string()),
    }
    Ok(())
}
