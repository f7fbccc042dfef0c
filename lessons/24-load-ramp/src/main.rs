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

use anyhow::{Context, bail};
use flight::InFlight;
use rule::Options;
use shared::client::{Client, Failure, Limits};
use shared::lesson::{at_least, equals};
use shared::site::Plan;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::{OnceLock, mpsc};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};
use tally::{Tally, sent_early};
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
fn ramp(stage: &Stage) -> shared::Result {
    let Options { rule, url } = stage.options();
    let latency = stage.time(0.8).max(rule.time_to_arrive());
    let target = Target::of(url.as_deref(), Plan::new().latency(latency))?;
    let requests = rule.requests(stage, &target.url);
    let answers = send(stage, &requests, Limits::default(), |_| Ok(()))?;
    let tally = Tally::of(&answers)?;
    tally.show(stage);
    tally.measure(stage)?;

    let trace = stage.trace()?;
    let (early, counted) = (sent_early(&trace), tally.counted());
    stage.claim("sent before they were due: none", early, equals(0));
    let all = requests.len();
    stage.claim("answered or failed: each, once", counted, equals(all));
    if tally.answered() == 0 {
        bail!(
            "none of {all} requests to {} was answered ({}); start a server \
             there, or name another by --url",
            target.url,
            tally.reasons()
        );
    }
    let Some(server) = target.most_at_once()? else {
        stage.cannot_show("a whole wave in flight", "its server is not ours");
        return Ok(());
    };
    let (wave, here) = (rule.largest(), flight::most(&trace));
    stage.claim("in flight at once: a whole wave", here, at_least(wave));
    stage.claim("the server counts as many", server, at_least(wave));
    Ok(())
}

/// One request, to be sent by a thread of its own.
struct Request {
    track: Track,
    wave: String,
    /// So long after zero.
    due: Duration,
    url: String,
}

struct Answer {
    wave: String,
    latency: Duration,
    failure: Option<Failure>,
}

/// Sends each request when it is due. All threads are ready before zero, the
/// moment from which that is counted, and which `meanwhile` is told.
fn send(
    stage: &Stage,
    requests: &[Request],
    limits: Limits,
    meanwhile: impl FnOnce(Instant) -> shared::Result,
) -> shared::Result<Vec<Answer>> {
    let (in_flight, zero) = (InFlight::new(stage), OnceLock::new());
    thread::scope(|scope| {
        let (ready, all_ready) = mpsc::channel();
        let threads = requests.iter().map(|request| {
            let (ready, zero, in_flight) = (ready.clone(), &zero, &in_flight);
            Builder::new().spawn_scoped(scope, move || {
                let client = Client::new(limits);
                ready.send(()).ok()?;
                let zero = (*zero.wait())?;
                Some(request.send(&client, zero, in_flight))
            })
        });
        let threads = threads.collect::<Result<Vec<_>, _>>();
        // A Barrier would wait for ever for a thread that was never made.
        let moment = threads.as_ref().ok().map(|threads| {
            all_ready.iter().take(threads.len()).for_each(drop);
            Instant::now() + stage.time(0.5)
        });
        let moment = *zero.get_or_init(|| moment);
        let threads = threads.with_context(|| {
            let number = requests.len();
            format!("cannot make {number} threads; raise `ulimit -u`")
        })?;
        moment.map_or(Ok(()), meanwhile)?;
        let answers = threads.into_iter().filter_map(|t| t.join().ok()?);
        Ok(answers.collect())
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
        Answer { wave: self.wave.clone(), latency, failure: reply.err() }
    }
}
