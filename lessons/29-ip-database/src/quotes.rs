//! A value that looks like SQL.

use crate::insert;
use crate::place::Place;
use crate::store::{Found, Store, with_store};
use crate::trouble::{Trouble, in_time};
use shared::lesson::equals;
use shared::{Stage, Track};
use sqlx::{AssertSqlSafe, query};
use std::net::{IpAddr, Ipv4Addr};

/// Two addresses that are for examples only (RFC 5737).
const SENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5));
const SMUGGLED: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 6));

const QUOTE: &str = "L'Aquila";
const ATTACK: &str = "U', 'N'), ('203.0.113.6', 'smuggled";

/// One city has a quote in its name; another one's name goes on with SQL. Each
/// is pasted into a statement, and each is bound to one. What is stored?
///
/// - [ ] the same, pasted or bound
/// - [ ] bound, both names; pasted, neither
/// - [x] bound, both names; pasted, not the first, and two rows of the second
pub fn bound_not_pasted(stage: &Stage) -> shared::Result {
    let [pasted, bound] =
        ["pasted", "bound"].map(|name| stage.coroutine_track(name));
    with_store(stage, async |store| {
        store.remove(&[SENT, SMUGGLED]).await?; // of a run that was stopped
        for (name, city) in [("a quote", QUOTE), ("an attack", ATTACK)] {
            let found = sent(city);
            let done = paste(store, &found).await;
            tell(&pasted, name, done, store).await?;
            let done = insert(store, &[found]).await;
            tell(&bound, name, done, store).await?;
        }
        Ok(())
    })?;
    let quote: Vec<String> = pasted.noted("a quote")?;
    stage.claim("pasted, a quote: stored", quote, equals(vec![]));
    let attack: Vec<String> = pasted.noted("an attack")?;
    stage.claim("pasted, an attack: rows of one", attack.len(), equals(2));
    let quote: Vec<String> = bound.noted("a quote")?;
    stage.claim("bound, a quote", quote, equals(vec![QUOTE.into()]));
    let attack: Vec<String> = bound.noted("an attack")?;
    stage.claim("bound, an attack", attack, equals(vec![ATTACK.into()]));
    Ok(())
}

fn sent(city: &str) -> Found {
    let [city, country] = [city, "Nowhere"].map(str::to_owned);
    Found { ip: SENT, place: Place { city, country } }
}

/// What nobody should do. It compiles only with a promise that it is safe.
async fn paste(store: &Store, found: &Found) -> Result<(), Trouble> {
    let (ip, Place { city, country }) = (found.ip, &found.place);
    let sql = format!(
        "INSERT INTO ips (ip, city, country) \
         VALUES ('{ip}', '{city}', '{country}')"
    );
    let pasted = query(AssertSqlSafe(sql)).execute(&store.pool);
    in_time(pasted).await?;
    Ok(())
}

/// Tells and records the cities that are in the table now, and removes them.
async fn tell(
    track: &Track,
    name: &str,
    done: Result<(), Trouble>,
    store: &Store,
) -> shared::Result {
    if let Err(trouble) = done {
        track.say(format!("{name}: {trouble}"));
    }
    let rows = store.rows(&[SENT, SMUGGLED]).await?;
    let cities: Vec<String> =
        rows.into_iter().map(|(_, _, city, _)| city).collect();
    track.note(name, cities);
    store.remove(&[SENT, SMUGGLED]).await
}
