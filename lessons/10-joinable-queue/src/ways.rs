//! How many workers pay.

use crate::crew::{Crew, Desk};
use crate::list::List;
use crate::page::Visit;
use crate::{fetch_all, join};
use shared::Stage;
use shared::lesson::{at_least, at_most, below};

/// Pages are fetched by one worker, by one for each core, and by one for each
/// page. How many workers are worth it?
///
/// - [ ] one: all pages come over one line
/// - [ ] one for each core: whoever works needs a core
/// - [x] one for each page: whoever waits needs no core
pub fn how_many_workers(stage: &Stage) -> shared::Result {
    let (_site, list) = List::read(stage, [])?;
    let parent = stage.track("parent");
    let all = list.addresses.len();
    let ways =
        [("one by one", 1), ("together", list.workers), ("all at once", all)];
    let mut results = Vec::new();
    for (way, workers) in ways {
        let (worker, desk) = (stage.track(way), Desk::filled(&list)?);
        parent.say(format!("{way}, workers: {workers}"));
        let mut crew = Crew::start(workers, &parent, &desk, || {
            fetch_all(&worker, way, &desk)
        })?;
        join(&mut crew)?;
        crew.dismiss()?;
        results.push(in_sum(&desk.visits()));
    }
    // How long it all took, as a part of the sum of all fetches.
    let trace = stage.trace()?;
    let part = |way| trace.extent(way).div_duration_f64(trace.total(way));
    stage.claim(
        "one by one, as a part of the sum of fetches: 1 or more",
        part("one by one"),
        at_least(1.0),
    );
    for ((way, _), result) in ways.into_iter().zip(results) {
        stage.figure_of(result, way, trace.extent(way).as_secs_f64())?;
    }
    if !list.ours || list.workers < 2 || all < 6 {
        let why = "for that it takes the local site, two workers and six pages";
        stage.cannot_show("how much sooner more are done", why);
        return Ok(());
    }
    stage.claim(
        "together, as a part of the sum of fetches: less than 1",
        part("together"),
        below(1.0),
    );
    stage.claim(
        "all at once, as a part of the sum of fetches: half at most",
        part("all at once"),
        at_most(0.5),
    );
    Ok(())
}

/// What came of all visits.
fn in_sum(visits: &[Visit]) -> String {
    let (mut pages, mut bytes, mut letters) = (0, 0, 0);
    for page in visits.iter().filter_map(|visit| visit.page.as_ref().ok()) {
        pages += 1;
        bytes += page.bytes;
        letters += page.title.chars().count();
    }
    format!("{pages} pages, {bytes} bytes, titles of {letters} letters")
}
