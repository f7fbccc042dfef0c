//! IP database: look up and store.
//!
//! Ten coroutines ask in which city an address is, and a table is to keep what
//! they find. Who writes it there, and what if all of it is done once more?

mod addresses;
mod connect;
mod engine;
mod faults;
mod options;
mod place;
mod price;
mod quotes;
mod refused;
mod service;
mod store;
mod target;
mod told;
mod trouble;
mod twice;

use options::Options;
use service::{Service, late_site};
use shared::lesson::equals;
use shared::{Stage, lesson};
use sqlx::query_builder::QueryBuilder;
use std::net::IpAddr;
use std::process::ExitCode;
use store::{Found, Missing, Store, with_store};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;
use told::{finish, rows_of, table};
use trouble::{Trouble, in_time};

/// The rows of a statement.
const BATCH: usize = 5;

fn main() -> ExitCode {
    lesson![
        look_up_and_store,
        faults::three_fail,
        twice::twice_is_not_double,
        quotes::bound_not_pasted,
        refused::refused,
        price::price;
        engine, service, store, told, trouble,
    ]
    .with::<Options>()
    .run()
}

/// A coroutine for each address looks it up; one more stores what they find,
/// five rows a statement. How many rows are in the table then?
///
/// - [x] one for each address that was found
/// - [ ] two, one for each statement
/// - [ ] five: the next statement writes over the first
fn look_up_and_store(stage: &Stage) -> shared::Result {
    let addresses = addresses::chosen(stage);
    let (site, service) = late_site(stage, &addresses)?;
    let (missing, rows) = with_store(stage, async |store| {
        let missing = fill(stage, store, &service, &addresses, "").await;
        Ok((missing, rows_of(stage, store, &addresses).await))
    })?;
    let rows = table(stage, &missing, rows)?;
    let trace = stage.trace()?;
    let found = trace.count("found");
    stage.claim("rows: as many as were found", rows.len(), equals(found));
    let batches = trace.count("stores");
    stage.claim("batches", batches, equals(found.div_ceil(BATCH)));
    let threads = trace.threads_of("looks up");
    stage.claim("threads that look up", threads, equals(1));
    if site.is_some() {
        // Its first answer waits until all have asked.
        let peak = trace.peak("looks up");
        stage.claim("look-ups at once: all", peak, equals(addresses.len()));
    }
    finish(&missing, &addresses)
}

/// Looks all addresses up at once, and stores what is found; returns which are
/// missing then, and why.
async fn fill(
    stage: &Stage,
    store: &Store,
    service: &Service,
    addresses: &[IpAddr],
    when: &str,
) -> Vec<Missing> {
    let named = |name| format!("{name} {when}").trim_end().to_owned();
    let (send, mut found) = mpsc::channel(BATCH);
    let mut tasks = JoinSet::new();
    for &ip in addresses {
        let track = stage.coroutine_track(named(ip.to_string()));
        let (service, send) = (service.clone(), send.clone());
        tasks.spawn(async move {
            let found = service.look_up(&track, ip).await?;
            send.send(found).await.expect("the writer goes on until then");
            Ok(())
        });
    }
    drop(send); // each coroutine has one of its own
    let writer = stage.coroutine_track(named("writer".to_owned()));
    let mut missing = Vec::new();
    while let Some(batch) = next_batch(&mut found).await {
        let _until_they_are_stored = writer.begin("stores");
        missing.extend(store.write(&batch).await);
    }
    let looked_up = tasks.join_all().await.into_iter();
    missing.extend(looked_up.filter_map(Result::err));
    missing
}

/// The next five; fewer when nobody looks up any more, and then none.
async fn next_batch(found: &mut Receiver<Found>) -> Option<Vec<Found>> {
    let mut batch = Vec::new();
    while let Some(one) = found.recv().await {
        batch.push(one);
        if batch.len() == BATCH {
            break;
        }
    }
    Some(batch).filter(|batch| !batch.is_empty())
}

/// The values are bound: they go to the database beside the SQL, not in it.
async fn insert(store: &Store, batch: &[Found]) -> Result<(), Trouble> {
    let mut sql = QueryBuilder::new("INSERT INTO ips (ip, city, country) ");
    sql.push_values(batch, |mut row, found| {
        row.push_bind(found.ip.to_string());
        row.push_bind(found.place.city.clone());
        row.push_bind(found.place.country.clone());
    });
    sql.push(store.engine.or_update()); // if the address is there already
    in_time(sql.build().execute(&store.pool)).await?;
    Ok(())
}
