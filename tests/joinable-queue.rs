//! Lesson 10: join waits for every page, whatever happens to pages and workers.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use shared::trace::{Event, Phase, Trace};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use testkit::{Change, Check, Ended, Lesson, Run, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "joinable-queue",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_joinable-queue"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "until_all_is_done",
            claim: "the queue is empty: not done yet",
            // As many as were not done when that was written down, or more:
            // `done` is written before task_done is said.
            proven: |events| {
                let name = "not done when the queue is empty";
                let place = events.iter().position(|event| event.name == name);
                let before = &events[..place.unwrap_or(0)];
                let left = 12 - done_pages(before).len() as u64;
                let told = noted(events, "worker", name).as_u64();
                left > 0 && told.is_some_and(|told| told >= left)
            },
            broken: (
                "main.rs",
                "let left = desk.pages.unfinished();",
                "let left = desk.pages.len();",
            ),
        },
        Check {
            step: "until_all_is_done",
            claim: "join returns: done, all of them",
            proven: |events| {
                let returns = events
                    .iter()
                    .position(|event| event.name == "join returns");
                let before = &events[..returns.unwrap_or(0)];
                sorted(done_pages(before)) == sorted(pages(1..=12))
            },
            // It waits for nothing when there is nothing yet.
            broken: (
                "main.rs",
                "let desk = Desk::new(&list)?;",
                "let desk = Desk::new(&list)?;
                desk.pages.join();
                parent.mark(\"join returns\");",
            ),
        },
        Check {
            step: "until_all_is_done",
            claim: "exactly one result: all",
            proven: |events| {
                let results = noted(events, "parent", "results");
                sorted(texts(&results)) == sorted(pages(1..=12))
            },
            broken: (
                "main.rs",
                "desk.results.put(&Visit { address, page })?;",
                "if !address.ends_with(\"/7\") {
                    desk.results.put(&Visit { address, page })?;
                }",
            ),
        },
        Check {
            step: "how_many_workers",
            claim: "one by one, as a part of the sum of fetches: 1 or more",
            proven: |events| most(events, "one by one") == 1,
            broken: ("ways.rs", "(\"one by one\", 1)", "(\"one by one\", 12)"),
        },
        Check {
            step: "how_many_workers",
            claim: "together, as a part of the sum of fetches: less than 1",
            proven: |events| most(events, "together") >= 2,
            broken: ALL_ALONE,
        },
        Check {
            step: "how_many_workers",
            claim: "all at once, as a part of the sum of fetches: half at most",
            // Half of them went on together, at least, at some time.
            proven: |events| most(events, "all at once") >= 3,
            broken: ALL_ALONE,
        },
        Check {
            step: "bad_pages",
            claim: "failed, each for its own reason: all",
            proven: |events| {
                WRONG.iter().all(|(page, reason)| {
                    noted(events, "worker", page) == *reason
                })
            },
            // As many fail, but one of them for another reason.
            broken: (
                "faults.rs",
                "(\"/pages/2\", Fault::NotFound, ",
                "(\"/pages/2\", Fault::Closed, ",
            ),
        },
        Check {
            step: "bad_pages",
            claim: "titles: of all the others",
            proven: |events| {
                let bad = WRONG.map(|(page, _)| page);
                let notes = happened(events, "done").filter(|event| {
                    let page = event.args["page"].as_str().unwrap_or_default();
                    noted(events, "worker", page).is_null()
                        && !bad.contains(&page)
                });
                notes.count() == 5
                    && bad
                        .iter()
                        .all(|page| !noted(events, "worker", page).is_null())
            },
            broken: NOTHING_WRONG,
        },
        Check {
            step: "once_too_often",
            claim: "pages not done when join returns",
            proven: |events| {
                let place = |track: &str, name: &str, ph: Phase| {
                    events.iter().position(|event| {
                        event.track == track
                            && event.name == name
                            && event.ph == ph
                    })
                };
                let returns = place("parent", "join returns", Phase::Instant);
                place("slow", "works", Phase::Begin) < returns
                    && returns < place("slow", "works", Phase::End)
            },
            broken: SAID_ONCE,
        },
        Check {
            step: "once_too_often",
            claim: "the other worker's task_done: refused",
            proven: |events| {
                noted(events, "slow", "hears")
                    == "task_done was said for more items than were put"
            },
            broken: SAID_ONCE,
        },
        Check {
            step: "with_a_page",
            claim: "join waits for the dead",
            proven: |events| {
                let told = "join has returned within ";
                let mut told =
                    events.iter().filter(|event| event.name.starts_with(told));
                told.any(|told| told.args["value"] == false)
                    && done_pages(events).len() < 12
            },
            broken: DIES_WITHOUT_A_PAGE,
        },
        Check {
            step: "with_a_page",
            claim: "done by the others: the rest",
            proven: |events| {
                sorted(done_pages(events)) == sorted(pages(2..=12))
            },
            broken: DIES_WITHOUT_A_PAGE,
        },
        Check {
            step: "with_a_page",
            claim: "lost: the page in its hand",
            proven: |events| {
                let held = noted(events, "victim", "takes");
                noted(events, "parent", "no result") == json!([held])
            },
            broken: DIES_WITHOUT_A_PAGE,
        },
        Check {
            step: "with_a_page",
            claim: "counted as done: join returns",
            proven: |events| {
                noted(events, "parent", "join returns now") == true
            },
            broken: (
                "killed.rs",
                "desk.pages.task_done()?; // in the name of the dead",
                "",
            ),
        },
        Check {
            step: "interrupted",
            claim: "ended by",
            proven: |events| {
                let waits = happened(events, "waits").next();
                let program = waits.map(|waits| i64::from(waits.pid));
                let mut ends = happened(events, "reaped");
                ends.any(|end| {
                    end.args["pid"].as_i64() == program
                        && end.args["signal"] == "SIGINT"
                })
            },
            broken: (
                "interrupt.rs",
                "let _ = raise(Signal::SIGINT);",
                "if true { exit(0) } let _ = raise(Signal::SIGINT);",
            ),
        },
        Check {
            step: "interrupted",
            claim: "told: the pages that were done",
            proven: |events| {
                sorted(done_pages(events)) == sorted(pages(1..=4))
                    && noted(events, "program", "done so far") == 4
            },
            broken: RESULTS_FORGOTTEN,
        },
        Check {
            step: "interrupted",
            claim: "not done: the others",
            proven: |events| noted(events, "program", "not done") == 12 - 4,
            broken: RESULTS_FORGOTTEN,
        },
    ]);
}

