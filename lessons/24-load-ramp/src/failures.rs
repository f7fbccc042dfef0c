//! Requests that fail, and why.

use crate::rule::Options;
use crate::tally::Tally;
use crate::target::Target;
use crate::{Request, send};
use shared::Stage;
use shared::client::Limits;
use shared::lesson::equals;
use shared::site::{Fault, Plan};
use std::time::Duration;

/// A server has a fault of each kind. How many of them can a client tell
/// apart?
pub fn by_reason(stage: &Stage) -> shared::Result {
    let options: &Options = stage.options();
    if options.url.is_some() {
        stage.cannot_show("faults of each kind", "its server is not ours");
        return Ok(());
    }
    let target = Target::of(None, Plan::new())?;
    let faults: Vec<Fault> = Fault::all().collect();
    let requests = faults.iter().flat_map(|fault| [fault, fault]);
    let requests = requests.enumerate().map(|(n, fault)| Request {
        track: stage.track(format!("{fault} {}", n % 2 + 1)),
        wave: "faulty".to_owned(),
        due: Duration::ZERO,
        url: format!("{}?fault={fault}", target.url),
    });
    let requests: Vec<_> = requests.collect();
    let limits = Limits {
        // A busy machine needs its time to answer.
        time: stage.time(1.0).max(Duration::from_millis(500)),
        bytes: 100_000,
        redirects: 5,
    };
    let answers = send(stage, &requests, limits, |_| Ok(()))?;
    let tally = Tally::of(&answers)?;
    tally.show(stage);

    let planned = faults.iter().flat_map(|&fault| [reason(fault); 2]);
    let failures = answers.iter().map(|answer| answer.failure.as_ref());
    let reasons = failures.map(|f| f.map(ToString::to_string));
    let as_planned = planned.zip(reasons);
    let as_planned =
        as_planned.filter(|(planned, said)| said.as_deref() == *planned);
    let right = as_planned.count();
    let (all, counted) = (requests.len(), tally.counted());
    stage.claim("answered or failed: each, once", counted, equals(all));
    stage.claim("as was planned", right, equals(all));
    stage.claim("reasons told apart", tally.failures().len(), equals(7));
    Ok(())
}

/// What a client says to this fault. It takes what it gets for an answer if
/// nobody looks into it.
fn reason(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::NotFound => Some("404 Not Found"),
        Fault::TooMany => Some("429 Too Many Requests"),
        Fault::Failed => Some("500 Internal Server Error"),
        Fault::Silent | Fault::Length | Fault::Drip => {
            Some("no answer in time")
        }
        Fault::Closed | Fault::Cut => Some("the connection ended early"),
        Fault::Redirect => Some("too many redirects"),
        Fault::Huge => Some("more than 100000 bytes"),
        Fault::Garbled | Fault::Html => None,
    }
}

/// Twenty requests; then the server ends; then twenty more. What becomes of
/// them?
pub fn stops_halfway(stage: &Stage) -> shared::Result {
    let options: &Options = stage.options();
    if options.url.is_some() {
        stage.cannot_show("a server that ends", "it is not ours");
        return Ok(());
    }
    let server = stage.track("server");
    let target = Target::of(None, Plan::new().latency(stage.time(0.3)))?;
    let requests = (1..=40).map(|number| Request {
        track: stage.track(format!("request {number}")),
        wave: (if number <= 20 { "before" } else { "after" }).to_owned(),
        due: Duration::ZERO,
        url: target.url.clone(),
    });
    let requests: Vec<_> = requests.collect();
    let (before, after) = requests.split_at(20);
    let mut answers = send(stage, before, Limits::default(), |_| Ok(()))?;
    if let Some(site) = &target.site {
        site.stop();
        server.say("ends");
    }
    answers.extend(send(stage, after, Limits::default(), |_| Ok(()))?);
    let tally = Tally::of(&answers)?;
    tally.show(stage);

    let counted = tally.counted();
    stage.claim(
        "answered: those before its end",
        tally.answered(),
        equals(before.len()),
    );
    let refused = tally.failures().get("nobody listens there").copied();
    stage.claim(
        "failed, since nobody listens: those after",
        refused,
        equals(Some(after.len())),
    );
    stage.claim(
        "answered or failed: each, once",
        counted,
        equals(requests.len()),
    );
    Ok(())
}
