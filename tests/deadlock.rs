//! Lesson 19: two locks in two orders are never given back.

use shared::trace::{Event, Phase};
use std::collections::BTreeSet;
use testkit::{Change, Check, Lesson, Run, Screen, happened};

const LESSON: Lesson = Lesson {
    package: "deadlock",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_deadlock"),
};

testkit::battery!(LESSON);

#[test]
fn held_with_one_each_they_are_stuck() {
    let args = ["--step", "by_hand", "--hold", "has one"];
    let keys = [("is held", ""), ("is held", "\n\n"), ("waits for", "")];
    let screen = Screen::of(LESSON, 80, &args, &keys);
    let text = screen.text();
    assert_eq!(screen.code, Some(0), "{text}");
    assert!(text.contains("pages written: none or two (0)"), "{text}");
    assert!(text.contains("stuck: who did not write (2)"), "{text}");
    assert!(text.contains("anna waits for the paper, which ben has"), "{text}");
    assert!(text.contains("ben waits for the pen, which anna has"), "{text}");
}

#[test]
fn who_comes_when_the_other_has_both_writes_afterwards() {
    let holds = ["--hold", "anna: has both", "--hold", "ben: comes"];
    let args = [&["--step", "by_hand"][..], &holds].concat();
    let keys = [("is held", ""), ("is held", "\n\n")];
    let screen = Screen::of(LESSON, 80, &args, &keys);
    let text = screen.text();
    assert_eq!(screen.code, Some(0), "{text}");
    assert!(text.contains("pages written: none or two (2)"), "{text}");
    assert!(text.contains("stuck: who did not write (0)"), "{text}");
}

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "two_orders",
            claim: "pages written: none",
            proven: |events| written(events).is_empty(),
            broken: HOLDS_NOTHING_WHILE_IT_WAITS,
        },
        Check {
            step: "two_orders",
            claim: "in the circle: both",
            proven: |events| {
                let waits = |who, lock| {
                    let has = open(events, "waits").contains(who);
                    has && open(events, lock).contains(who)
                };
                waits("anna", "pen") && waits("ben", "paper")
            },
            broken: HOLDS_NOTHING_WHILE_IT_WAITS,
        },
        Check {
            step: "two_orders",
            claim: "it ends, but not by itself",
            proven: |events| killed_by(events) == [Some("SIGKILL")],
            broken: HOLDS_NOTHING_WHILE_IT_WAITS,
        },
        Check {
            step: "by_hand",
            claim: "pages written: none or two",
            proven: |events| [0, 2].contains(&written(events).len()),
            broken: BEN_GIVES_UP,
        },
        Check {
            step: "by_hand",
            claim: "stuck: who did not write",
            proven: |events| match written(events).len() {
                0 => killed_by(events) == [Some("SIGKILL")],
                all => all == 2 && killed_by(events) == [None],
            },
            broken: BEN_GIVES_UP,
        },
        Check {
            step: "one_order",
            claim: "pages written: ten",
            proven: |events| written(events).len() == 10,
            broken: NO_ORDER,
        },
        Check {
            step: "one_order",
            claim: "it ends by itself",
            proven: |events| killed_by(events) == [None],
            broken: NO_ORDER,
        },
        Check {
            step: "try_and_back_off",
            claim: "pages written: ten",
            proven: |events| written(events).len() == 10,
            broken: WAITS_WITHOUT_TRYING,
        },
        Check {
            step: "try_and_back_off",
            claim: "it ends by itself",
            proven: |events| killed_by(events) == [None],
            broken: WAITS_WITHOUT_TRYING,
        },
        Check {
            step: "try_and_back_off",
            claim: "tried in vain: at least once",
            proven: |events| happened(events, "backs off").next().is_some(),
            // In one order nobody meets another who has the second one.
            broken: (
                "main.rs",
                "|writer, [first, second]| {\n        \
                 let mut held = first.lock(writer);\n        \
                 writer.pause(0.1);\n        \
                 both_have_one.wait();",
                "|writer, mut both| {\n \
                 both.sort_by_key(|lock| lock.name);\n \
                 let [first, second] = both;\n \
                 let mut held = first.lock(writer);",
            ),
        },
    ]);
}

const HOLDS_NOTHING_WHILE_IT_WAITS: Change = (
    "main.rs",
    "let _first = first.lock(writer);\n        \
     writer.pause(0.1);\n        \
     both_have_one.wait();",
    "drop(first.lock(writer));\n both_have_one.wait();",
);

/// He puts back the one that he has.
const BEN_GIVES_UP: Change = (
    "by_hand.rs",
    "let _second = second.lock(writer);",
    "if writer.name() == \"ben\" { return; }\n \
     let _second = second.lock(writer);",
);

/// The locks as they come; two who have one each meet.
const NO_ORDER: Change = (
    "main.rs",
    "both.sort_by_key(|lock| lock.name);\n        \
     let [first, second] = both;\n        \
     let _first = first.lock(writer);\n        \
     writer.pause(0.1);",
    "let [first, second] = both;\n let _first = first.lock(writer);\n \
     static BOTH_HAVE_ONE: Barrier = Barrier::new(2);\n BOTH_HAVE_ONE.wait();",
);

const WAITS_WITHOUT_TRYING: Change =
    ("main.rs", "second.try_lock(writer)", "Some(second.lock(writer))");

/// Who has written, and has not been killed while writing.
fn written(events: &[Event]) -> BTreeSet<&str> {
    let writes = events.iter().filter(|event| event.name == "writes");
    let ends = writes.filter(|event| event.ph == Phase::End);
    ends.map(|event| event.track.as_str()).collect()
}

/// Where a span called `name` began and did not end.
fn open<'a>(events: &'a [Event], name: &str) -> BTreeSet<&'a str> {
    let mut open = BTreeSet::new();
    for event in events.iter().filter(|event| event.name == name) {
        match event.ph {
            Phase::Begin => open.insert(event.track.as_str()),
            _ => open.remove(event.track.as_str()),
        };
    }
    open
}

/// The signals that killed the children that were waited for.
fn killed_by(events: &[Event]) -> Vec<Option<&str>> {
    let reaped = happened(events, "reaped");
    reaped.map(|event| event.args["signal"].as_str()).collect()
}

#[test]
fn who_only_waits_for_the_stuck_is_in_no_circle() {
    let run = Run::mutant(LESSON, NO_ORDER, &["--step", "one_order"]).end();
    run.refused(1, &["did not hold"]);
    let said = run.trace.events().iter().filter(|event| event.name == "say");
    let who: BTreeSet<_> = said
        .filter_map(|event| event.args["text"].as_str()?.split(' ').next())
        .collect();
    let [first, second] = Vec::from_iter(who)[..] else {
        panic!("not two: {}", run.stdout);
    };
    assert_ne!(first, second);
    assert!(run.stdout.contains(&format!("which {first} has")));
    assert!(run.stdout.contains(&format!("which {second} has")));
}