/// One worker, whoever asks for more.
const ALL_ALONE: Change =
    ("ways.rs", "Crew::start(workers, ", "Crew::start(workers.min(1), ");

const NOTHING_WRONG: Change = (
    "faults.rs",
    "List::read(stage, wrong)?",
    "List::read(stage, wrong.into_iter().take(0))?",
);

/// The hasty worker is not, and the slow one is let go.
const SAID_ONCE: Change = (
    "faults.rs",
    "let hurrying = daemon().spawn(|| says_it_twice(&hasty, &pages))?;",
    "let _ = says_it_twice;
    let hurrying = daemon().spawn(|| {
        let _page = pages.get()?;
        pages.task_done()
    })?;
    go_on.set();",
);

/// The victim has done its page before it is killed.
const DIES_WITHOUT_A_PAGE: Change = (
    "killed.rs",
    "in_hand.set();",
    "let page = Err(crate::page::Problem::NoTitle);
        victim.mark_with(\"done\", [(\"page\", short(&address).into())]);
        desk.results.put(&crate::page::Visit { address, page })?;
        desk.pages.task_done()?;
        in_hand.set();",
);

/// What the workers have put is not looked at.
const RESULTS_FORGOTTEN: Change = (
    "crew.rs",
    "worker.wait();
        }
        let (list, visits) = (self.desk.list, self.desk.visits());",
    "worker.wait();
        }
        let (list, visits) = (self.desk.list, Vec::new());",
);

const WRONG: [(&str, &str); 7] = [
    ("/pages/2", "404 Not Found"),
    ("/pages/4", "the connection ended early"),
    ("/pages/5", "half a page: <html> has no end"),
    ("/pages/7", "no answer in time"),
    ("/pages/8", "the connection ended early"),
    ("/pages/10", "more than 65536 bytes"),
    ("/pages/11", "too many redirects"),
];

