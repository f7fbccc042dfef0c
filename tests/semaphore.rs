//! Lesson 20: never more inside than there are permits.

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
            claim: "all twenty are inside at once",
            proven: |events| open_spans(events, "inside").contains(&20),
            broken: (
                "main.rs",
                "Barrier::new(GUESTS);\n    thread::scope(|scope| {\n        for guest in guests(stage)",
                "Barrier::new(3);\n    thread::scope(|scope| {\n        for guest in guests(stage).take(3)",
            ),
        },
        Check {
            step: "five_inside",
            claim: "never more than five inside",
            proven: |events| {
                let inside = open_spans(events, "inside");
                !inside.is_empty() && inside.iter().all(|&inside| inside <= 5)
            },
            broken: NOBODY_ACQUIRES,
        },
        Check {
            step: "five_inside",
            claim: "all five seats were taken",
            proven: |events| open_spans(events, "inside").into_iter().max() == Some(5),
            broken: NOBODY_ACQUIRES,
        },
        Check {
            step: "five_inside",
            claim: "all twenty were inside",
            proven: |events| happened(events, "inside").count() == 20,
            broken: (
                "main.rs",
                "for guest in guests(stage) {\n            let seats",
                "for guest in guests(stage).take(19) {\n            let seats",
            ),
        },
        Check {
            step: "one_release_too_many",
            claim: "the plain one now admits six",
            proven: |events| noted(events, "plain", "permits") == 6,
            broken: ("main.rs", "*free += 1;", "*free += 0;"),
        },
        Check {
            step: "one_release_too_many",
            claim: "the bounded one still five",
            proven: |events| noted(events, "bounded", "permits") == 5,
            broken: NO_BOUND,
        },
        Check {
            step: "one_release_too_many",
            claim: "and refuses",
            proven: |events| noted(events, "bounded", "release") != "ok",
            broken: NO_BOUND,
        },
    ]);
}

const NOBODY_ACQUIRES: testkit::Change = (
    "main.rs",
    "guest.span(\"waits\", || seats.acquire())",
    "guest.span(\"waits\", || ())",
);

const NO_BOUND: testkit::Change =
    ("main.rs", "self.bound != Some(*free)", "true");
