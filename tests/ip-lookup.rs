//! Lesson 23: one by one, all at once, six at once; and what rows say when a
//! look-up fails.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::site::DeadEnd;
use shared::trace::{Event, Phase, Trace};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write, pipe};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use testkit::{
    Change, Check, Ended, Lesson, Run, happened, noted, open_spans, serve,
};

const LESSON: Lesson = Lesson {
    package: "ip-lookup",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_ip-lookup"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "one_by_one",
            claim: "every row is complete",
            proven: all_complete,
            broken: (
                "main.rs",
                "for row in &mut rows {\n        ask",
                "for row in rows.iter_mut().skip(1) {\n        ask",
            ),
        },
        Check {
            step: "one_by_one",
            claim: "at once at the site: one",
            proven: |events| most_at_once(events) == 1,
            broken: ALL_AT_ONCE,
        },
        Check {
            step: "one_by_one",
            claim: "as long as so many look-ups: from 24",
            proven: |events| look_ups_of_time(events) >= 24.0,
            broken: ALL_AT_ONCE,
        },
        Check {
            step: "a_thread_each",
            claim: "every row is complete",
            proven: all_complete,
            broken: JOINED_AT_ONCE,
        },
        Check {
            step: "a_thread_each",
            claim: "at once at the site: all",
            proven: |events| most_at_once(events) == 24,
            broken: JOINED_AT_ONCE,
        },
        Check {
            step: "a_thread_each",
            claim: "at once as the threads tell: all",
            proven: |events| {
                let asking = happened(events, "waits");
                let threads: BTreeSet<i32> =
                    asking.map(|event| event.tid).collect();
                threads.len() == 24 && most_at_once(events) == 24
            },
            broken: JOINED_AT_ONCE,
        },
        Check {
            step: "a_thread_each",
            claim: "as long as so many look-ups: below 12",
            proven: |events| look_ups_of_time(events) < 12.0,
            broken: JOINED_AT_ONCE,
        },
        Check {
            step: "six_threads",
            claim: "look-ups: as many as rows",
            proven: |events| {
                happened(events, "filled").count() == 24
                    && filled(events).len() == 24
            },
            broken: ONE_FORGOTTEN,
        },
        Check {
            step: "six_threads",
            claim: "every row is complete",
            proven: all_complete,
            broken: ONE_FORGOTTEN,
        },
        Check {
            step: "six_threads",
            claim: "at once at the site: six, never more",
            proven: |events| most_at_once(events) == 6,
            broken: TWELVE_THREADS,
        },
        Check {
            step: "six_threads",
            claim: "as long as so many look-ups: 4-12",
            proven: |events| (4.0..=12.0).contains(&look_ups_of_time(events)),
            broken: TWELVE_THREADS,
        },
        Check {
            step: "six_threads",
            claim: "as long as so many look-ups: 4-12",
            proven: |events| look_ups_of_time(events) < 24.0,
            broken: ASKED_WHILE_LOCKED,
        },
        Check {
            step: "each_row_says_why",
            claim: "rows that are complete",
            proven: |events| {
                let rows = filled(events);
                let complete = rows.iter().filter(|(address, row)| {
                    !WHY_NOT.iter().any(|(wrong, _)| wrong == *address)
                        && is_place(row)
                });
                complete.count() == 16 && all_say_why(&rows)
            },
            broken: CONTENT_WITH_NOTHING,
        },
        Check {
            step: "each_row_says_why",
            claim: "rows that say why not: the planned eight",
            proven: |events| all_say_why(&filled(events)),
            broken: CONTENT_WITH_NOTHING,
        },
        Check {
            step: "each_row_says_why",
            claim: "different reasons",
            proven: |events| {
                let rows = filled(events);
                let rows = WHY_NOT.map(|(wrong, _)| rows[wrong].as_str());
                let reasons = rows.into_iter().filter(|row| *row != ", ");
                reasons.collect::<BTreeSet<_>>().len() == 8
            },
            broken: CONTENT_WITH_NOTHING,
        },
        Check {
            step: "how_many_pay",
            claim: "of 48 threads had an address: at most 24",
            proven: |events| {
                let threads = noted(events, "main", "of 48, had an address");
                let threads = threads.as_array().cloned().unwrap_or_default();
                (1..=24).contains(&threads.len())
            },
            // There are twice as many.
            broken: (
                "price.rs",
                "let mut rows = known();",
                "let mut rows = known(); rows.extend(known());",
            ),
        },
    ]);
}

