//! Joinable queue: a work list that knows when it is done.
//!
//! Workers take pages out of a queue. The queue is empty: is the work done?

mod crew;
mod faults;
mod interrupt;
mod killed;
mod list;
mod page;
mod price;
mod ways;

use crew::{Crew, Desk, MOMENT};
use list::{List, Options};
use page::Visit;
use shared::client::Client;
use shared::lesson::{at_least, equals};
use shared::{Stage, Track, lesson};
use std::process::ExitCode;

fn main() -> ExitCode {
    lesson![
        until_all_is_done,
        ways::how_many_workers,
        faults::bad_pages,
        faults::once_too_often,
        killed::with_a_page,
        interrupt::interrupted,
        price::price; crew
    ]
    .with::<Options>()
    .run()
}

/// Pages are in a queue; a worker for each core takes them out and fetches
/// them. When the last one is taken out, how many pages are not done?
///
/// - [ ] none: the queue is empty then
/// - [ ] some or none, as luck will have it
/// - [x] one or more: those that are being fetched
fn until_all_is_done(stage: &Stage) -> shared::Result {
    let (_site, list) = List::read(stage, [])?;
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let desk = Desk::new(&list)?;
    for address in &list.addresses {
        desk.pages.put(address)?;
    }
    parent.note("pages in the queue", list.addresses.len());
    let mut crew = Crew::start(list.workers, &parent, &desk, || {
        fetch_all(&worker, "fetches", &desk)
    })?;
    parent.span("waits", || join(&mut crew))?;
    parent.mark("join returns");
    crew.dismiss()?;
    let visits = desk.visits();
    list.show(&visits);
    let (trace, all) = (stage.trace()?, list.addresses.len());
    let left: usize =
        trace.noted("worker", "not done when the queue is empty")?;
    stage.claim("the queue is empty: not done yet", left, at_least(1));
    let returns = trace.find("parent", "join returns")?;
    let done = trace.events()[..returns].iter();
    let done = done.filter(|event| event.name == "done").count();
    stage.claim("join returns: done, all of them", done, equals(all));
    parent.record("results", list::addresses(&visits));
    let right = list.with_one_result(&visits);
    stage.claim("exactly one result: all", right, equals(all));
    Ok(())
}

/// What a worker does until the queue is closed, or its parent ends.
fn fetch_all(worker: &Track, fetches: &str, desk: &Desk) -> shared::Result {
    let client = Client::new(desk.list.limits);
    for address in &desk.pages {
        // Of all workers the one that took the last page tells it.
        let last = desk.list.addresses.last() == Some(&address);
        if last && desk.pages.is_empty() {
            let left = desk.pages.unfinished();
            worker.note("not done when the queue is empty", left);
        }
        let page = worker.span(fetches, || page::fetch(&client, &address));
        if let Err(problem) = &page {
            worker.note(list::short(&address), problem.to_string());
        }
        worker.mark_with("done", [("page", list::short(&address).into())]);
        desk.results.put(&Visit { address, page })?;
        desk.pages.task_done()?;
    }
    Ok(())
}

/// Waits until task_done was said for every page. That takes for ever if a
/// worker has died, so it looks after them from time to time.
fn join(crew: &mut Crew) -> shared::Result {
    while !crew.desk.pages.join_timeout(MOMENT) {
        crew.end_if_interrupted()?;
        crew.all_alive()?;
    }
    Ok(())
}
