//! Look-ups that fail.

use crate::addresses::first;
use crate::fill;
use crate::options::has_its_own;
use crate::service::site;
use crate::store::with;
use crate::target::Target;
use crate::told::{rows_of, table};
use shared::Stage;
use shared::lesson::equals;
use shared::site::{Fault, Plan};

/// Three of ten look-ups fail, each in another way. How many rows are in the
/// table then, and who says which are not?
///
/// - [ ] five: a batch with one that failed is lost
/// - [x] seven; the three are named, each with its reason
/// - [ ] ten, three of them without a city
pub fn three_fail(stage: &Stage) -> shared::Result {
    has_its_own(stage);
    let addresses = first(10);
    let plan = Plan::new()
        .latency(stage.time(0.3))
        .fault("/json/8.8.8.8", Fault::Failed)
        .fault("/json/77.88.8.8", Fault::Html)
        .fault("/json/193.0.14.129", Fault::Bare);
    let (_site, service) = site(plan)?;
    let file = Target::file(&stage.folder()?.join("ips.db"))?;
    let (missing, rows) = with(&file, async |store| {
        let missing = fill(stage, store, &service, &addresses, "").await;
        Ok((missing, rows_of(stage, store, &addresses).await))
    })?;
    let rows = table(stage, &missing, rows)?;
    let found = stage.trace()?.count("found");
    stage.claim("look-ups that succeed", found, equals(7));
    stage.claim("rows: as many as succeed", rows.len(), equals(found));
    let named = missing.iter().map(|missing| missing.ip.to_string());
    let failed = ["8.8.8.8", "77.88.8.8", "193.0.14.129"].map(String::from);
    stage.claim("those that are named", sorted(named), equals(sorted(failed)));
    Ok(())
}

/// They fail in any order.
fn sorted(ips: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut ips: Vec<String> = ips.into_iter().collect();
    ips.sort_unstable();
    ips
}
