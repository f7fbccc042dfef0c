//! How long it takes, and what more threads bring.

use crate::addresses::{known, not_asked_for};
use crate::local::{Meet, open};
use crate::options::Options;
use crate::row::Row;
use crate::told::complete;
use crate::{ask, share};
use shared::Stage;
use shared::lesson::at_most;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// How many look-ups, one after the other, take as long as all of them took.
pub fn in_look_ups(stage: &Stage) -> shared::Result<f64> {
    let trace = stage.trace()?;
    let (asked, extent) = (trace.count("waits"), trace.extent("waits"));
    Ok(asked as f64 * extent.div_duration_f64(trace.total("waits")))
}

/// Three threads, six, twelve, 24, 48. Do twice as many always take half the
/// time?
///
/// - [ ] yes: they only wait
/// - [ ] yes, up to the number of cores
/// - [x] no: 48 have no more to do than 24
pub fn how_many_pay(stage: &Stage) -> shared::Result {
    if stage.options::<Options>().url.is_some() {
        let why = "the service of --url is not asked for that";
        stage.cannot_show("how many threads pay", why);
        return Ok(());
    }
    not_asked_for(stage);
    // Three cannot wait for 24.
    let (_site, service) = open(stage, Meet(1))?;
    let main = stage.track("main");
    main.say("24 look-ups each time");
    let mut had_one = BTreeSet::new();
    for number in [3, 6, 12, 24, 48] {
        let threads = Mutex::new(BTreeSet::new());
        stage.measure(&format!("threads: {number}"), 1, || {
            let mut rows = known();
            share(stage, &mut rows, number, |thread, row| {
                ask(thread, &service, row);
                let threads = threads.lock();
                let mut threads =
                    threads.unwrap_or_else(PoisonError::into_inner);
                threads.insert(thread.name().to_owned());
            });
            Ok(in_short(&rows))
        })?;
        had_one = threads.into_inner().unwrap_or_default();
    }
    main.record("of 48, had an address", Vec::from_iter(had_one.clone()));
    let text = "of 48 threads had an address: at most 24";
    stage.claim(text, had_one.len(), at_most(24));
    Ok(())
}

/// How many rows have a place, and how many letters these places have.
fn in_short(rows: &[Row]) -> [usize; 2] {
    let places = rows.iter().filter_map(|row| row.place.as_ref().ok());
    let letters = places.map(|place| place.to_string().chars().count());
    [complete(rows), letters.sum()]
}
