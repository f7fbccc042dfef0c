//! Lesson 24: requests at once, counted from when they are due.

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use shared::site::DeadEnd;
use shared::trace::{Event, Phase, Span, Trace};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use testkit::{Change, Check, Lesson, Run, happened, not_run, noted};

const LESSON: Lesson = Lesson {
    package: "load-ramp",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_load-ramp"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "ramp",
            claim: "sent before they were due: none",
            proven: |events| {
                let zero = due(events, "second 0");
                let second = due(events, "second 1");
                let due: BTreeMap<String, u64> = spans(events)
                    .map(|(track, span)| (track, span.begin_ns))
                    .collect();
                let in_time = happened(events, "sent")
                    .filter(|sent| sent.t_ns >= due[&sent.track]);
                // At the pace of tests, or at that of the recorded run.
                let apart = [1_000_000_000 / 20, 1_000_000_000];
                apart.contains(&(second - zero)) && in_time.count() == 80
            },
            broken: (
                "main.rs",
                "thread::sleep(due.saturating_duration_since(Instant::now()));",
                "",
            ),
        },
        Check {
            step: "ramp",
            claim: "answered or failed: each, once",
            proven: |events| {
                happened(events, "sent").count() == 80
                    && failures(events)[""] == 80
            },
            broken: (
                "main.rs",
                "= *zero.wait();",
                "= *zero.wait();\n\
                 if request.track.name() == \"request 7\" { return None }",
            ),
        },
        Check {
            step: "ramp",
            claim: "in flight at once: the largest wave, or more",
            proven: |events| {
                let points = happened(events, "in flight");
                let points = points.filter(|e| e.ph == Phase::Counter);
                points.filter_map(|e| e.args["value"].as_u64()).max()
                    >= Some(50)
            },
            broken: ONE_AT_A_TIME,
        },
        Check {
            step: "ramp",
            claim: "at the server: the largest wave, or more",
            proven: |events| {
                // Sent and not answered, at the moment of each sending.
                let ends: BTreeMap<String, u64> = spans(events)
                    .map(|(track, span)| (track, span.end_ns))
                    .collect();
                let sent: Vec<(u64, u64)> = happened(events, "sent")
                    .map(|sent| (sent.t_ns, ends[&sent.track]))
                    .collect();
                let at = |now: u64| {
                    let flying =
                        |(from, to): &&(u64, u64)| *from <= now && now < *to;
                    sent.iter().filter(flying).count()
                };
                let most = sent.iter().map(|(from, _)| at(*from)).max();
                // The site can have no more of them than were sent.
                let there = noted(events, "server", "most at once").as_u64();
                most >= Some(50)
                    && there >= Some(50)
                    && there <= most.map(|most| most as u64)
            },
            // Here they are in flight, and one of them is at the server.
            broken: (
                "main.rs",
                "all.during(|| client.get(&self.url));",
                "all.during(|| {\n\
                 static ONE: std::sync::Mutex<()> =\n\
                 std::sync::Mutex::new(());\n\
                 let _one = ONE.lock();\n\
                 client.get(&format!(\"{}?ms=0\", self.url))\n\
                 });",
            ),
        },
        Check {
            step: "closed_or_open",
            claim: "answered: all",
            proven: |events| {
                let asked = |name: &str| {
                    spans(events).filter(|(_, span)| span.name == name).count()
                };
                asked("closed loop") == 20
                    && asked("open loop") == 20
                    && failures(events).into_iter().eq([(String::new(), 40)])
            },
            broken: (
                "stall.rs",
                "let answers = (0..REQUESTS).map(",
                "let answers = (1..REQUESTS).map(",
            ),
        },
        Check {
            step: "closed_or_open",
            claim: "waiting when the server goes on, closed loop: one",
            proven: |events| waiting(events, "closed loop") == 1,
            broken: COUNTED_FROM_ZERO,
        },
        Check {
            step: "closed_or_open",
            claim: "90 %: the open loop's is so many times the closed loop's",
            proven: |events| {
                third_longest(events, "open loop")
                    >= 2 * third_longest(events, "closed loop")
            },
            broken: COUNTED_FROM_ZERO,
        },
        Check {
            step: "closed_or_open",
            claim: "waiting when the server goes on, open loop: all due",
            proven: all_due_wait,
            broken: (
                "stall.rs",
                "due: still * n / 10",
                "due: still * (n + 11) / 10",
            ),
        },
        Check {
            step: "closed_or_open",
            claim: "waiting when the server goes on, open loop: all due",
            proven: all_due_wait,
            // It goes on before anybody asks.
            broken: (
                "stall.rs",
                "let end = zero + still;",
                "let end = zero + still; kill(pid(&site), Signal::SIGCONT)?;",
            ),
        },
        Check {
            step: "by_reason",
            claim: "as was planned: all",
            proven: |events| {
                let found = failures(events);
                let found = found.iter().map(|(why, n)| (why.as_str(), *n));
                found.eq([
                    ("", 6),
                    ("404 Not Found", 2),
                    ("429 Too Many Requests", 2),
                    ("500 Internal Server Error", 2),
                    ("more than 100000 bytes", 2),
                    ("no answer in time", 6),
                    ("the connection ended early", 4),
                    ("too many redirects", 2),
                ])
            },
            broken: NO_FAULTS,
        },
        Check {
            step: "by_reason",
            claim: "reasons told apart: seven",
            proven: |events| failures(events).len() == 7 + 1,
            broken: NO_FAULTS,
        },
        Check {
            step: "stops_halfway",
            claim: "answered: all before its end",
            proven: |events| {
                let serves = spans(events).find(|(_, s)| s.name == "serves");
                let end = serves.map_or(0, |(_, span)| span.end_ns);
                let before = spans(events).filter(|(_, s)| s.name == "before");
                failures(events)[""] == 10
                    && before.filter(|(_, s)| s.end_ns < end).count() == 10
            },
            broken: NEVER_ENDS,
        },
        Check {
            step: "stops_halfway",
            claim: "the connection ended early: all in flight",
            proven: |events| {
                let serves = spans(events).find(|(_, s)| s.name == "serves");
                let end = serves.map_or(0, |(_, span)| span.end_ns);
                let cut = "the connection ended early";
                let sent = happened(events, "sent")
                    .filter(|e| e.track.starts_with("during "));
                failures(events).get(cut) == Some(&10)
                    && sent.filter(|sent| sent.t_ns < end).count() == 10
            },
            broken: NEVER_ENDS,
        },
        Check {
            step: "stops_halfway",
            claim: "nobody listens there: all after",
            proven: |events| {
                failures(events).get("nobody listens there") == Some(&10)
            },
            broken: NEVER_ENDS,
        },
    ]);
}

