//! Lesson 9: nothing is lost or doubled between processes of different speed.

use serde_json::Value;
use shared::trace::{Event, Fate, Phase};
use testkit::{Change, Check, Lesson, Run, happened, noted};

const LESSON: Lesson = Lesson {
    package: "producer-consumer",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_producer-consumer"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "one_of_each",
            claim: "used, in this order",
            proven: |events| taken(events, |_| true).into_iter().eq(1..=10),
            // Closed, and taken for empty while there is still something in
            // it: a loop that asks whether there is more in place of a get.
            broken: (
                "main.rs",
                "consumer.span(\"waits\", || items.next())",
                "(if buffer.is_closed() { None } else \
                 { consumer.span(\"waits\", || items.next()) })",
            ),
        },
        Check {
            step: "small_buffer",
            claim: "puts that were held back",
            proven: |events| {
                let on_producer = |event: &&Event| event.track == "producer";
                happened(events, "blocked").filter(on_producer).count() > 0
            },
            broken: NO_LIMIT,
        },
        Check {
            step: "small_buffer",
            claim: "never more than there is room for",
            // The fourth put returns after the first get was called, the
            // fifth after the second, and so on; three do not wait for any.
            proven: |events| {
                let puts = places(events, "producer", "puts", Phase::End);
                let gets = places(events, "consumer", "waits", Phase::Begin);
                puts.len() == 10
                    && puts[2] < gets[0]
                    && puts[3..].iter().zip(&gets).all(|(put, get)| get < put)
            },
            broken: NO_LIMIT,
        },
        Check {
            step: "small_buffer",
            claim: "and once it was full",
            // Three had been put before anything was asked for.
            proven: |events| {
                let puts = places(events, "producer", "puts", Phase::End);
                let gets = places(events, "consumer", "waits", Phase::Begin);
                puts.get(2).is_some_and(|third| *third < gets[0])
            },
            broken: (
                "main.rs",
                "produce(1..=ITEMS, 0.1, &buffer, &producer)",
                "produce(1..=2, 0.1, &buffer, &producer)",
            ),
        },
        Check {
            step: "two_and_three",
            claim: "used, each once",
            proven: |events| {
                let mut taken = taken(events, |_| true);
                taken.sort_unstable();
                taken == (1..=12).collect::<Vec<_>>()
            },
            broken: (
                "main.rs",
                "at_once => at_once,",
                "at_once => at_once.and(buffer.put(&item)),",
            ),
        },
        Check {
            step: "with_an_item",
            claim: "used by the others",
            proven: |events| taken(events, |who| who != "victim").len() == 9,
            broken: TAKES_TWO,
        },
        Check {
            step: "with_an_item",
            claim: "lost: what the victim held",
            proven: |events| {
                let mut taken = taken(events, |_| true);
                taken.sort_unstable();
                let lost = noted(events, "parent", "lost");
                let held = noted(events, "victim", "takes");
                taken == (1..=10).collect::<Vec<_>>()
                    && lost == Value::from(vec![held])
            },
            broken: TAKES_TWO,
        },
    ]);
}

const NO_LIMIT: Change = (
    "main.rs",
    "Queue::bounded(ROOM)?;\n    let making",
    "Queue::bounded(100)?;\n    let making",
);

/// The victim has taken another item before, and told nobody.
const TAKES_TWO: Change = (
    "killed.rs",
    "let item: u32 = buffer.get()?;",
    "buffer.get()?;\n        let item: u32 = buffer.get()?;",
);

/// The items that were taken on tracks of these names, in order.
fn taken(events: &[Event], whose: impl Fn(&str) -> bool) -> Vec<u64> {
    let taken = happened(events, "takes").filter(|event| whose(&event.track));
    taken
        .filter_map(|event| event.args.get("value").and_then(Value::as_u64))
        .collect()
}

/// Where in the trace something begins or ends.
fn places(events: &[Event], track: &str, name: &str, ph: Phase) -> Vec<usize> {
    let wanted = |event: &Event| {
        event.track == track && event.name == name && event.ph == ph
    };
    (0..events.len()).filter(|&at| wanted(&events[at])).collect()
}

#[test]
fn a_killed_consumer_holds_nobody_up() {
    let run = Run::new(LESSON, &["--step", "with_an_item"]).end().well();
    let trace = &run.trace;
    let uses: Vec<_> = trace.spans_named("uses").collect();
    let victim = |fate: &Fate| *fate == Fate::Killed("SIGKILL".to_owned());
    let killed: Vec<_> =
        uses.iter().filter(|span| victim(&span.fate)).collect();
    let [victim] = killed[..] else { panic!("{uses:?}") };
    assert_eq!(trace.tracks()[victim.track].name, "victim");
    // What was put after its death is used as well.
    let later = uses.iter().filter(|span| span.begin > victim.end).count();
    assert!(later >= 4, "{later} of four");
    assert!(
        uses.iter().all(|span| span.fate == Fate::Ended || *span == *victim)
    );
    assert!(run.stdout.contains("the victim (pid "), "{}", run.stdout);
    assert!(run.stdout.contains("was killed by SIGKILL"), "{}", run.stdout);
}
