//! What a database refuses.

use crate::addresses::first;
use crate::options::has_its_own;
use crate::place::Place;
use crate::store::{Found, with};
use crate::target::Target;
use crate::told::{rows_of, table};
use shared::Stage;
use shared::lesson::equals;
use sqlx::{AnyConnection, Connection, Executor};
use std::net::IpAddr;
use tokio::runtime::Builder;

/// A hill in New Zealand, whose name is longer than its column.
const LONG: &str =
    "Taumatawhakatangihangakoauauotamateaturipukakapikimaungahoronukupokai";

/// The writer sends five rows in one statement, and each by itself if that is
/// refused; one city is too long. Another table ips has other columns. What is
/// stored?
///
/// - [ ] nothing: one bad row refuses them all, and there it ends
/// - [ ] all five, the long name cut off
/// - [x] four of the five; in the other table nothing
pub fn refused(stage: &Stage) -> shared::Result {
    has_its_own(stage);
    let (addresses, folder) = (first(5), stage.folder()?);
    let whole = Target::file(&folder.join("ips.db"))?;
    let writer = stage.coroutine_track("writer");
    let (missing, rows) = with(&whole, async |store| {
        let open = writer.begin("stores");
        let missing = store.write(&five(&addresses)).await;
        drop(open);
        Ok((missing, rows_of(stage, store, &addresses).await))
    })?;
    let rows = table(stage, &missing, rows)?;

    let other = Target::file(&folder.join("other.db"))?;
    with_other_columns(&other)?;
    let opened = with(&other, async |store| store.count_but(&[]).await);
    let why = opened.map_or_else(|error| error.to_string(), |_| String::new());
    writer.note("the other table", why.as_str());
    stage.claim("rows of five", rows.len(), equals(4));
    let named: Vec<_> = missing.iter().map(|row| row.ip.to_string()).collect();
    stage.claim("who is named", named, equals(vec!["9.9.9.9".into()]));
    let said = why.contains("no such column: city");
    stage.claim("the missing column is named", said, equals(true));
    Ok(())
}

fn five(addresses: &[IpAddr]) -> Vec<Found> {
    let cities = ["Rome", "Oslo", LONG, "Lima", "Suva"];
    let five = addresses.iter().zip(cities).map(|(&ip, city)| {
        let [city, country] = [city, "somewhere"].map(str::to_owned);
        Found { ip, place: Place { city, country } }
    });
    five.collect()
}

/// Makes a table of the same name, as if by another program.
fn with_other_columns(target: &Target) -> shared::Result {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut other = AnyConnection::connect_with(&target.options).await?;
        other
            .execute("CREATE TABLE ips (id INTEGER, ip TEXT, place TEXT)")
            .await?;
        Ok(other.close().await?)
    })
}
