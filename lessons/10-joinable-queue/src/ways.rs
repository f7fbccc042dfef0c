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
        parent.say(format!("{way}: {workers}"));
        let mut crew = Crew::start(workers, &parent, &desk, || {
            fetch_all(&worker, way, &desk)
        })?;
        join(&mut crew)?;
        crew.dismiss()?;
    }
    let trace = stage.trace()?;
    for (way, _) in ways {
        stage.figure(way, trace.extent(way).as_secs_f64())?;
    }
    // How long it all took, as a part of the sum of all fetches.
    let part = |way| trace.extent(way).div_duration_f64(trace.total(way));
    let one = part("one by one");
    stage.claim("one by one: no less than the sum", one, at_least(1.0));
    if !list.ours || list.workers < 2 || all < 6 {
        let why = "it takes the local site, two workers and six pages";
        stage.cannot_show("how much sooner more are done", why);
        return Ok(());
    }
    stage.claim("together: less", part("together"), below(1.0));
    let most = part("all at once");
    stage.claim("all at once: at most half of it", most, at_most(0.5));
    Ok(())
}
