//! Lesson 15: several at work in one process.

use shared::trace::{Event, Phase};
use std::collections::HashSet;
use testkit::{Change, Check, Lesson, Run, happened, noted};

const LESSON: Lesson = Lesson {
    package: "thread",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_thread"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "two_ways",
            claim: "process ids",
            proven: |events| values(events, "my pid").len() == 1,
            broken: (
                "main.rs",
                "process::id().to_string()",
                "format!(\"{}-{}\", process::id(), gettid())",
            ),
        },
        Check {
            step: "two_ways",
            claim: "thread ids",
            proven: |events| {
                let tids: HashSet<i32> =
                    introductions(events).map(|event| event.tid).collect();
                values(events, "my thread id").len() == 3 && tids.len() == 3
            },
            broken: COOK_IS_NO_THREAD,
        },
        Check {
            step: "two_ways",
            claim: "names",
            proven: |events| {
                ["main", "cook", "baker"]
                    .iter()
                    .all(|name| noted(events, name, "my name") == **name)
            },
            broken: COOK_IS_NO_THREAD,
        },
        Check {
            step: "two_ways",
            claim: "the system counts more threads",
            proven: |events| {
                let before = noted(events, "main", "threads before");
                let now = noted(events, "main", "threads now");
                let before = before.as_array().expect("ids");
                let now = now.as_array().expect("ids");
                now.iter().filter(|id| !before.contains(id)).count() == 2
            },
            broken: (
                "main.rs",
                "builder.spawn_scoped(scope, || baker.run())?;",
                "drop(builder); introduce(&baker.track);",
            ),
        },
        Check {
            step: "one_memory",
            claim: "main has 200 too",
            proven: |events| {
                ["main", "thread"]
                    .iter()
                    .all(|track| noted(events, track, "money") == 200)
            },
            broken: MONEY_OF_ITS_OWN,
        },
        Check {
            step: "one_memory",
            claim: "at one address",
            proven: |events| {
                let at = noted(events, "main", "at");
                !at.is_null() && at == noted(events, "thread", "at")
            },
            broken: MONEY_OF_ITS_OWN,
        },
        Check {
            step: "main_ends",
            claim: "joined: pages",
            proven: |events| pages(events, "writer 1") == [1, 2],
            broken: ("ending.rs", "if joins {", "if false {"),
        },
        Check {
            step: "main_ends",
            claim: "not joined: pages",
            proven: |events| pages(events, "writer 2") == [1],
            broken: ("ending.rs", "if joins {", "if true {"),
        },
        Check {
            step: "asked_to_stop",
            claim: "ticks before it was asked",
            proven: |events| {
                let ticked = events
                    .iter()
                    .take_while(|event| event.name != "asks")
                    .filter(|event| event.name == "ticks");
                ticked.filter(|event| event.ph == Phase::End).count() >= 3
            },
            broken: STOPS_BY_ITSELF,
        },
        Check {
            step: "asked_to_stop",
            claim: "it stopped after that",
            proven: |events| {
                let at = |name| events.iter().position(|e| e.name == name);
                let joins = events.iter().rposition(|e| e.name == "joins");
                at("asks") < at("stops") && at("stops") < joins
            },
            broken: STOPS_BY_ITSELF,
        },
        Check {
            step: "four_operations",
            claim: "main alone gets the same",
            proven: |events| {
                results(events, ["12 + 5", "12 - 5", "12 * 5", "12 / 5"])
                    == ["17", "7", "60", "2.4"]
            },
            broken: (
                "sums.rs",
                "operation(a, b)\n                })",
                "operation(b, a)\n                })",
            ),
        },
        Check {
            step: "four_operations",
            claim: "threads that calculated",
            proven: |events| {
                let main = happened(events, "12 + 5").next().map(|e| e.tid);
                let tids: HashSet<i32> =
                    happened(events, "calculates").map(|e| e.tid).collect();
                tids.len() == 4 && main.is_some_and(|tid| !tids.contains(&tid))
            },
            broken: (
                "sums.rs",
                "let thread = scope.spawn(move || {
                track.span(\"calculates\", || {
                    track.pause(1.0);
                    operation(a, b)
                })
            });",
                "let result = track.span(\"calculates\", || operation(a, b));
            let thread = scope.spawn(move || result);",
            ),
        },
        Check {
            step: "one_fails",
            claim: "join reports one failure",
            proven: |events| {
                noted(events, "main", "12 / 0") == "division by zero"
            },
            broken: NOTHING_FAILS,
        },
        Check {
            step: "one_fails",
            claim: "and three results",
            proven: |events| {
                results(events, ["12 + 0", "12 - 0", "12 * 0", "12 / 0"])
                    == ["12", "12", "0", "division by zero"]
            },
            broken: NOTHING_FAILS,
        },
        Check {
            step: "price",
            claim: "a process has more pages mapped",
            proven: |events| {
                let pages = |of: &str| {
                    let name = format!("pages mapped for the {of}");
                    noted(events, "main", &name).as_i64()
                };
                // A process has tables of its own, all of which are filled
                // anew; a thread touches its stack.
                let [processes, threads] = ["processes", "threads"].map(pages);
                threads.is_some_and(|threads| threads > 0)
                    && processes > threads
            },
            broken: (
                "price.rs",
                "(between - begin, pages()? - between)",
                "(pages()? - between, between - begin)",
            ),
        },
    ]);
}