const ALL_AT_ONCE: Change = (
    "main.rs",
    "open(stage, Meet(1))?;\n    let main = stage.track(\"main\");\n    \
     for row in &mut rows {\n        ask(&main, &service, row);\n        \
     main.say(row.to_string());\n    }",
    "open(stage, Meet(24))?;\n share(stage, &mut rows, 24, \
     |thread, row| ask(thread, &service, row));",
);

/// Each thread is waited for before the next one is made; one address is
/// forgotten.
const JOINED_AT_ONCE: Change = (
    "main.rs",
    "open(stage, Meet(rows.len()))?;\n    thread::scope(|scope| {\n        \
     for row in &mut rows {\n            \
     let track = stage.track(row.address.to_string());\n            \
     scope.spawn(move || ask(&track, service, row));",
    "open(stage, Meet(1))?;\n thread::scope(|scope| {\n \
     for row in rows.iter_mut().skip(1) {\n \
     let track = stage.track(row.address.to_string());\n \
     let _ = scope.spawn(move || ask(&track, service, row)).join();",
);

const ONE_FORGOTTEN: Change =
    ("main.rs", "rows.iter_mut()", "rows.iter_mut().skip(1)");

/// Six threads, and who takes a row keeps the list until it is filled. (The
/// site waits for six, in vain.)
const ASKED_WHILE_LOCKED: Change = (
    "main.rs",
    "            scope.spawn(move || {\n                \
     while let Some(row) = next(list) {\n                    \
     work(&track, row);\n                }\n            });",
    "scope.spawn(move || while let Some(row) = \
     list.lock().unwrap_or_else(PoisonError::into_inner).next() \
     { work(&track, row); });",
);

const TWELVE_THREADS: Change =
    ("main.rs", "const THREADS: usize = 6;", "const THREADS: usize = 12;");

const CONTENT_WITH_NOTHING: Change = (
    "row.rs",
    "Success { city: String, country: String }",
    "Success { #[serde(default)] city: String, \
     #[serde(default)] country: String }",
);

/// What the rows of `each_row_says_why` say in place of a city.
const WHY_NOT: [(&str, &str); 8] = [
    ("1.1.1.1", "no answer in time"),
    ("9.9.9.9", "429 Too Many Requests, again in 30 s"),
    ("77.88.8.8", "no JSON"),
    ("114.114.114.114", "JSON that breaks off"),
    ("170.247.170.2", "missing field `city`"),
    ("192.5.5.241", "the connection ended early"),
    ("193.0.14.129", "nobody listens there"),
    ("192.168.7.7", "private range"),
];

fn all_say_why(rows: &BTreeMap<String, String>) -> bool {
    let says = |(address, why): &(&str, &str)| {
        rows.get(*address).is_some_and(|row| row == why)
    };
    WHY_NOT.iter().all(says)
}

/// What the rows say, by address.
fn filled(events: &[Event]) -> BTreeMap<String, String> {
    let rows = happened(events, "filled").map(|event| {
        let row = event.args["row"].as_str().expect("a row is text");
        let (address, told) = row.split_once(": ").expect("of two parts");
        (address.to_owned(), told.to_owned())
    });
    rows.collect()
}

fn all_complete(events: &[Event]) -> bool {
    let rows = filled(events);
    rows.len() == 24 && rows.values().all(|row| is_place(row))
}

/// A city and a country, each with a capital letter.
fn is_place(row: &str) -> bool {
    let capital = |name: &str| name.starts_with(char::is_uppercase);
    row.split_once(", ").is_some_and(|(a, b)| capital(a) && capital(b))
}

fn most_at_once(events: &[Event]) -> usize {
    open_spans(events, "waits").into_iter().max().unwrap_or(0)
}

