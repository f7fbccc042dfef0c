//! What it costs.

use crate::addresses::first;
use crate::insert;
use crate::options::Options;
use crate::place::Place;
use crate::service::{Service, site};
use crate::store::{Found, with_store};
use anyhow::{anyhow, ensure};
use shared::Stage;
use shared::lesson::equals;
use shared::site::Plan;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;
use tokio::task::JoinSet;

const ROWS: u8 = 20;

/// So many rows a statement, and how many statements that makes.
const WAYS: [(&str, usize, usize); 2] =
    [("20 rows, a statement each", 1, 20), ("20 rows, one statement", 20, 1)];

/// Twenty look-ups at once; then twenty rows, stored by a statement each, and
/// by one for all. What takes how long?
pub fn price(stage: &Stage) -> shared::Result {
    let (_site, service) = site(Plan::new().latency(stage.time(0.2)))?;
    let table = stage.coroutine_track("table");
    let rows: Vec<Found> = (0..ROWS).map(invented).collect();
    let ips: Vec<IpAddr> = rows.iter().map(|row| row.ip).collect();
    with_store(stage, async |store| {
        look_ups(stage, &service).await?;
        store.remove(&ips).await?; // of a run that was stopped
        for (label, size, _) in WAYS {
            let (start, mut statements) = (Instant::now(), 0_usize);
            for batch in rows.chunks(size) {
                let stored = insert(store, batch).await;
                stored.map_err(|trouble| store.cannot("write to", &trouble))?;
                statements += 1;
            }
            let seconds = start.elapsed().as_secs_f64();
            let stored = store.rows(&ips).await?.len();
            stage.figure_of(stored, label, seconds)?;
            table.record(label, [statements, stored].as_slice());
            store.remove(&ips).await?;
        }
        Ok(())
    })?;
    for (label, _, expected) in WAYS {
        let [statements, stored]: [usize; 2] = table.noted(label)?;
        ensure!(stored == usize::from(ROWS), "{stored} rows are stored");
        stage.claim(label, statements, equals(expected));
    }
    Ok(())
}

async fn look_ups(stage: &Stage, service: &Service) -> shared::Result {
    if stage.options::<Options>().url.is_some() {
        let why = "this step asks the local site";
        stage.cannot_show("the service of --url", why);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for ip in first(ROWS.into()) {
        let service = service.clone();
        tasks.spawn(async move { service.ask(ip).await });
    }
    let answers: Result<Vec<Place>, String> =
        tasks.join_all().await.into_iter().collect();
    let seconds = start.elapsed().as_secs_f64();
    let places =
        answers.map_err(|why| anyhow!("the local site fails: {why}"))?;
    stage.figure_of(places.len(), "20 look-ups at once", seconds)
}

/// A row with one of the addresses for measuring (RFC 2544), which no host has.
fn invented(n: u8) -> Found {
    let [city, country] = ["Utopia", "Nowhere"].map(str::to_owned);
    let ip = Ipv4Addr::new(198, 18, 0, n).into();
    Found { ip, place: Place { city, country } }
}
