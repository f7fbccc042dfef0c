//! Lesson 20: never more inside than there are permits.

use shared::trace::Event;
use std::collections::HashSet;
use testkit::{Check, Lesson, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "semaphore",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_semaphore"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "nobody_counts",
            claim: "inside at once: all twenty",
            proven: |events| open_spans(events, "inside").contains(&20),
            broken: (
                "main.rs",
                "guest.span(\"inside\", || {
                    guest.say(\"takes a seat\");
                    all_inside.wait();",
                "all_inside.wait();
                static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
                let _one = ONE.lock();
                guest.span(\"inside\", || {
                    guest.say(\"takes a seat\");",
            ),
        },
        Check {
            step: "five_inside",
            claim: "inside at once: five, never more",
            proven: five_and_never_more,
            broken: NOBODY_ACQUIRES,
        },
        Check {
            step: "five_inside",
            claim: "inside at once: five, never more",
            proven: five_and_never_more,
            broken: (
                "main.rs",
                "let seats = Semaphore::new(SEATS, None);
    let (entered, first) = (AtomicUsize::new(0), Barrier::new(SEATS));",
                "let seats = Semaphore::new(1, None);
    let (entered, first) = (AtomicUsize::new(0), Barrier::new(1));",
            ),
        },
        Check {
            step: "five_inside",
            claim: "inside in the end: all twenty",
            proven: |events| happened(events, "inside").count() == 20,
            broken: (
                "main.rs",
                "scope.spawn(move || {\n                guest.span(\"waits\"",
                "if guest.name() == \"guest 7\" { continue }\n            scope.spawn(move || {\n                guest.span(\"waits\"",
            ),
        },
        Check {
            step: "one_release_too_many",
            claim: "the plain one counts one more",
            proven: |events| noted(events, "plain", "permits") == 6,
            broken: ("semaphore.rs", "*free += 1;", "*free += 0;"),
        },
        Check {
            step: "five_processes",
            claim: "inside at once: five, never more",
            proven: five_and_never_more,
            broken: NO_PERMITS,
        },
        Check {
            step: "five_processes",
            claim: "inside at once: five, never more",
            proven: five_and_never_more,
            broken: (
                "processes.rs",
                "let seats = Semaphore::new(SEATS)?;
    let (entered, first) = (Lock::new(0)?, Barrier::new(SEATS)?);",
                "let seats = Semaphore::new(1)?;
    let (entered, first) = (Lock::new(0)?, Barrier::new(1)?);",
            ),
        },
        Check {
            step: "five_processes",
            claim: "inside in the end: all twenty",
            proven: |events| {
                let pids = happened(events, "inside").map(|event| event.pid);
                pids.collect::<HashSet<_>>().len() == 20
            },
            broken: (
                "processes.rs",
                "let process = Process",
                "if guest.name() == \"guest 7\" { continue }\n        let process = Process",
            ),
        },
        Check {
            step: "five_processes",
            claim: "permits in the end: five again",
            proven: |events| noted(events, "host", "free permits") == 5,
            broken: (
                "processes.rs",
                "let host =",
                "let _kept = seats.acquire()?;\n    let host =",
            ),
        },
        Check {
            step: "one_release_too_many",
            claim: "the bounded one as many as before",
            proven: |events| noted(events, "bounded", "permits") == 5,
            broken: NO_BOUND,
        },
        Check {
            step: "one_release_too_many",
            claim: "and refuses the release",
            proven: |events| noted(events, "bounded", "release") != "ok",
            broken: NO_BOUND,
        },
    ]);
}

fn five_and_never_more(events: &[Event]) -> bool {
    open_spans(events, "inside").into_iter().max() == Some(5)
}

/// Nobody asks, and nobody leaves before all are inside.
const NOBODY_ACQUIRES: testkit::Change = (
    "main.rs",
    "guest.span(\"waits\", || seats.acquire());
                guest.span(\"inside\", || {",
    "static ALL: Barrier = Barrier::new(GUESTS);
                guest.span(\"inside\", || {
                    ALL.wait();",
);

/// Nobody asks, and nobody leaves before all are inside.
const NO_PERMITS: testkit::Change = (
    "processes.rs",
    "for guest in guests(stage) {
        let process = Process::spawn(|| {
            let _permit = guest.span(\"waits\", || seats.acquire())?;
            let _inside = guest.begin(\"inside\");",
    "let all = Barrier::new(GUESTS)?;
    for guest in guests(stage) {
        let process = Process::spawn(|| {
            let _inside = guest.begin(\"inside\");
            all.wait_timeout(PATIENCE)?;",
);

const NO_BOUND: testkit::Change =
    ("semaphore.rs", "self.bound != Some(*free)", "true");
