//! How it is told what was found, what is stored, and what is not.

use crate::place::Place;
use crate::store::{Missing, Row, Store};
use anyhow::ensure;
use shared::{Stage, Track};
use std::collections::HashSet;
use std::net::IpAddr;

/// A table has no more rows than these; what is beyond is counted.
const SHOWN: usize = 24;

/// What came of a look-up.
pub fn looked_up(track: &Track, place: &Result<Place, String>) {
    match place {
        Ok(place) => {
            track.say(&place.city);
            let [city, country] = [&place.city, &place.country];
            let place =
                [("city", city.as_str()), ("country", country.as_str())];
            track.mark_with("found", place.map(|(key, v)| (key, v.into())));
        }
        Err(why) => {
            track.say(why);
            track.mark_with("fails", [("why", why.as_str().into())]);
        }
    }
}

/// What is in the table of these addresses, read back and recorded.
///
/// # Errors
/// When the database does not say.
pub async fn rows_of(
    stage: &Stage,
    store: &Store,
    addresses: &[IpAddr],
) -> shared::Result<Vec<Row>> {
    let reader = stage.coroutine_track("reader");
    let open = reader.begin("reads");
    let rows = store.rows(addresses).await?;
    drop(open);
    let cells: Vec<_> =
        rows.iter().map(|(_, ip, city, country)| [ip, city, country]).collect();
    reader.record("rows", serde_json::json!(cells));
    Ok(rows)
}

/// Shows what is not stored and what is; returns what is. A row of an earlier
/// run is not taken for one of this run.
///
/// # Errors
/// When they could not be read.
pub fn table(
    stage: &Stage,
    missing: &[Missing],
    rows: shared::Result<Vec<Row>>,
) -> shared::Result<Vec<Row>> {
    let ips: HashSet<String> =
        missing.iter().map(|row| row.ip.to_string()).collect();
    let rows = rows.map(|rows| {
        let earlier = |row: &Row| ips.contains(&row.1);
        rows.into_iter().partition::<Vec<_>, _>(earlier)
    });
    if !missing.is_empty() {
        let earlier = rows.as_ref().map_or(&[][..], |(earlier, _)| earlier);
        let cells = missing.iter().take(SHOWN).map(|Missing { ip, why }| {
            let ip = ip.to_string();
            let why = match earlier.iter().any(|row| row.1 == ip) {
                true => format!("{why}; an earlier row stays"),
                false => why.clone(),
            };
            [ip, why]
        });
        stage.table(["not stored", "because"], cells);
        more(stage, missing.len());
    }
    let (_, rows) = rows.map_err(|error| match missing.len() {
        0 => error,
        number => error.context(format!("{number} are not stored")),
    })?;
    let cells = rows.iter().take(SHOWN).cloned();
    let cells = cells
        .map(|(id, ip, city, country)| [id.to_string(), ip, city, country]);
    stage.table(["id", "ip", "city", "country"], cells);
    more(stage, rows.len());
    Ok(rows)
}

fn more(stage: &Stage, number: usize) {
    if let Some(more @ 1..) = number.checked_sub(SHOWN) {
        stage.track("table").say(format!("and {more} more"));
    }
}

/// The ids of these rows.
pub fn ids(rows: &[Row]) -> Vec<i64> {
    rows.iter().map(|(id, ..)| *id).collect()
}

/// Whether everything is stored.
///
/// # Errors
/// When something is not.
pub fn finish(missing: &[Missing], addresses: &[IpAddr]) -> shared::Result {
    let (number, all) = (missing.len(), addresses.len());
    let first = missing.first();
    let first = first.map(|row| format!("{}: {}", row.ip, row.why));
    ensure!(
        number == 0,
        "{number} of {all} addresses are not stored; mend that and run it \
         again, what is stored stays: the first is {}",
        first.unwrap_or_default()
    );
    Ok(())
}
