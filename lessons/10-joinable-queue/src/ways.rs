//! How many workers pay.

use crate::crew::{Crew, Desk};
use crate::list::List;
use crate::{fetch_all, join};
use shared::Stage;
use shared::lesson::{at_least, at_most, below};

/// Fetching is mostly waiting. How many workers are worth it: one, one for
/// each core, one for each page?
pub fn how_many_workers(stage: &Stage) -> shared::Result {
    let (_site, list) = List::read(stage, [])?;
    let parent = stage.track("parent");
    let all = list.addresses.len();
    let ways =
        [("one by one", 1), ("together", list.workers), ("all at once", all)];
    for (way, workers) in ways {
        let (worker, desk) = (stage.track(way), Desk::filled(&list)?);
        parent.say(format!("{way}, workers: {workers}"));
        let mut crew = Crew::start(workers, &parent, &desk, || {
            fetch_all(&worker, way, &desk)
        })?;
        join(&mut crew)?;
        crew.dismiss()?;
    }
    // How long it all took, as a part of the sum of all fetches.
    let trace = stage.trace()?;
    let part = |way| trace.extent(way).div_duration_f64(trace.total(way));
    stage.claim(
        "one by one, as a part of the sum of fetches: 1 or more",
        part("one by one"),
        at_least(1.0),
    );
    for (way, _) in ways {
        stage.figure(way, trace.extent(way).as_secs_f64())?;
    }
    if !list.ours || list.workers < 2 || all < 6 {
        let why = "it takes the local site, two workers and six pages";
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
