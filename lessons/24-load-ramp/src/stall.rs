//! A server that stands still, and who notices.

use crate::rule::Options;
use crate::tally::{Answer, Tally};
use crate::target::Target;
use crate::{Request, send};
use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use shared::client::{Client, Limits};
use shared::lesson::{at_least, equals};
use shared::site::Plan;
use shared::trace::Trace;
use shared::{Stage, Track};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

const REQUESTS: u32 = 20;

/// A server stands still. Twenty requests are due, one every tenth of a second;
/// after a second it goes on. One user sends twenty too, each when the last is
/// answered. Who has to wait?
pub fn closed_or_open(stage: &Stage) -> shared::Result {
    let options: &Options = stage.options();
    if options.url.is_some() {
        stage.cannot_show("a server that stands still", "it is not ours");
        return Ok(());
    }
    let (server, user) = (stage.track("server"), stage.track("closed loop"));
    let target = Target::of(None, Plan::new())?;
    let still = stage.time(1.0).max(Duration::from_millis(250));
    let requests = due_in_turn(stage, still, &target.url);

    let server_pid = stand_still(&target)?;
    let stopped = Instant::now();
    let mut closed = Vec::new();
    let open = send(stage, &requests, |zero| {
        thread::scope(|scope| {
            let asking = || one_by_one(stage, &user, &target.url, zero);
            let asking = Builder::new().spawn_scoped(scope, asking)?;
            let end = zero + still;
            thread::sleep(end.saturating_duration_since(Instant::now()));
            server.span_at("stands still", stopped, Instant::now());
            let goes_on = kill(server_pid, Signal::SIGCONT);
            closed = asking.join().unwrap_or_default();
            goes_on.context("cannot make the local site go on (SIGCONT)")
        })
    })?;
    let both = closed.iter().chain(&open);
    Tally::of(both)?.show_waves(stage);
    let closed = Tally::of(&closed)?.within(0.9);
    let open = Tally::of(&open)?.within(0.9);
    stage.figure("closed loop: 90 %", closed)?;
    stage.figure("open loop: 90 %", open)?;

    let (trace, times) = (stage.trace()?, open / closed);
    let alone = waiting(&trace, "closed loop");
    let due = waiting(&trace, "open loop");
    stage.claim("waiting at the end, closed loop: one", alone, equals(1));
    stage.claim("waiting at the end, open loop: all due", due, at_least(10));
    stage.claim(
        "90 %: the open loop's, by the closed loop's",
        times,
        at_least(2.0),
    );
    Ok(())
}

/// Requests of an open loop: ten of them are due while the server stands still.
fn due_in_turn(stage: &Stage, still: Duration, url: &str) -> Vec<Request> {
    let requests = (0..REQUESTS).map(|n| Request {
        track: stage.track(format!("open loop {}", n + 1)),
        wave: "open loop".to_owned(),
        due: still * n / 10,
        url: url.to_owned(),
        limits: Limits::default(),
    });
    requests.collect()
}

/// Stops the site's process, and waits until it has stopped.
fn stand_still(target: &Target) -> shared::Result<Pid> {
    let site =
        target.site.as_ref().context("only the local site can be stopped")?;
    let pid = Pid::from_raw(site.pid() as i32);
    kill(pid, Signal::SIGSTOP)
        .and_then(|()| waitid(Id::Pid(pid), WaitPidFlag::WSTOPPED))
        .context("cannot make the local site stand still (SIGSTOP)")?;
    Ok(pid)
}

/// A closed loop: the next request waits for the answer to the last one, and
/// its latency counts from when it was sent.
fn one_by_one(
    stage: &Stage,
    user: &Track,
    url: &str,
    zero: Instant,
) -> Vec<Answer> {
    let client = Client::new(Limits::default());
    thread::sleep(zero.saturating_duration_since(Instant::now()));
    let mut sent = zero;
    let answers = (0..REQUESTS).map(|_| {
        let reply = client.get(url);
        let answered = Instant::now();
        user.span_at("closed loop", sent, answered);
        let answer = Answer {
            wave: "closed loop".to_owned(),
            latency: answered - sent,
            failure: reply.err().map(|failure| failure.to_string()),
        };
        thread::sleep(stage.time(0.1));
        sent = Instant::now();
        answer
    });
    answers.collect()
}

/// How many requests of that loop were waiting when the server went on.
fn waiting(trace: &Trace, requests: &str) -> usize {
    let ends = trace.spans_named("stands still").map(|span| span.end_ns);
    let end = ends.max().unwrap_or(0);
    let spans = trace.spans_named(requests);
    spans.filter(|span| span.begin_ns <= end && end < span.end_ns).count()
}