/// A request waits until the one before is answered, which takes no time.
const ONE_AT_A_TIME: Change = (
    "main.rs",
    "self.track.mark(\"sent\");\n        \
     let reply = all.during(|| client.get(&self.url));",
    "static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());\n\
     let one = ONE.lock();\n\
     self.track.mark(\"sent\");\n\
     let url = format!(\"{}?ms=0\", self.url);\n\
     let reply = all.during(|| client.get(&url));\n\
     drop(one);",
);

/// The closed loop's latencies count from when all was due, too.
const COUNTED_FROM_ZERO: Change =
    ("stall.rs", "sent = Instant::now();", "sent = zero;");

const NO_FAULTS: Change =
    ("failures.rs", "{page}?fault={fault}", "{page}?no={fault}");

const NEVER_ENDS: Change =
    ("failures.rs", "site.stop();", "let _ = site.pid();");

/// The spans of requests, each with its track.
fn spans(events: &[Event]) -> impl Iterator<Item = (String, Span)> {
    let trace = Trace::of(events.to_vec());
    let spans: Vec<_> = trace
        .spans()
        .iter()
        .map(|span| (trace.tracks()[span.track].name.clone(), span.clone()))
        .collect();
    spans.into_iter()
}

/// When the requests of a wave were due: all at the same moment.
fn due(events: &[Event], wave: &str) -> u64 {
    let wave = spans(events).filter(|(_, span)| span.name == wave);
    let times: Vec<u64> = wave.map(|(_, span)| span.begin_ns).collect();
    assert!(times.iter().all(|time| *time == times[0]), "{times:?}");
    times[0]
}

/// How many requests failed for which reason; for none, were answered.
fn failures(events: &[Event]) -> BTreeMap<String, usize> {
    let mut failures = BTreeMap::new();
    for event in happened(events, "failure") {
        let why = event.args["value"].as_str().unwrap_or_default();
        *failures.entry(why.to_owned()).or_default() += 1;
    }
    failures
}

