//! Requests that fail, and why.

use crate::tally::Tally;
use crate::target::{await_requests, own_site, patient};
use crate::{Request, send};
use shared::Stage;
use shared::client::Limits;
use shared::lesson::equals;
use shared::site::{Fault, Plan};
use std::time::Duration;

/// The longest wait for an answer that never comes.
const LONGEST: Duration = Duration::from_secs(1);

/// A server has a fault of each kind. How many of them can a client tell
/// apart?
///
/// - [ ] all: each fails in a way of its own
/// - [x] some: there are seven reasons to tell
/// - [ ] two: those without an answer, those with a wrong one
pub fn by_reason(stage: &Stage) -> shared::Result {
    let what = "faults of each kind";
    let Some((_site, page)) = own_site(stage, what, Plan::new())? else {
        return Ok(());
    };
    let faults: Vec<Fault> = Fault::all().collect();
    let requests = faults.iter().flat_map(|fault| [fault, fault]);
    let requests = requests.enumerate().map(|(n, fault)| Request {
        track: stage.track(format!("{fault} {}", n % 2 + 1)),
        wave: "faulty".to_owned(),
        due: Duration::ZERO,
        url: format!("{page}?fault={fault}"),
        limits: limits(stage, *fault),
    });
    let requests: Vec<_> = requests.collect();
    let answers = send(stage, &requests, |_| Ok(()))?;
    let tally = Tally::of(&answers)?;
    tally.show_outcomes(stage);

    let reasons = tally.failures().count();
    stage.claim("reasons told apart: seven", reasons, equals(7));
    let planned = faults.iter().flat_map(|&fault| [reason(fault); 2]);
    let said = answers.iter().map(|answer| answer.failure.as_deref());
    let right = planned.zip(said).filter(|(planned, said)| planned == said);
    let right = right.count();
    stage.claim("as was planned: all", right, equals(requests.len()));
    Ok(())
}

/// One that is never answered need not be waited for long; the others are, so
/// that a busy machine can answer.
fn limits(stage: &Stage, fault: Fault) -> Limits {
    let limits = Limits { bytes: 100_000, ..patient(Duration::ZERO) };
    match fault {
        Fault::Silent | Fault::Length | Fault::Drip => {
            // At any speed: some day all of a drip is there.
            Limits { time: stage.time(1.0).min(LONGEST), ..limits }
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

/// Ten requests are answered. Ten more are in flight when the server ends, and
/// then ten more are sent. What becomes of them?
///
/// - [x] in flight: they are cut off; later: nobody listens
/// - [ ] in flight: they are answered; later: nobody listens
/// - [ ] all twenty wait until their time is over
pub fn stops_halfway(stage: &Stage) -> shared::Result {
    let (server, plan) = (stage.track("server"), Plan::new());
    let Some((site, page)) = own_site(stage, "a server that ends", plan)?
    else {
        return Ok(());
    };
    // Nobody waits for them so long: the server ends.
    let slow = format!("{page}?ms=10000");
    let before = ten(stage, "before", &page);
    let during = ten(stage, "during", &slow);
    let after = ten(stage, "after", &page);

    let serves = server.begin("serves");
    let mut answers = send(stage, &before, |_| Ok(()))?;
    answers.extend(send(stage, &during, |_| {
        await_requests(&site, before.len() + during.len())?;
        site.stop();
        drop(serves);
        server.say("ends");
        Ok(())
    })?);
    answers.extend(send(stage, &after, |_| Ok(()))?);
    let tally = Tally::of(&answers)?;
    tally.show_outcomes(stage);

    let answered = tally.answered();
    stage.claim("answered: all before its end", answered, equals(10));
    let cut = tally.number_of("the connection ended early");
    let text = "the connection ended early: all in flight";
    stage.claim(text, cut, equals(10));
    let refused = tally.number_of("nobody listens there");
    stage.claim("nobody listens there: all after", refused, equals(10));
    Ok(())
}

fn ten(stage: &Stage, wave: &str, url: &str) -> Vec<Request> {
    let requests = (1..=10).map(|number| Request {
        track: stage.track(format!("{wave} {number}")),
        wave: wave.to_owned(),
        due: Duration::ZERO,
        url: url.to_owned(),
        limits: patient(Duration::ZERO),
    });
    requests.collect()
}
