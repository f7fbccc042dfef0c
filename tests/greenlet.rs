//! Lesson 25: switch by hand.

use shared::lesson::Figure;
use shared::trace::{Kind, Phase, Trace};
use std::collections::HashSet;
use testkit::{Check, Lesson, Run, happened, noted};

const LESSON: Lesson = Lesson {
    package: "greenlet",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_greenlet"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "verse",
            claim: "they take turns",
            proven: |events| {
                let singers =
                    happened(events, "sings").map(|event| event.track.as_str());
                singers.eq(["anna", "ben", "anna", "ben", "parent"])
            },
            broken: ("main.rs", "me.switch(ANNA);\n        sing(", "sing("),
        },
        Check {
            step: "verse",
            claim: "all on one thread of the system",
            proven: |events| {
                let threads: HashSet<i32> =
                    events.iter().map(|event| event.tid).collect();
                threads.len() == 1
            },
            broken: (
                "main.rs",
                "sing(&parent, \"One has ended; control is back here.\");",
                "std::thread::scope(|s| {
                    drop(s.spawn(move || sing(&parent, \"elsewhere\")));
                });",
            ),
        },
        Check {
            step: "deep_inside",
            claim: "all of them: 16 + 9 + 4 + 1",
            proven: |events| noted(events, "anna", "sum") == 16 + 9 + 4 + 1,
            broken: ("main.rs", "mine + squares(", "0 * mine + squares("),
        },
        Check {
            step: "deep_inside",
            claim: "ben ran in between",
            proven: |events| {
                let runs: Vec<_> = happened(events, "runs")
                    .map(|event| event.track.as_str())
                    .collect();
                runs.len() == 8
                    && runs.chunks(2).all(|pair| pair == ["anna", "ben"])
            },
            broken: ("main.rs", "me.switch(BEN); // with", "// with"),
        },
        Check {
            step: "panics_and_ends",
            claim: "the panic reached the parent",
            proven: |events| {
                noted(events, "parent", "caught") == "lost the tune"
            },
            broken: ("ending.rs", "panic!(\"lost the tune\");", ""),
        },
        Check {
            step: "panics_and_ends",
            claim: "times that anna went on: once",
            proven: |events| happened(events, "runs again").count() == 1,
            broken: (
                "ending.rs",
                "hub.switch(ANNA);\n    hub.switch(BEN);",
                "hub.switch(BEN);",
            ),
        },
        Check {
            step: "panics_and_ends",
            claim: "times that ben ran: once",
            proven: |events| {
                let of_ben = events.iter().filter(|event| event.track == "ben");
                of_ben.filter(|event| event.ph == Phase::Begin).count() == 1
            },
            broken: (
                "ending.rs",
                "hub.switch(BEN); // ben",
                "hub.add(|_| ben.span(\"runs\", || ())); hub.switch(2); // ben",
            ),
        },
        Check {
            step: "price",
            claim: "a hand-over costs as much as so many switches",
            proven: |events| {
                let figures = Figure::all(&Trace::of(events.to_vec()));
                let seconds = |label| {
                    let mut figures = figures.iter();
                    figures
                        .find(|figure| figure.label == label)
                        .map(|figure| figure.seconds)
                };
                let (switch, thread) =
                    (seconds("switch"), seconds("thread hand-over"));
                switch
                    .zip(thread)
                    .is_some_and(|(switch, thread)| thread > 2.0 * switch)
            },
            broken: (
                "price.rs",
                "stage.measure(\"switch\", 200_000,",
                "stage.measure(\"switch\", 2,",
            ),
        },
    ]);
}

#[test]
fn coroutines_are_tracks_of_their_own() {
    let trace = Run::new(LESSON, &["--step", "verse"]).end().well().trace;
    for track in trace.tracks() {
        let coroutine = ["anna", "ben"].contains(&track.name.as_str());
        let kind = if coroutine { Kind::Coroutine } else { Kind::Process };
        assert_eq!(track.kind, kind, "{track:?}");
    }
    assert_eq!(trace.peak("sings"), 1);
}
