//! What can go wrong with a look-up.

use crate::addresses::{known, not_asked_for};
use crate::local::time_limit;
use crate::options::Options;
use crate::row::Row;
use crate::service::Service;
use crate::told::{complete, table};
use crate::{THREADS, ask, share};
use shared::Stage;
use shared::lesson::equals;
use shared::site::{DeadEnd, Fault, Plan, Site};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

/// The answers that the local site gets wrong.
const WRONG: [(&str, Fault); 6] = [
    ("1.1.1.1", Fault::Silent),
    ("9.9.9.9", Fault::TooMany),
    ("77.88.8.8", Fault::Html),
    ("114.114.114.114", Fault::Garbled),
    ("170.247.170.2", Fault::Bare),
    ("192.5.5.241", Fault::Cut),
];
/// Only known at home.
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 7, 7));
/// Asked for where nobody listens.
const UNHEARD: IpAddr = IpAddr::V4(Ipv4Addr::new(193, 0, 14, 129));

/// Six threads again. Eight of 24 look-ups go wrong, each in another way. What
/// becomes of the other sixteen?
///
/// - [x] they are complete: each is a row of its own
/// - [ ] they wait for the service that never answers
/// - [ ] those after a failure in the same thread are missing
pub fn each_row_says_why(stage: &Stage) -> shared::Result {
    if stage.options::<Options>().url.is_some() {
        let why = "nobody plans the faults of the service of --url";
        stage.cannot_show("what can go wrong", why);
        return Ok(());
    }
    not_asked_for(stage);
    let (nobody, limit) = (DeadEnd::new()?, time_limit(stage));
    let site = Site::start(plan(stage))?;
    let whole = Service::at(site.url() + "/json/", limit);
    let nobody = Service::at(nobody.url() + "/json/", limit);
    let mut rows = known();
    rows[23] = Row::of(PRIVATE);
    share(stage, &mut rows, THREADS, |thread, row| {
        let heard = row.address != UNHEARD;
        ask(thread, if heard { &whole } else { &nobody }, row);
    });
    table(stage, rows.iter().filter(|row| row.place.is_err()));
    let reasons: Vec<&str> = rows.iter().filter_map(Row::why_not).collect();
    stage.claim("rows that are complete", complete(&rows), equals(16));
    let failed = rows.iter().filter(|row| row.place.is_err());
    let planned = failed.filter(|row| is_to_fail(row.address)).count();
    let text = "rows that say why not: the planned eight";
    stage.claim(text, planned, equals(8));
    let different = reasons.into_iter().collect::<HashSet<_>>().len();
    stage.claim("different reasons", different, equals(8));
    Ok(())
}

fn is_to_fail(address: IpAddr) -> bool {
    let at_site = WRONG.iter().any(|(it, _)| address.to_string() == *it);
    at_site || [UNHEARD, PRIVATE].contains(&address)
}

fn plan(stage: &Stage) -> Plan {
    let plan = Plan::new().latency(stage.time(0.2)).retry_after(30);
    WRONG.into_iter().fold(plan, |plan, (address, fault)| {
        plan.fault(&format!("/json/{address}"), fault)
    })
}