fn pages(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(|n| format!("/pages/{n}")).collect()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// The pages that were done, in order.
fn done_pages(events: &[Event]) -> Vec<String> {
    let done = happened(events, "done");
    done.filter_map(|event| event.args["page"].as_str().map(str::to_owned))
        .collect()
}

/// How many spans of this name went on at once.
fn most(events: &[Event], name: &str) -> usize {
    open_spans(events, name).into_iter().max().unwrap_or(0)
}

#[test]
fn a_failed_page_stands_in_the_table_with_its_reason() {
    let run = Run::new(LESSON, &["--step", "bad_pages"]).end().well();
    for (page, reason) in WRONG {
        let row = format!("{page} ");
        let mut rows = run
            .stdout
            .lines()
            .filter(|line| line.trim_start().starts_with(&row));
        let shown = rows.any(|row| row.contains(&format!("({reason})")));
        assert!(shown, "{page}: {}", run.stdout);
    }
    assert_eq!(noted(run.trace.events(), "parent", "pages that failed"), 7);
}

/// Runs a step slowly until so many pages are done, and then does something to
/// a process that fetches one.
fn when_done(pages: usize, step: &str, deed: impl FnOnce(Pid, Pid)) -> Ended {
    let pace = ["--speed", "0.5", "--workers", "2"];
    let run = Run::new(LESSON, &[&["--step", step][..], &pace].concat());
    let trace = run.trace_path();
    run.end_after(|child| {
        let mut fetching = None;
        testkit::until("some pages are done", || {
            let trace = Trace::read(&trace).unwrap_or_default();
            // The one whose page was done last has another in its hand.
            let last =
                trace.events().iter().rfind(|event| event.name == "done");
            fetching = last.map(|event| Pid::from_raw(event.pid));
            trace.count("done") >= pages
        });
        let fetching = fetching.expect("a page was done");
        deed(Pid::from_raw(child.id() as i32), fetching);
    })
}

#[test]
fn control_c_keeps_what_was_done() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let ended = when_done(3, "until_all_is_done", |lesson, _| {
            kill(lesson, signal).expect("it runs");
        });
        assert_eq!(ended.code, 128 + signal as i32, "{}", ended.stdout);
        assert_eq!(ended.stderr, "");
        let events = ended.trace.events();
        let (told, left) = ("done so far", "not done");
        if signal == Signal::SIGTERM {
            assert!(noted(events, "parent", told).is_null());
            continue;
        }
        let told = noted(events, "parent", told).as_u64().expect("it tells");
        let left = noted(events, "parent", left).as_u64().expect("that too");
        assert!(told >= 3 && left > 0 && told + left == 12, "{told} {left}");
        let rows = ended.stdout.lines();
        let rows = rows.filter(|row| row.trim_start().starts_with("/pages/"));
        assert_eq!(rows.count() as u64, told, "{}", ended.stdout);
        // Nobody begins anything after that.
        let place = |name| events.iter().position(|event| event.name == name);
        let told = place("done so far");
        let later = &events[told.expect("it was told")..];
        assert_eq!(happened(later, "fetches").count(), 0);
    }
}

#[test]
fn control_c_to_all_of_them_is_the_same() {
    let ended = when_done(3, "until_all_is_done", |lesson, _| {
        // As a terminal does it; the lesson leads its group.
        nix::sys::signal::killpg(lesson, Signal::SIGINT).expect("it runs");
    });
    assert_eq!((ended.code, ended.stderr.as_str()), (130, ""));
    let told = noted(ended.trace.events(), "parent", "done so far");
    assert!(told.as_u64().is_some_and(|told| told >= 3), "{}", ended.stdout);
}

#[test]
fn a_real_control_c_takes_the_place_of_that_of_the_step() {
    for whole_group in [true, false] {
        // So slow that the step's own would come seconds later.
        let run =
            Run::new(LESSON, &["--step", "interrupted", "--speed", "0.2"]);
        let trace = run.trace_path();
        let ended = run.end_after(|child| {
            testkit::until("four pages are done, more are asked for", || {
                let trace = Trace::read(&trace).unwrap_or_default();
                trace.count("done") == 4 && trace.count("fetches") > 4
            });
            let lesson = Pid::from_raw(child.id() as i32);
            let sent = match whole_group {
                true => nix::sys::signal::killpg(lesson, Signal::SIGINT),
                false => kill(lesson, Signal::SIGINT),
            };
            sent.expect("it runs");
        });
        assert_eq!((ended.code, ended.stderr.as_str()), (130, ""));
        let events = ended.trace.events();
        let (told, left) = ("done so far", "not done");
        assert_eq!(noted(events, "program", told), 4, "{}", ended.stdout);
        assert_eq!(noted(events, "program", left), 12 - 4);
        assert_eq!(sorted(done_pages(events)), sorted(pages(1..=4)));
        let rows = ended.stdout.lines();
        let rows = rows.filter(|row| row.trim_start().starts_with("/pages/"));
        assert_eq!(rows.count(), 4, "{}", ended.stdout);
        assert!(!ended.stdout.contains("SIGINT to the"), "{}", ended.stdout);
    }
}

