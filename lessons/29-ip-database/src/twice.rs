//! What is done twice.

use crate::service::late_site;
use crate::store::with_store;
use crate::told::{finish, ids};
use crate::{addresses, fill};
use shared::Stage;
use shared::lesson::equals;
use std::net::IpAddr;

/// The same is done twice, as by somebody who runs a program once more. How
/// many rows does the second time add?
///
/// - [ ] as many as the first time
/// - [ ] none: new rows take the place of the old ones
/// - [x] none: the old rows stay, with their ids
pub fn twice_is_not_double(stage: &Stage) -> shared::Result {
    let addresses = addresses::chosen(stage);
    let (_site, service) = late_site(stage, &addresses)?;
    let table = stage.coroutine_track("table");
    let missing = with_store(stage, async |store| {
        let mut missing = fill(stage, store, &service, &addresses, "").await;
        // Who fails now may be found later: that is nothing twice.
        let failed: Vec<IpAddr> = missing.iter().map(|row| row.ip).collect();
        let mut stored = addresses.clone();
        stored.retain(|ip| !failed.contains(ip));
        table.note("rows", store.count_but(&failed).await?);
        table.record("ids", ids(&store.rows(&stored).await?));
        let again = fill(stage, store, &service, &addresses, "(2)").await;
        table.note("rows now", store.count_but(&failed).await?);
        table.record("ids now", ids(&store.rows(&stored).await?));
        missing.extend(again);
        Ok(missing)
    })?;
    let added = table.noted::<i64>("rows now")? - table.noted::<i64>("rows")?;
    stage.claim("rows that the second time adds", added, equals(0));
    let [ids, now] = ["ids", "ids now"].map(|ids| table.noted::<Vec<i64>>(ids));
    stage.claim("every row keeps its id", ids? == now?, equals(true));
    finish(&missing, &addresses)
}