/// Main introduces the cook, before there is a thread for it.
const COOK_IS_NO_THREAD: Change = (
    "main.rs",
    "builder.spawn_scoped(scope, || {\n            introduce(&cook);",
    "introduce(&cook);\n        builder.spawn_scoped(scope, || {",
);

const MONEY_OF_ITS_OWN: Change =
    ("main.rs", "money += 100;", "let mut money = money; money += 100;");

const STOPS_BY_ITSELF: Change = (
    "ending.rs",
    "while !stop.load(Acquire) {",
    "let _ = (stop, Acquire);\n    for _ in 0..2 {",
);

const NOTHING_FAILS: Change = (
    "sums.rs",
    "assert!(!b.is_zero(), \"division by zero\");\n    a / b",
    "a.checked_div(b).unwrap_or_default()",
);

fn introductions(events: &[Event]) -> impl Iterator<Item = &Event> {
    happened(events, "my thread id")
}

fn values(events: &[Event], name: &str) -> HashSet<String> {
    let values = happened(events, name).map(|event| &event.args["value"]);
    values.map(ToString::to_string).collect()
}

/// The pages that a writer wrote, in order.
fn pages(events: &[Event], writer: &str) -> Vec<u64> {
    let pages = happened(events, "page").filter(|event| event.track == writer);
    pages.filter_map(|event| event.args["value"].as_u64()).collect()
}

fn results(events: &[Event], sums: [&str; 4]) -> [String; 4] {
    sums.map(|sum| {
        noted(events, "main", sum).as_str().unwrap_or_default().to_owned()
    })
}

fn calculate(numbers: [&str; 2]) -> testkit::Ended {
    let [a, b] = numbers;
    Run::new(LESSON, &["--step", "four_operations", "--numbers", a, b]).end()
}

#[test]
fn division_by_zero_fails_alone() {
    let ended = calculate(["12", "0"]);
    ended.refused(1, &["12 / 0", "division by zero", "--numbers"]);
    let sums = ["12 + 0", "12 - 0", "12 * 0", "12 / 0"];
    let results = results(ended.trace.events(), sums);
    assert_eq!(results, ["12", "12", "0", "division by zero"]);
    calculate(["0", "0.0"]).refused(1, &["0 / 0.0", "division by zero"]);
}

#[test]
fn integers_and_decimals_are_exact() {
    for (numbers, expected) in [
        (["0.1", "0.2"], ["0.3", "-0.1", "0.02", "0.5"]),
        (["-3", "0.5"], ["-2.5", "-3.5", "-1.5", "-6"]),
        (["0", "-7"], ["-7", "7", "0", "0"]),
        (
            ["99999999999999", "99999999999999"],
            ["199999999999998", "0", "9999999999999800000000000001", "1"],
        ),
        (
            ["99999999999999", "0.00000000000001"],
            [
                "99999999999999.00000000000001",
                "99999999999998.99999999999999",
                "0.99999999999999",
                "9999999999999900000000000000",
            ],
        ),
    ] {
        let [a, b] = numbers;
        let ended = calculate(numbers).well();
        let sums = ["+", "-", "*", "/"].map(|sign| format!("{a} {sign} {b}"));
        let sums = sums.each_ref().map(String::as_str);
        assert_eq!(results(ended.trace.events(), sums), expected);
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for wrong in ["x", "", " ", "1e3", "nan", "inf", "0x10", "1,5", "１２"] {
        calculate(["12", wrong]).refused(2, &["--numbers", "give a number"]);
        calculate([wrong, "5"]).refused(2, &["--numbers", "give a number"]);
    }
    for long in ["123456789012345", "0.000000000000001"] {
        calculate([long, "5"]).refused(2, &["--numbers", "14 digits"]);
    }
    Run::new(LESSON, &["--numbers", "12"]).end().refused(2, &["2 values"]);
    Run::new(LESSON, &["--numbers", "1", "2", "3"]).end().refused(2, &["'3'"]);
}

/// Two processes are allowed, the supervisor and the lesson; threads count too.
#[test]
fn no_thread_to_be_had() {
    for step in ["two_ways", "one_memory", "four_operations"] {
        let run = Run::of_few(LESSON, 2, &["--speed", "20", "--step", step]);
        run.end().refused(1, &["ulimit -u"]);
    }
}
