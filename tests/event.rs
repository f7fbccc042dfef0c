//! Lesson 21: none before it is set, all after.

use shared::trace::Event;
use testkit::{Change, Check, Lesson, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "event",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_event"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "red_then_green",
            claim: "no car drives while it is red",
            proven: |events| none_drives_before_the_end_of("red", events),
            broken: (
                "event.rs",
                "!state.set && (self.forgets",
                "false && !state.set && (self.forgets",
            ),
        },
        Check {
            step: "red_then_green",
            claim: "cars that drive then: all",
            proven: |events| happened(events, "drives").count() == 20,
            broken: (
                "main.rs",
                "car.span(\"waits\", || green.wait());",
                "car.span(\"waits\", || green.wait());\n\
                 if car.name() == \"car 7\" { return }",
            ),
        },
        Check {
            step: "too_late_to_wait",
            claim: "whoever comes later passes at once",
            proven: |events| {
                noted(events, "car", "passes, given no time at all") == true
            },
            broken: (
                "event.rs",
                "(state.set, state.times) = (true,",
                "(state.set, state.times) = (false,",
            ),
        },
        Check {
            step: "only_so_long",
            claim: "it hears that its time is over",
            proven: |events| noted(events, "car", "green in time") == false,
            broken: ("event.rs", "!late.timed_out()", "true"),
        },
        Check {
            step: "only_so_long",
            claim: "not before it is over",
            proven: |events| {
                let of_car = |event: &&Event| event.track == "car";
                let times: Vec<u64> = happened(events, "green in time")
                    .chain(happened(events, "waits").take(1))
                    .filter(of_car)
                    .map(|event| event.t_ns)
                    .collect();
                times[0] - times[1] >= 1_000_000_000 / 20
            },
            broken: (
                "event.rs",
                "(state, time, sleeps)",
                "(state, time / 2, sleeps)",
            ),
        },
        Check {
            step: "forgotten",
            claim: "nobody drives before it is green to stay",
            proven: |events| none_drives_before_the_end_of("red again", events),
            broken: ("flash.rs", "Event::that_forgets()", "Event::new()"),
        },
        Check {
            step: "remembered",
            claim: "cars that drive: all, and it is red",
            proven: |events| {
                open_spans(events, "drives").len() == 2 * 20
                    && happened(events, "red again").count() == 0
            },
            broken: (
                "flash.rs",
                "&Event::new(), |_| {}",
                "&Event::that_forgets(), |_| {}",
            ),
        },
        Check {
            step: "really_started",
            claim: "spawn returns and it has not begun",
            proven: |events| {
                noted(events, "parent", "begun when spawn returns") == false
            },
            broken: (
                "started.rs",
                "parent.note(\"begun when spawn returns\"",
                "held_up.set();\nstarted.wait();\n\
                 parent.note(\"begun when spawn returns\"",
            ),
        },
        Check {
            step: "really_started",
            claim: "the event comes and it has begun",
            proven: |events| {
                let place =
                    |name| events.iter().position(|event| event.name == name);
                let said = place("begun when the event says so");
                let begins = place("begins");
                begins.is_some() && begins < said
            },
            broken: NOT_WAITED_FOR,
        },
    ]);
}

const NOT_WAITED_FOR: Change = (
    "started.rs",
    "held_up.set();\n        started.wait();\n        \
     parent.note(\"begun when the event says so\", begun.get().is_some());",
    "parent.note(\"begun when the event says so\", begun.get().is_some());\n\
     held_up.set();",
);

/// Whether the span `name` ends, and the first car drives after that.
fn none_drives_before_the_end_of(name: &str, events: &[Event]) -> bool {
    let end = events.iter().rposition(|event| event.name == name);
    let first = events.iter().position(|event| event.name == "drives");
    end.is_some() && first > end
}