/// The time of all look-ups in that of a mean one: the sum of the ends without
/// the sum of the beginnings is the sum of the times.
fn look_ups_of_time(events: &[Event]) -> f64 {
    let times = |phase| {
        let asks = events.iter().filter(move |event| event.name == "waits");
        asks.filter(move |event| event.ph == phase).map(|event| event.t_ns)
    };
    let sum: u64 =
        times(Phase::End).sum::<u64>() - times(Phase::Begin).sum::<u64>();
    let first = times(Phase::Begin).min().expect("it asks");
    let last = times(Phase::End).max().expect("and is answered");
    (last - first) as f64 * times(Phase::End).count() as f64 / sum as f64
}

/// A service of this test: what it answers to which path, and 404 to any
/// other; without a word to a path with no answer.
struct Service {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn new(answer: fn(&str) -> Option<String>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        let address = serve(move |client| {
            // Who leaves early is not this service's affair.
            let _ = attend(client, answer, &list);
        });
        Self { url: format!("http://{address}/where/is"), asked }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().expect("nobody panics").clone();
        asked.sort_unstable();
        asked
    }
}

fn attend(
    socket: TcpStream,
    answer: fn(&str) -> Option<String>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(&socket).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    asked.lock().expect("nobody panics").push(path.to_owned());
    match answer(path) {
        Some(answer) => (&socket).write_all(answer.as_bytes()),
        // Until the client leaves.
        None => lines.next().transpose().map(|_| ()),
    }
}

fn http(status: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    ))
}

fn success(city: &str) -> Option<String> {
    let answer = serde_json::json!(
        {"status": "success", "city": city, "country": "Nowhere"}
    );
    http("200 OK", &answer.to_string())
}

/// A run with the addresses of a file.
fn with_file(text: impl AsRef<[u8]>, args: &[&str]) -> Ended {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let file = place.path().join("addresses.txt");
    fs::write(&file, text).expect("and written to");
    let mut run = Run::new(LESSON, args);
    run.command.arg("--addresses").arg(file);
    run.end()
}

#[test]
fn another_service_is_asked_and_no_site_is_started() {
    let service = Service::new(|_| success("Utopia"));
    let ended = Run::new(LESSON, &["--url", &service.url]).end().well();
    let asked = service.asked();
    // Each address by each of three steps.
    assert_eq!(asked.len(), 3 * 24);
    let different: BTreeSet<&String> = asked.iter().collect();
    assert_eq!(different.len(), 24);
    assert!(asked[0].starts_with("/where/is/1.1.1.1"), "{asked:?}");
    let events = ended.trace.events();
    assert_eq!(ended.trace.count("claim"), 0);
    assert_eq!(ended.stdout.matches("not shown here").count(), 5);
    assert_eq!(ended.trace.count("reaped"), 0, "there is no other process");
    assert!(filled(events).values().all(|row| row == "Utopia, Nowhere"));
}

