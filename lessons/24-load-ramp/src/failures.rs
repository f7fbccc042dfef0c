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
        limits: limits(stage, *fault),
    });
    let requests: Vec<_> = requests.collect();
    let answers = send(stage, &requests, |_| Ok(()))?;
    let tally = Tally::of(&answers)?;
    tally.show_outcomes(stage);

    let planned = faults.iter().flat_map(|&fault| [reason(fault); 2]);
    let said = answers.iter().map(|answer| answer.failure.as_deref());
    let right = planned.zip(said).filter(|(planned, said)| planned == said);
    let (right, reasons) = (right.count(), tally.failures().count());
    stage.claim("as was planned: all", right, equals(requests.len()));
    stage.claim("reasons told apart: seven", reasons, equals(7));
    Ok(())
}

/// One that is never answered need not be waited for long; the others are, so
/// that a busy machine can answer.
fn limits(stage: &Stage, fault: Fault) -> Limits {
    let limits = Limits { bytes: 100_000, ..Limits::default() };
    match fault {
        Fault::Silent | Fault::Length | Fault::Drip => {
            Limits { time: stage.time(1.0), ..limits }
        }
        _ => limits,
    }
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
        Fault::Bare | Fault::Garbled | Fault::Html => None,
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
        limits: Limits::default(),
    });
    let requests: Vec<_> = requests.collect();
    let (before, after) = requests.split_at(20);
    let serves = server.begin("serves");
    let mut answers = send(stage, before, |_| Ok(()))?;
    if let Some(site) = &target.site {
        site.stop();
        drop(serves);
        server.say("ends");
    }
    answers.extend(send(stage, after, |_| Ok(()))?);
    let tally = Tally::of(&answers)?;
    tally.show_outcomes(stage);

    let (answered, sent) = (tally.answered(), before.len());
    stage.claim("answered: all before its end", answered, equals(sent));
    let (refused, sent) = (tally.failed("nobody listens there"), after.len());
    stage.claim("nobody listens there: all after", refused, equals(sent));
    Ok(())
}