/// How many of these were under way when the server went on.
fn waiting(events: &[Event], name: &str) -> usize {
    let still = spans(events).find(|(_, span)| span.name == "stands still");
    let end = still.expect("it stood still").1.end_ns;
    let named = spans(events).filter(|(_, span)| span.name == name);
    named.filter(|(_, s)| (s.begin_ns..s.end_ns).contains(&end)).count()
}

/// Of the open loop all that were due when the server went on, the first ten
/// and perhaps more, were under way, and nothing was answered before.
fn all_due_wait(events: &[Event]) -> bool {
    let still = spans(events).find(|(_, span)| span.name == "stands still");
    let end = still.expect("it stood still").1.end_ns;
    let open = spans(events).filter(|(_, span)| span.name == "open loop");
    let (due, later): (Vec<_>, Vec<_>) =
        open.partition(|(_, span)| span.begin_ns <= end);
    due.len() >= 10
        && due.len() + later.len() == 20
        && due.iter().all(|(_, span)| span.end_ns > end)
}

/// Of twenty, eighteen are no longer than this one.
fn third_longest(events: &[Event], name: &str) -> u64 {
    let named = spans(events).filter(|(_, span)| span.name == name);
    let lengths = named.map(|(_, span)| span.end_ns - span.begin_ns);
    let mut lengths: Vec<u64> = lengths.collect();
    lengths.sort_unstable();
    assert_eq!(lengths.len(), 20);
    lengths[17]
}

#[test]
fn a_rule_that_does_not_parse_is_refused() {
    for (rule, words) in [
        ("", ["``", "0:50,1:30"]),
        ("50", ["`50` has no second", "0:50,1:30"]),
        ("0:50,", ["`` has no second", "0:50,1:30"]),
        ("0:50;1:30", ["`50;1:30` is no number of requests", "0:50,1:30"]),
        (":", ["`` is no second", "from 0 to 30"]),
        ("x:50", ["`x` is no second", "from 0 to 30"]),
        ("-1:50", ["`-1` is no second", "from 0 to 30"]),
        ("0.5:50", ["`0.5` is no second", "whole number"]),
        ("31:1", ["`31` is no second", "from 0 to 30"]),
        ("0:", ["`` is no number of requests", "from 1 to 1000"]),
        ("0:0", ["`0` is no number of requests", "from 1 to 1000"]),
        ("0:-4", ["`-4` is no number of requests", "from 1 to 1000"]),
        ("0:1.5", ["`1.5` is no number of requests", "whole number"]),
        ("0:99999999999999999999", ["no number of requests", "to 1000"]),
        ("1:30,0:50", ["second 0 stands behind second 1", "in order"]),
        ("0:5,0:5", ["second 0 stands behind second 0", "once"]),
        ("0:1001", ["that is 1001 requests", "at most 1000"]),
        ("0:600,1:600", ["that is 1200 requests", "at most 1000"]),
    ] {
        Run::new(LESSON, &["--rule", rule]).end().refused(2, &words);
    }
}

#[test]
fn another_rule_is_kept() {
    let args = ["--step", "ramp", "--rule", "1:3, 2:1 ,4:2"];
    let trace = Run::new(LESSON, &args).end().well().trace;
    let events = trace.events();
    let wave = |name: &str| trace.spans_named(name).count();
    assert_eq!(["second 1", "second 2", "second 4"].map(wave), [3, 1, 2]);
    assert_eq!(happened(events, "sent").count(), 6);
    let [one, two, four] =
        ["second 1", "second 2", "second 4"].map(|wave| due(events, wave));
    assert_eq!((two - one, four - two), (50_000_000, 100_000_000));
}

#[test]
fn an_address_that_is_none_is_refused() {
    for url in [
        "",
        "127.0.0.1",
        "https://127.0.0.1/",
        "http://",
        "http:///x",
        "http://:80/",
        "http://a b/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:/",
        "http://127.0.0.1:x",
    ] {
        let run = Run::new(LESSON, &["--url", url]).end();
        run.refused(2, &["--url", "http://HOST:PORT/PATH"]);
    }
    let run = Run::new(LESSON, &["--url", "https://127.0.0.1/"]).end();
    run.refused(2, &["--url", "https is not spoken here"]);
    // What no rule of ours forbids is asked for, in vain.
    let run = Run::new(LESSON, &["--url", "http://a<b/"]).end();
    run.refused(1, &["not an http:// address", "http://a<b/", "--url"]);
}

