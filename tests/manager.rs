//! Lesson 11: what a manager keeps for many processes.

use serde_json::Value;
use shared::trace::{Event, Trace};
use testkit::{Change, Check, Lesson, happened, noted};

const LESSON: Lesson = Lesson {
    package: "manager",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_manager"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "all_write",
            claim: "apples in the dictionary: of all four",
            proven: |events| {
                let kept = noted(events, "parent", "dictionary");
                let kept = kept.as_array().expect("it has entries");
                let brings = said(events, "brings ");
                brings.len() == 4
                    && brings.iter().all(|Said { track, number, .. }| {
                        kept.contains(&format!("{track} {number}").into())
                    })
            },
            broken: (
                "main.rs",
                "stock.insert(name, &apples)?;",
                "std::collections::HashMap::from([(name, apples)]);",
            ),
        },
        Check {
            step: "all_write",
            claim: "names in the list: of all four",
            proven: |events| {
                let mut kept = noted(events, "parent", "list");
                let kept = kept.as_array_mut().expect("it is a list");
                kept.sort_by_key(Value::to_string);
                *kept == ["Anna", "Ben", "Cleo", "Dora"]
            },
            broken: (
                "main.rs",
                "came.push(&name.to_owned())",
                "Vec::from([name]).clear();
                 Ok::<_, shared::process::ManagerError>(())",
            ),
        },
        Check {
            step: "lost_update",
            claim: "apples left, though each sold one",
            proven: |events| {
                let sees = said(events, "sees ");
                let writes = said(events, "writes ");
                // Both looked before one of them wrote.
                let looked = sees.iter().map(|said| said.at).max();
                let wrote = writes.iter().map(|said| said.at).min();
                sees.len() == 2
                    && looked < wrote
                    && writes.iter().all(|writes| writes.number == 99)
                    && noted(events, "parent", "apples left") == 99
            },
            broken: (
                "main.rs",
                "stock.insert(\"apples\", &(apples - 1))?;",
                "stock.update(\"apples\", |apples| apples.unwrap_or(0) - 1)?;",
            ),
        },
        Check {
            step: "update",
            claim: "apples left: one less for each",
            proven: |events| noted(events, "parent", "apples left") == 98,
            broken: READ_THEN_WRITE,
        },
        Check {
            step: "update",
            claim: "looks in all: two, and one again",
            proven: |events| {
                let seen = said(events, "sees ").into_iter();
                let mut seen: Vec<_> = seen.map(|said| said.number).collect();
                seen.sort_unstable();
                seen == [99, 100, 100]
            },
            broken: READ_THEN_WRITE,
        },
        Check {
            step: "killed",
            claim: "told that it has ended: all four",
            proven: |events| {
                let kills = happened(events, "kills it").next();
                let kills = kills.expect("it does").t_ns;
                let told: Vec<_> =
                    happened(events, "told").map(|told| told.t_ns).collect();
                let soon = kills..kills + 5_000_000_000;
                told.len() == 4 && told.iter().all(|told| soon.contains(told))
            },
            broken: STOPPED,
        },
        Check {
            step: "killed",
            claim: "seconds that the longest call took; 10 are allowed",
            proven: |events| {
                let calls = Trace::of(events.to_vec());
                let calls = calls.spans_named("calls");
                let longest =
                    calls.map(|call| call.end_ns - call.begin_ns).max();
                longest.is_some_and(|longest| longest < 5_000_000_000)
            },
            broken: STOPPED,
        },
        Check {
            step: "nonsense",
            claim: "ten of 100 were sold; left",
            proven: |events| noted(events, "seller", "apples left") == 90,
            // This noise begins with a request: empty the first dictionary.
            broken: (
                "faults.rs",
                "&[3, 0, 0, 0, 255, 255, 255]",
                "&[3, 0, 0, 0, 2, 1, 6, 3, 0, 0, 0, 255, 255, 255]",
            ),
        },
        Check {
            step: "nonsense",
            claim: "strangers who were refused: two of three",
            proven: |events| {
                let answer = |name| noted(events, name, "answer");
                // Two bytes: refused, and why (too large, malformed).
                answer("browser") == r"\x02\x00\x00\x00\x08\x03"
                    && answer("noise") == r"\x02\x00\x00\x00\x08\x02"
                    && answer("half") == "none"
            },
            broken: (
                "faults.rs",
                "line.write_all(bytes)?;",
                "line.write_all(&bytes[..1])?;",
            ),
        },
    ]);
}

/// A number that was said behind some words.
struct Said<'a> {
    /// Its place among all events.
    at: usize,
    track: &'a str,
    number: i32,
}

fn said<'a>(events: &'a [Event], words: &str) -> Vec<Said<'a>> {
    let said = events.iter().enumerate().filter_map(|(at, event)| {
        let text = event.args.get("text")?.as_str()?;
        let number = text.strip_prefix(words)?.parse().ok()?;
        Some(Said { at, track: &event.track, number })
    });
    said.collect()
}

/// An `update` that writes whatever was written meanwhile.
const READ_THEN_WRITE: Change = (
    "main.rs",
    "let mut looks = 0;",
    "let mut looks = 0;
     struct Naive<'a>(&'a Stock);
     impl Naive<'_> {
         fn update(
             &self,
             key: &str,
             mut change: impl FnMut(Option<i32>) -> i32,
         ) -> shared::Result {
             self.0.insert(key, &change(self.0.get(key)?))?;
             Ok(())
         }
     }
     let stock = Naive(stock);",
);

/// It lives, but does nothing.
const STOPPED: Change = (
    "faults.rs",
    "manager.pid() as i32), SIGKILL)",
    "manager.pid() as i32), nix::sys::signal::Signal::SIGSTOP)",
);
