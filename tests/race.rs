//! Lesson 17: an update between another's reading and writing is lost.

use serde_json::Value;
use shared::trace::Event;
use std::fs;
use std::process::Command;
use testkit::{Change, Check, Lesson, Run, Screen, happened, noted};

const LESSON: Lesson = Lesson {
    package: "race",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_race"),
};

testkit::battery!(LESSON);

#[test]
fn held_after_reading_one_overwrites_the_other() {
    let args = ["--step", "by_hand", "--hold", "has read"];
    let keys = [("is held", ""), ("is held", "\n"), ("writes: ", "\n")];
    let screen = Screen::of(LESSON, 80, &args, &keys);
    let text = screen.text();
    assert_eq!(screen.code, Some(0), "{text}");
    let claim = "at most one update is lost";
    let left = [1, -1].map(|left| format!("{claim} ({left})"));
    assert!(left.iter().any(|left| text.contains(left)), "{text}");
    assert_eq!(text.matches("reads: 0").count(), 2, "{text}");
}

#[test]
fn who_comes_when_the_other_has_written_loses_nothing() {
    let holds = ["--hold", "anna: has written", "--hold", "ben: comes"];
    let args = [&["--step", "by_hand"][..], &holds].concat();
    let keys = [("is held", ""), ("is held", "\n\n")];
    let screen = Screen::of(LESSON, 80, &args, &keys);
    let text = screen.text();
    assert_eq!(screen.code, Some(0), "{text}");
    assert!(text.contains("at most one update is lost (0)"), "{text}");
}

/// What is typed to walk mode lets nobody go; what is typed to those who are
/// held is no answer to walk mode.
#[test]
fn who_walks_and_holds_types_to_one_at_a_time() {
    let args = ["--walk", "--step", "by_hand", "--hold", "has read"];
    let keys = [
        ("Enter: begin", "\r"),
        ("Enter: more", "\r"),
        // Lines that nobody has asked for.
        ("Enter: run", "\r\n\n\n"),
        ("is held", ""),
        ("is held", "\n"),
        ("writes: ", "\n\nq"),
        ("Enter: next", "r"),
        ("is held", ""),
        ("is held", "\n\n"),
        ("Enter: next", "q"),
    ];
    let screen = Screen::of(LESSON, 80, &args, &keys);
    assert_eq!(screen.code, Some(0), "{}", screen.text());
    assert!(screen.restored);
    let views = screen.views();
    let ran: Vec<&String> =
        views.iter().filter(|view| view.contains("is held")).collect();
    assert_eq!(ran.len(), 2, "{views:?}");
    for view in ran {
        let held = view.rfind("is held").expect("it was looked for");
        let wrote = view.find("writes: ").expect("both have written");
        assert!(held < wrote, "{view}");
        assert!(view.lines().count() <= 24, "{view}");
    }
}

#[test]
fn who_holds_needs_a_terminal() {
    let args = ["--step", "by_hand", "--hold", "has read"];
    Run::new(LESSON, &args).end().refused(2, &["--hold", "terminal"]);
    // Where nobody sees who is held.
    let args = ["--step", "by_hand", "--runs", "2", "--hold", "has read"];
    Run::new(LESSON, &args).end().refused(2, &["--runs", "--hold"]);
    let args = ["--hold", "has slept"];
    Run::new(LESSON, &args).end().refused(2, &["comes, has read, has written"]);
}

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "both_read_first",
            claim: "one update is lost: not 0",
            proven: |events| {
                let wrote = |name| noted(events, name, "writes");
                wrote("anna") == 1 && wrote("ben") == -1
            },
            broken: (
                "main.rs",
                "let seen = number.load(Relaxed);\n                \
                 track.note(\"reads\", seen);\n                \
                 track.span(\"waits\", \
                 || both_have_read.wait());\n                \
                 track.span(\"thinks\", \
                 || track.pause_between(0.5, 1.5));\n                \
                 number.store(seen + change, Relaxed);",
                "both_have_read.wait();\n \
                 let seen = number.fetch_add(change, Relaxed);",
            ),
        },
        Check {
            step: "one_late_write",
            claim: "not 0, but as if nobody added",
            proven: |events| {
                noted(events, "anna", "comes to") == 1_000_000
                    && noted(events, "ben", "writes") == -1
            },
            broken: (
                "late.rs",
                "number.store(seen - 1, Relaxed);",
                "let seen = number.fetch_sub(1, Relaxed);",
            ),
        },
        Check {
            step: "by_hand",
            claim: "at most one update is lost",
            proven: |events| {
                let wrote = ["anna", "ben"]
                    .map(|name| noted(events, name, "writes").as_i64());
                wrote.iter().all(|wrote| {
                    wrote.is_some_and(|wrote| (-1..=1).contains(&wrote))
                })
            },
            broken: (
                "by_hand.rs",
                "number.load(Relaxed);\n                track",
                "5 + number.load(Relaxed);\n                track",
            ),
        },
        Check {
            step: "two_hundred_runs",
            claim: "runs that came to 0: none",
            proven: |events| {
                let left = values(events, "from 0", "value");
                left.len() == 200 && left.iter().all(|left| left % 2 == 1)
            },
            broken: (
                "outcomes.rs",
                "number.store(seen + change, Relaxed);",
                "let _: i64 = seen;\n number.fetch_add(change, Relaxed);",
            ),
        },
        Check {
            step: "left_to_luck",
            claim: "furthest from 0: at most what one alone adds",
            proven: |events| {
                let left = values(events, "from 0", "value");
                left.len() == 200 && left.iter().all(|left| *left <= 200_000)
            },
            // Anna adds twice as much, and ben takes nothing away.
            broken: (
                "outcomes.rs",
                "update(number, change)",
                "update(number, 1 + change)",
            ),
        },
        Check {
            step: "lock_or_atomic",
            claim: "with a lock: 0",
            proven: |events| noted(events, "number", "with a lock") == 0,
            broken: (
                "main.rs",
                "*lock(&locked) += change)",
                "{ static CALLS: AtomicI64 = AtomicI64::new(0); \
                   static BOTH: Barrier = Barrier::new(2); \
                   if CALLS.fetch_add(1, Relaxed) > 1 { \
                       return *lock(&locked) += change; \
                   } \
                   let seen = *lock(&locked); \
                   BOTH.wait(); \
                   *lock(&locked) = seen + change; })",
            ),
        },
        Check {
            step: "lock_or_atomic",
            claim: "with an atomic: 0",
            proven: |events| noted(events, "number", "with an atomic") == 0,
            broken: (
                "main.rs",
                "atomic.fetch_add(change, Relaxed);",
                "static CALLS: AtomicI64 = AtomicI64::new(0); \
                 static BOTH: Barrier = Barrier::new(2); \
                 if CALLS.fetch_add(1, Relaxed) > 1 { \
                     atomic.fetch_add(change, Relaxed); \
                     return; \
                 } \
                 let seen = atomic.load(Relaxed); \
                 BOTH.wait(); \
                 atomic.store(seen + change, Relaxed);",
            ),
        },
        Check {
            step: "all_read_first",
            claim: "lost: all but one",
            proven: |events| written(events) == [1; 100],
            broken: (
                "hundred.rs",
                "let seen = number.load(Relaxed);\n                \
                 track.span(\"waits\", \
                 || all_have_read.wait());\n                \
                 number.store(seen + 1, Relaxed);",
                "all_have_read.wait();\n \
                 let seen = number.fetch_add(1, Relaxed);",
            ),
        },
        Check {
            step: "one_at_a_time",
            claim: "lost: none",
            proven: |events| written(events).into_iter().eq(1..=100),
            broken: NO_LOCK_WHILE_IT_WAITS,
        },
    ]);
}

