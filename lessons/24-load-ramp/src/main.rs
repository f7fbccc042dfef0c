//! Load ramp: fifty requests at once, then thirty more.
//!
//! A server is quick when one asks it. How quick is it when fifty ask at the
//! same moment, and from when does each of them count?

mod failures;
mod flight;
mod rule;
mod stall;
mod tally;
mod target;

use anyhow::Context;
use flight::InFlight;
use rule::Options;
use shared::client::{Client, Limits};
use shared::lesson::{at_least, equals};
use shared::site::Plan;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::{OnceLock, mpsc};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};
use tally::{Answer, Tally, sent_early};
use target::Target;

fn main() -> ExitCode {
    lesson![
        ramp,
        stall::closed_or_open,
        failures::by_reason,
        failures::stops_halfway,
    ]
    .with::<Options>()
    .run()
}

/// Second 0: fifty requests. Second 1: thirty more (or as --rule says). Each
/// answer takes a while. How many requests are in flight at once?
///
/// - [ ] one or two: threads are started one after the other
/// - [x] the largest wave (here fifty), or more
/// - [ ] as many as this machine has cores
fn ramp(stage: &Stage) -> shared::Result {
    let Options { rule, url } = stage.options();
    let plan = Plan::new().latency(rule.time_to_arrive()).meet(rule.first());
    let target = Target::of(url.as_deref(), plan)?;
    let requests = rule.requests(stage, &target.url);
    let answers = send(stage, &requests, |_| Ok(()))?;
    let tally = Tally::of(&answers)?;
    tally.show_waves(stage);

    let trace = stage.trace()?;
    let early = sent_early(&trace);
    stage.claim("sent before they were due: none", early, equals(0));
    let (counted, all) = (tally.counted(), requests.len());
    stage.claim("answered or failed: each, once", counted, equals(all));
    tally.ensure_some_answered(&target.url)?;
    let Some(server) = target.most_at_once(stage)? else {
        stage.cannot_show("a whole wave in flight", "its server is not ours");
        return Ok(());
    };
    let (wave, here) = (rule.largest(), flight::most(&trace));
    let text = "in flight at once: the largest wave, or more";
    stage.claim(text, here, at_least(wave));
    let text = "at the server: the largest wave, or more";
    stage.claim(text, server, at_least(wave));
    Ok(())
}

/// One request, to be sent by a thread of its own.
struct Request {
    track: Track,
    wave: String,
    /// So long after zero.
    due: Duration,
    url: String,
    limits: Limits,
}

/// Sends each request when it is due. All threads are ready before zero, the
/// moment from which that is counted, and which `meanwhile` is told.
fn send(
    stage: &Stage,
    requests: &[Request],
    meanwhile: impl FnOnce(Instant) -> shared::Result,
) -> shared::Result<Vec<Answer>> {
    let (in_flight, zero) = (InFlight::new(stage), OnceLock::new());
    let lead = stage.time(0.5);
    thread::scope(|scope| {
        // Not a Barrier: that waits for ever for a thread that cannot be made.
        let (ready, all_ready) = mpsc::channel::<()>();
        let threads = requests.iter().map(|request| {
            let (ready, zero, in_flight) = (ready.clone(), &zero, &in_flight);
            Builder::new().spawn_scoped(scope, move || {
                let client = Client::new(request.limits);
                drop(ready); // says that it is
                let zero: Option<Instant> = *zero.wait();
                zero.map(|zero| request.send(&client, zero, in_flight))
            })
        });
        let threads = threads.collect::<Result<Vec<_>, _>>();
        drop(ready);
        let _ = all_ready.recv(); // ends when nobody has a sender any more
        // None: a thread could not be made, and all go home.
        let moment = threads.is_ok().then(|| Instant::now() + lead);
        let _ = zero.set(moment);
        let threads = threads.context(
            "cannot make a thread for each request; raise the limit with \
             `ulimit -u N`",
        )?;
        if let Some(zero) = moment {
            meanwhile(zero)?;
        }
        let answers = threads.into_iter().map(|thread| thread.join());
        // One that panicked has none.
        Ok(answers.flatten().flatten().collect())
    })
}

impl Request {
    /// Its latency counts from when it was due, whenever it was sent.
    fn send(&self, client: &Client, zero: Instant, all: &InFlight) -> Answer {
        let due = zero + self.due;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        self.track.mark("sent");
        let reply = all.during(|| client.get(&self.url));
        let latency = due.elapsed();
        self.track.span_at(&self.wave, due, due + latency);
        let failure = reply.err().map(|failure| failure.to_string());
        self.track.record("failure", failure.clone());
        Answer { wave: self.wave.clone(), latency, failure }
    }
}