#[test]
fn a_worker_that_somebody_kills_is_told_with_its_page() {
    let mut killed = None;
    let ended = when_done(2, "until_all_is_done", |_, worker| {
        kill(worker, Signal::SIGKILL).expect("it runs");
        killed = Some(worker);
    });
    let pid = format!("(pid {})", killed.expect("it was killed"));
    ended.refused(1, &["until_all_is_done", &pid, "killed by SIGKILL"]);
    // It is told when it is noticed, not when the others have done the rest.
    let told = ended.trace.events().iter().position(|event| {
        let text = event.args.get("text").and_then(Value::as_str);
        text.is_some_and(|text| text.contains(&pid))
    });
    let later = &ended.trace.events()[told.expect("it is told")..];
    assert!(happened(later, "done").count() >= 4, "{}", ended.stdout);
    let (_, lost) =
        ended.stderr.split_once("not done: ").expect("it is told which");
    let (lost, _) = lost.split_once(';').expect("and what to do");
    let done: BTreeSet<_> =
        done_pages(ended.trace.events()).into_iter().collect();
    assert_eq!(done.len(), 11, "all the others are done");
    assert!(!done.contains(lost) && lost.starts_with("/pages/"), "{lost}");
    for page in done {
        assert!(ended.stdout.contains(&format!("{page} ")), "{page}");
    }
}

#[test]
fn a_lesson_killed_at_work_takes_its_workers_along() {
    let ended = when_done(2, "until_all_is_done", |supervisor, worker| {
        let parent = format!("/proc/{worker}/stat");
        let stat = std::fs::read_to_string(parent).expect("it runs");
        let parent = stat.rsplit_once(") ").expect("proc_pid_stat(5)").1;
        let lesson = parent.split(' ').nth(1).and_then(|pid| pid.parse().ok());
        let lesson = Pid::from_raw(lesson.expect("with a parent"));
        assert_ne!(lesson, supervisor);
        kill(lesson, Signal::SIGKILL).expect("it runs");
    });
    ended.refused(1, &["was killed by SIGKILL"]);
}

#[test]
fn so_many_pages_and_workers() {
    let options = ["--step", "how_many_workers", "--pages", "20"];
    let run = Run::new(LESSON, &[&options[..], &["--workers", "5"]].concat());
    let events = run.end().well().trace.events().to_vec();
    assert_eq!(most(&events, "together"), 5);
    assert_eq!(most(&events, "one by one"), 1);
    assert_eq!(done_pages(&events).len(), 3 * 20);
    for few in [&["--pages", "1"], &["--pages", "3"], &["--workers", "1"]] {
        let run = Run::new(LESSON, few).end().well();
        assert!(run.stdout.contains("not shown here"), "{}", run.stdout);
    }
    for wrong in [
        ["--pages", "-1"],
        ["--pages", "0"],
        ["--pages", "101"],
        ["--pages", "x"],
        ["--workers", "0"],
        ["--workers", "101"],
    ] {
        let asked = "give a whole number from 1 to 100";
        let words = [&wrong[..], &[asked]].concat();
        Run::new(LESSON, &wrong).end().refused(2, &words);
    }
}

/// A site of the test's own: pages by their paths. It remembers what it was
/// asked for.
struct Other {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Other {
    fn of(pages: &'static [(&str, &str, &str)]) -> Self {
        let listener =
            TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let address = listener.local_addr().expect("it has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || answer(&socket, pages, &seen));
            }
        });
        Self { url: format!("http://{address}"), asked }
    }

    fn asked(&self) -> BTreeSet<String> {
        let asked = self.asked.lock().expect("nobody panics");
        asked.iter().cloned().collect()
    }
}