#[test]
fn nobody_listens_there() {
    let nobody = DeadEnd::new().expect("a port is free");
    let url = nobody.url() + "/x";
    let run = Run::new(LESSON, &["--url", &url]).end();
    run.refused(1, &["none of 80", &url, "nobody listens there: 80", "--url"]);
    assert_eq!(failures(run.trace.events())["nobody listens there"], 80);
}

/// Answers so many requests in this way, and then listens no longer.
fn server(answers: usize, head: &'static str) -> (String, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url =
        format!("http://{}/x", listener.local_addr().expect("it has one"));
    let serving = thread::spawn(move || {
        let mut heads = 0;
        for socket in listener.incoming().take(answers) {
            let mut socket = socket.expect("somebody calls");
            let mut request = [0; 4096];
            let length = socket.read(&mut request).expect("and asks");
            heads += usize::from(request[..length].starts_with(b"GET /x "));
            write!(
                socket,
                "HTTP/1.1 {head}\r\nContent-Length: 2\r\n\
                 Connection: close\r\n\r\nok"
            )
            .expect("and waits");
        }
        heads
    });
    (url, serving)
}

#[test]
fn another_server_is_asked_as_often() {
    let (url, serving) = server(80, "200 OK");
    let run = Run::new(LESSON, &["--url", &url]).end().well();
    assert_eq!(serving.join().expect("it served"), 80);
    assert_eq!(run.stdout.matches("not shown here").count(), 4);
    assert_eq!(happened(run.trace.events(), "sent").count(), 80);
    // What is claimed of the local site is not claimed of this one.
    assert_eq!(happened(run.trace.events(), "claim").count(), 2);
    let own = run.trace.events()[0].pid;
    assert!(run.trace.events().iter().all(|event| event.pid == own));
}

#[test]
fn another_server_that_stops_halfway() {
    let (url, serving) = server(50, "200 OK");
    let run = Run::new(LESSON, &["--step", "ramp", "--url", &url]);
    let run = run.end().well();
    assert_eq!(serving.join().expect("it served"), 50);
    let outcomes = failures(run.trace.events());
    assert_eq!(outcomes[""], 50);
    assert_eq!(outcomes.values().sum::<usize>(), 80, "{outcomes:?}");
    for why in outcomes.keys().filter(|why| !why.is_empty()) {
        let gone = ["nobody listens there", "the connection ended early"];
        assert!(gone.contains(&why.as_str()), "{why}");
        assert!(run.stdout.contains(why.as_str()), "{}", run.stdout);
    }
}

#[test]
fn another_server_that_fails() {
    let (url, serving) = server(80, "503 Service Unavailable");
    let run = Run::new(LESSON, &["--url", &url]).end();
    run.refused(1, &["none of 80", "503 Service Unavailable: 80"]);
    serving.join().expect("it served");
}

/// The site and a few threads can be had, eighty cannot.
#[test]
fn too_few_threads_to_be_had() {
    if !Uid::effective().is_root() {
        // All of this user's count, and nobody knows how many there are.
        not_run("load-ramp: too few threads", "this user is no other");
        return;
    }
    for step in ["ramp", "closed_or_open"] {
        let args = ["--step", step, "--speed", "20"];
        let run = Run::of_few(LESSON, 12, &args);
        run.end().refused(1, &[step, "cannot make a thread", "ulimit -u"]);
    }
}

/// What stands still when somebody ends the lesson does not stay behind.
#[test]
fn ended_while_the_server_stands_still() {
    let args = ["--step", "closed_or_open", "--speed", "0.1"];
    let run = Run::new(LESSON, &args);
    let path = run.trace_path();
    let ended = run.end_after(|child| {
        testkit::until("somebody waits", || {
            let trace = Trace::read(&path).unwrap_or_default();
            happened(trace.events(), "sent").count() > 0
        });
        let pid = Pid::from_raw(child.id() as i32);
        kill(pid, Signal::SIGTERM).expect("it runs");
    });
    assert_eq!((ended.code, ended.stderr.as_str()), (143, ""));
}