/// The lock is held while reading and while writing, but not in between.
const NO_LOCK_WHILE_IT_WAITS: Change = (
    "hundred.rs",
    "let mut number = track.span(\"waits\", || lock(number));\n                \
     let seen = *number;",
    "static ALL: Barrier = Barrier::new(THREADS);\n \
     let seen = *lock(number);\n \
     ALL.wait();\n \
     let mut number = lock(number);",
);

/// What the events called `name` say of `key`.
fn values(events: &[Event], name: &str, key: &str) -> Vec<i64> {
    let values = happened(events, name).map(|event| &event.args[key]);
    values.filter_map(Value::as_i64).collect()
}

/// The numbers that were written, from the least.
fn written(events: &[Event]) -> Vec<i64> {
    let mut numbers = values(events, "writes", "number");
    numbers.sort_unstable();
    numbers
}

/// Rust code in the documentation of `refused.rs`: what its fence says, and
/// the code.
fn examples() -> Vec<(String, String)> {
    let path = format!("{}/src/refused.rs", LESSON.folder);
    let text = fs::read_to_string(path).expect("the lesson has it");
    let lines = text.lines().filter_map(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    let blocks = text.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.split_once('\n'));
    blocks.map(|(kind, code)| (kind.to_owned(), code.to_owned())).collect()
}

/// Stable Rust takes any error for the expected one, so the compiler is asked
/// for its number.
#[test]
fn what_is_refused_is_refused_for_the_reason_given() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let (source, output) = (place.path().join("a.rs"), place.path().join("a"));
    let mut refused = Vec::new();
    for (kind, code) in examples() {
        fs::write(&source, format!("fn main() {{\n{code}}}\n"))
            .expect("it can be written to");
        let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
        let run = Command::new(rustc)
            .args(["--edition", "2024", "--emit", "metadata", "-o"])
            .args([&output, &source])
            .output()
            .expect("rustc can be run");
        let said = String::from_utf8_lossy(&run.stderr);
        match kind.strip_prefix("compile_fail,") {
            None => assert!(run.status.success(), "{code}{said}"),
            Some(number) => {
                assert!(!run.status.success(), "it compiles:\n{code}");
                let expected = format!("error[{number}]");
                let errors: Vec<&str> = said
                    .lines()
                    .filter(|line| line.starts_with("error["))
                    .collect();
                assert!(
                    !errors.is_empty()
                        && errors
                            .iter()
                            .all(|line| line.starts_with(&expected)),
                    "{number}: {said}"
                );
                refused.push((code, said.into_owned()));
            }
        }
    }
    assert_eq!(refused.len(), 3);
    // The chapter shows the first, and what the compiler says to it.
    let chapter = fs::read_to_string(format!("{}/README.md", LESSON.folder));
    let chapter = chapter.expect("a lesson has a chapter");
    let (code, said) = &refused[0];
    assert!(chapter.contains(code.as_str()), "not in the chapter:\n{code}");
    let error = said.lines().next().expect("it said something");
    assert!(chapter.contains(error), "not in the chapter: {error}");
}