fn answer(
    mut socket: &TcpStream,
    pages: &[(&str, &str, &str)],
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut lines = BufReader::new(socket).lines();
    let request = lines.next()?.ok()?;
    lines.find(|line| line.as_ref().map_or(true, |line| line.is_empty()));
    let path = request.split(' ').nth(1)?.to_owned();
    let page = pages.iter().find(|page| page.0 == path);
    let (status, kind, body) = match page {
        Some((_, kind, body)) => ("200 OK", *kind, *body),
        None => ("404 Not Found", "text/html", ""),
    };
    seen.lock().expect("nobody panics").push(path);
    let length = body.len();
    write!(
        socket,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()
}

#[test]
fn pages_of_another_site() {
    let site = Other::of(&[
        (
            "/a/list",
            "text/html; charset=utf-8",
            "<!doctype html><title>List</title>
             <script>\"<a href='/script'>\"</script><!-- <a href=/comment> -->
             <A HREF='one'>1</A><a href=\"../two#part\">2</a>
             <a href=/two>again</a><a href=\"#top\">here</a><a href=list>me</a>
             <a href=http://127.0.0.1:9/far>far</a><a href=https://x/>tls</a>
             <a href=mailto:a@b>mail</a><a href='a b'>no address</a><a>none</a>
             <a href='/three?a=1&amp;b=2'>3</a><a href=/four>4</a>
             <a href=/five>5</a><a href=/six>6</a><a href=/seven>7</a>",
        ),
        ("/a/one", "text/html", "<TITLE>\n One &amp;\n <b>more</b> </TITLE>"),
        ("/two", "text/html", "<html><head><title>Caf\u{e9}</title></html>"),
        ("/three?a=1&b=2", "text/html", "<p>nothing"),
        ("/four", "application/json", "{}"),
        ("/five", "text/html", "<html><title>Five</title><p>and then"),
        ("/six", "text/html", "<svg><title>Six\u{1b}[31m</title></svg>"),
    ]);
    let list = site.url.clone() + "/a/list";
    let run = Run::new(LESSON, &["--url", &list]).end().well();
    let asked = site.asked();
    let asked: Vec<_> = asked.iter().map(String::as_str).collect();
    let all = [
        "/a/list", "/a/one", "/five", "/four", "/seven", "/six",
        "/three?a=1&b=2", "/two",
    ];
    assert_eq!(asked, all);
    for row in [
        "/a/one One & <b>more</b>",
        "/two Caf\u{e9}",
        "/three?a=1&b=2 (it has no title)",
        "/four (no page, but application/json)",
        "/five (half a page: <html> has no end)",
        "/six Six[31m",
        "/seven (404 Not Found)",
    ] {
        let words: Vec<_> = row.split(' ').collect();
        let shown = run.stdout.lines().any(|line| {
            let line: Vec<_> = line.split_whitespace().collect();
            line.first() == words.first() && line.ends_with(&words[1..])
        });
        assert!(shown, "no row `{row}` in {}", run.stdout);
    }
    let events = run.trace.events();
    assert_eq!(noted(events, "parent", "pages that failed"), 4);
    assert_eq!(run.stdout.matches("not shown here").count(), 3);

    let few = ["--url", &list, "--pages", "2", "--step", "until_all_is_done"];
    let run = Run::new(LESSON, &few).end().well();
    assert_eq!(done_pages(run.trace.events()).len(), 2);
}

#[test]
fn lists_that_cannot_be_read_are_named() {
    let site = Other::of(&[
        ("/none", "text/html", "<title>None</title><a href=http://x/>x</a>"),
        ("/data", "application/json", "[]"),
    ]);
    let nobody = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = nobody.local_addr().expect("it has an address").port();
    drop(nobody);
    let nobody = format!("http://127.0.0.1:{port}/");
    for (url, why) in [
        (nobody, "nobody listens there"),
        (site.url.clone() + "/none", "no link"),
        (site.url.clone() + "/data", "no page, but application/json"),
        (site.url.clone() + "/missing", "404 Not Found"),
    ] {
        let run = Run::new(LESSON, &["--url", &url]).end();
        run.refused(1, &[&url, why, "--url"]);
    }
    for (url, why) in [
        ("", "not the address of a page"),
        ("x", "not the address of a page"),
        ("http://", "not the address of a page"),
        ("http:x", "not the address of a page"),
        ("http://a b/", "not the address of a page"),
        ("https://x/", "only http is spoken here"),
        ("http://127.0.0.1:0/", "a number from 1 to 65535"),
        ("http://127.0.0.1:99999/", "a number from 1 to 65535"),
    ] {
        let run = Run::new(LESSON, &["--url", url]).end();
        run.refused(2, &["--url", why, "http://127.0.0.1:8000/pages/"]);
    }
}
