//! A server that stands still, and who notices.

use crate::tally::{Answer, Tally};
use crate::target::{own_site, patient};
use crate::{Request, send};
use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use shared::client::{Client, Limits};
use shared::lesson::{at_least, equals};
use shared::site::{Plan, Site};
use shared::trace::Trace;
use shared::{Stage, Track};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

const REQUESTS: u32 = 20;

/// A server stands still, and goes on after a second. One user asks twenty
/// times, each time a tenth of a second after the last answer; of twenty others
/// one asks every tenth of a second. Which requests have to wait?
///
/// - [ ] all forty: the server stands still for everybody
/// - [ ] about half of either: those that are due in that second
/// - [x] one of the single user's; of the others', all that are due
pub fn closed_or_open(stage: &Stage) -> shared::Result {
    let (server, user) = (stage.track("server"), stage.track("closed loop"));
    let what = "a server that stands still";
    let Some((site, url)) = own_site(stage, what, Plan::new())? else {
        return Ok(());
    };
    let still = stage.time(1.0).max(Duration::from_millis(250));
    let limits = patient(still);
    let requests = due_in_turn(stage, still, &url, limits);

    let stopped = stand_still(&site)?;
    let mut closed = Vec::new();
    let open = send(stage, &requests, |zero| {
        thread::scope(|scope| {
            let asking = || one_by_one(stage, &user, &url, limits, zero);
            let asking = Builder::new().spawn_scoped(scope, asking)?;
            let end = zero + still;
            thread::sleep(end.saturating_duration_since(Instant::now()));
            server.span_at("stands still", stopped, Instant::now());
            let goes_on = kill(pid(&site), Signal::SIGCONT);
            closed = asking.join().unwrap_or_default();
            goes_on.context("cannot make the local site go on (SIGCONT)")
        })
    })?;
    let both = Tally::of(closed.iter().chain(&open))?;
    both.show_waves(stage);
    let closed = nine_of_ten(stage, "closed loop: 90 %", &closed)?;
    let open = nine_of_ten(stage, "open loop: 90 %", &open)?;

    let (trace, answered) = (stage.trace()?, both.answered());
    let (alone, _) = waiting(&trace, "closed loop");
    let (crowd, due) = waiting(&trace, "open loop");
    stage.claim("answered: all", answered, equals(2 * REQUESTS as usize));
    let text = "waiting when the server goes on, closed loop: one";
    stage.claim(text, alone, equals(1));
    let text = "waiting when the server goes on, open loop: all due";
    // Ten were to be due by then, or nothing is shown.
    stage.claim(text, crowd, equals(due.max(10)));
    let text = "90 %: the open loop's is so many times the closed loop's";
    stage.claim(text, open / closed, at_least(2.0));
    Ok(())
}

/// In how many seconds nine of ten answers were there; draws it.
fn nine_of_ten(
    stage: &Stage,
    label: &str,
    answers: &[Answer],
) -> shared::Result<f64> {
    let tally = Tally::of(answers)?;
    let seconds = tally.within(0.9)?;
    stage.figure_of(tally.answered(), label, seconds)?;
    Ok(seconds)
}

/// Requests of an open loop: ten of them are due while the server stands still.
fn due_in_turn(
    stage: &Stage,
    still: Duration,
    url: &str,
    limits: Limits,
) -> Vec<Request> {
    let requests = (0..REQUESTS).map(|n| Request {
        track: stage.track(format!("open loop {}", n + 1)),
        wave: "open loop".to_owned(),
        due: still * n / 10,
        url: url.to_owned(),
        limits,
    });
    requests.collect()
}

/// Stops the site's process, and waits until it has stopped.
fn stand_still(site: &Site) -> shared::Result<Instant> {
    kill(pid(site), Signal::SIGSTOP)
        .and_then(|()| waitid(Id::Pid(pid(site)), WaitPidFlag::WSTOPPED))
        .context("cannot make the local site stand still (SIGSTOP)")?;
    Ok(Instant::now())
}

fn pid(site: &Site) -> Pid {
    Pid::from_raw(site.pid() as i32)
}

/// A closed loop: the next request waits for the answer to the last one, and
/// its latency counts from when it was sent.
fn one_by_one(
    stage: &Stage,
    user: &Track,
    url: &str,
    limits: Limits,
    zero: Instant,
) -> Vec<Answer> {
    let client = Client::new(limits);
    thread::sleep(zero.saturating_duration_since(Instant::now()));
    let mut sent = zero;
    let answers = (0..REQUESTS).map(|_| {
        let reply = client.get(url);
        let answered = Instant::now();
        user.span_at("closed loop", sent, answered);
        let failure = reply.err().map(|failure| failure.to_string());
        user.record("failure", failure.clone());
        let wave = "closed loop".to_owned();
        let answer = Answer { wave, latency: answered - sent, failure };
        thread::sleep(stage.time(0.1));
        sent = Instant::now();
        answer
    });
    answers.collect()
}

/// How many requests of that loop were waiting when the server went on, and how
/// many were due by then.
fn waiting(trace: &Trace, requests: &str) -> (usize, usize) {
    let ends = trace.spans_named("stands still").map(|span| span.end_ns);
    let end = ends.max().unwrap_or(0);
    let spans = trace.spans_named(requests);
    let due: Vec<_> = spans.filter(|span| span.begin_ns <= end).collect();
    (due.iter().filter(|span| end < span.end_ns).count(), due.len())
}