#[test]
fn a_row_of_another_service_says_why_and_the_others_are_complete() {
    let service = Service::new(|path| match path.rsplit('/').next()? {
        "9.0.0.1" => http("429 Too Many Requests\r\nRetry-After: 60", ""),
        "9.0.0.2" => http("200 OK", "<html>who are you?</html>"),
        "9.0.0.3" => http("200 OK", r#"{"status": "success", "city": "Ut"#),
        "9.0.0.4" => http("200 OK", r#"{"status": "success", "city": "U"}"#),
        "9.0.0.5" => http("200 OK", r#"{"status": "fail", "message": "why?"}"#),
        "9.0.0.6" => http("200 OK", r#"{"status": "perhaps"}"#),
        "9.0.0.7" => http("200 OK", "[[[[]]]]"),
        "9.0.0.8" => http("200 OK", &" ".repeat(100_000)),
        "9.0.0.9" => Some("nonsense\r\n\r\n".to_owned()),
        "9.0.0.10" => None,
        "9.0.0.11" => success("\u{1b}[2J\u{7}Uto\npia"),
        "9.0.0.12" => success(&"Utopia ".repeat(1000)),
        "9.0.0.13" => http("200 OK", &"[".repeat(60_000)),
        "9.0.0.14" => Some(String::new()),
        "9.0.0.15" => http("302 Found\r\nLocation: /again", ""),
        "again" => http("302 Found\r\nLocation: /again", ""),
        "9.0.0.16" => http("302 Found\r\nLocation: https://127.0.0.1/", ""),
        _ => success("Utopia"),
    });
    let file: String = (1..=20).map(|n| format!("9.0.0.{n}\n")).collect();
    for (step, steps) in [("one_by_one", 1), ("a_thread_each", 1)] {
        // At natural pace there is time for all of a chain of redirects.
        let args = ["--url", &service.url, "--step", step, "--speed", "1"];
        let ended = with_file(&file, &args);
        ended.refused(1, &["14 of 20 look-ups failed", "say why"]);
        assert_eq!(ended.trace.count("step"), steps);
        let rows = filled(ended.trace.events());
        for (n, why) in [
            (1, "429 Too Many Requests, again in 60 s"),
            (2, "no JSON"),
            (3, "JSON that breaks off"),
            (4, "missing field `country`"),
            (5, "why?"),
            (6, "unknown variant `perhaps`, expected `success` or `fail`"),
            (7, "invalid type"),
            (8, "more than 65536 bytes"),
            (10, "no answer in time"),
            (13, "invalid type"),
            (14, "the connection ended early"),
            (15, "too many redirects"),
            (16, "sent on to https, which is not spoken here"),
        ] {
            let row = &rows[&format!("9.0.0.{n}")];
            assert!(row.starts_with(why), "{n}: {row}");
        }
        assert_eq!(rows["9.0.0.11"], "[2JUtopia, Nowhere");
        assert!(rows["9.0.0.12"].len() < 80, "{}", rows["9.0.0.12"]);
        for n in 17..=20 {
            assert_eq!(rows[&format!("9.0.0.{n}")], "Utopia, Nowhere");
        }
        assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
    }
}

#[test]
fn a_host_where_nobody_listens() {
    let nobody = DeadEnd::new().expect("there is a free port");
    let url = nobody.url() + "/json/";
    let ended = Run::new(LESSON, &["--url", &url]).end();
    ended.refused(1, &["24 of 24 look-ups failed"]);
    let rows = filled(ended.trace.events());
    assert_eq!(rows.len(), 24);
    assert!(rows.values().all(|row| row == "nobody listens there"));
    // Whoever fails is not asked again.
    assert_eq!(ended.trace.count("step"), 1);
}

#[test]
fn what_is_no_service_is_refused() {
    for url in [
        "",
        "ip-api.com",
        "https://ip-api.com/json/",
        "http://",
        "http:///json/",
        "http://ip-api.com/json/?fields=city",
        "http://ip-api.com/json/#city",
        "http://ip-api.com:99999/",
        "http://ip-api.com:x/",
        "http://ip api.com/",
    ] {
        let run = Run::new(LESSON, &["--url", url]).end();
        run.refused(2, &["--url", "http://ip-api.com/json/"]);
    }
}

#[test]
fn a_service_that_speaks_https_is_named() {
    let url = "https://ip-api.com/json/";
    let run = Run::new(LESSON, &["--url", url]).end();
    run.refused(2, &["https is not spoken here"]);
}

#[test]
fn addresses_of_a_pipe_are_for_all_steps() {
    let mut run = Run::new(LESSON, &["--addresses", "/dev/stdin"]);
    let (end, mut other) = pipe().expect("a pipe can be had");
    other.write_all(b"8.8.8.8\n9.9.9.9\n").expect("it is not full");
    drop(other);
    run.command.stdin(end);
    let ended = run.end().well();
    for address in ["8.8.8.8", "9.9.9.9"] {
        let asked = happened(ended.trace.events(), "filled").filter(|event| {
            let row = event.args["row"].as_str().unwrap_or_default();
            row.starts_with(&format!("{address}: "))
        });
        // By three steps, and by the one that has its own.
        assert_eq!(asked.count(), 4, "{address}");
    }
}

#[test]
fn addresses_of_a_file() {
    let file = "# two, and one again\n8.8.8.8\n\n 9.9.9.9 # nine\r\n8.8.8.8\n\
                2001:4860:4860::8888";
    let ended = with_file(file, &[]).well();
    // The step with planned faults has addresses of its own.
    let rows = filled(ended.trace.events());
    assert!(is_place(&rows["2001:4860:4860::8888"]));
    let count = happened(ended.trace.events(), "filled").count();
    assert_eq!(count, 3 * 3 + 24);
    let own = "--addresses: this step has its own";
    assert_eq!(ended.stdout.matches(own).count(), 2);

    let args = ["--step", "six_threads"];
    let ended = with_file("8.8.8.8\n10.0.0.1\n9.9.9.9\n", &args);
    ended.refused(1, &["1 of 3 look-ups failed"]);
    let rows = filled(ended.trace.events());
    assert_eq!(rows["10.0.0.1"], "private range");
    assert!(is_place(&rows["8.8.8.8"]) && is_place(&rows["9.9.9.9"]));
}

#[test]
fn files_without_addresses() {
    let many: String = (0..=200).map(|n| format!("9.9.8.{n}\n")).collect();
    for (text, why) in [
        ("".as_bytes(), "there is none in it"),
        (b"\n# 8.8.8.8\n", "there is none in it"),
        (b"8.8.8.8\nlocalhost\n", "line 2: \"localhost\" is no IP address"),
        (b"8.8.8\n", "line 1"),
        (b"8.8.8.8 9.9.9.9\n", "line 1"),
        (b"\x1b[2J\n", "line 1"),
        (b"8.8.8.8\n\xff\xfe\n", "UTF-8"),
        (many.as_bytes(), "201 are too many, 200 at most"),
        (&[b'\n'; 70_000], "more than 65536 bytes"),
    ] {
        let ended = with_file(text, &[]);
        ended.refused(1, &["addresses.txt", "give one a line", why]);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
    }
    for (file, why) in [
        ("/there/is/no/such/file", "No such file or directory"),
        ("/proc", "Is a directory"),
        ("/dev/zero", "more than 65536 bytes"),
    ] {
        let run = Run::new(LESSON, &["--addresses", file]).end();
        run.refused(1, &[file, why]);
    }
}

#[test]
fn a_lesson_killed_while_it_asks_takes_the_site_along() {
    let run = Run::new(LESSON, &["--step", "a_thread_each", "--speed", "0.05"]);
    let trace = run.trace_path();
    let ended = run.end_after(|_| {
        let mut lesson = None;
        testkit::until("all ask", || {
            let trace = Trace::read(&trace).unwrap_or_default();
            lesson = trace.events().first().map(|event| event.pid);
            trace.count("waits") == 24
        });
        let lesson = Pid::from_raw(lesson.expect("it was found"));
        kill(lesson, Signal::SIGKILL).expect("it runs");
    });
    ended.refused(1, &["was killed by SIGKILL"]);
}

#[test]
fn a_site_killed_halfway_spoils_only_the_rows_after_it() {
    let run = Run::new(LESSON, &["--step", "one_by_one", "--speed", "2"]);
    let trace = run.trace_path();
    let ended = run.end_after(|_| {
        let mut lesson = 0;
        testkit::until("five rows are filled", || {
            let trace = Trace::read(&trace).unwrap_or_default();
            lesson = trace.events().first().map_or(0, |event| event.pid);
            trace.count("filled") >= 5
        });
        // The site is the only child of the lesson.
        let children = format!("/proc/{lesson}/task/{lesson}/children");
        let site = fs::read_to_string(children).expect("the lesson runs");
        let site = site.trim().parse().expect("and has one child");
        kill(Pid::from_raw(site), Signal::SIGKILL).expect("which runs");
    });
    ended.refused(1, &["the local site", "run the lesson again"]);
    let rows = filled(ended.trace.events());
    assert_eq!(rows.len(), 24);
    let complete = rows.values().filter(|row| is_place(row)).count();
    assert!((5..24).contains(&complete), "{complete}");
    assert_eq!(rows["223.5.5.5"], "nobody listens there");
}
