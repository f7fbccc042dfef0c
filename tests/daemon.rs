//! Lesson 4: a child that ends with its parent.

use serde_json::Value;
use shared::trace::Event;
use testkit::{Change, Check, Lesson, happened, noted, pid_of, signal_of};

const LESSON: Lesson = Lesson {
    package: "daemon",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_daemon"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "parent_ends",
            claim: "alive each time its parent looks",
            proven: |events| {
                let looks = happened(events, "child alive");
                let seen: Vec<_> =
                    looks.map(|event| &event.args["value"]).collect();
                seen == [&Value::Bool(true); 3]
            },
            broken: (
                "main.rs",
                "let alive = child.is_alive();",
                "let alive = child.status().is_some();",
            ),
        },
        Check {
            step: "parent_ends",
            claim: "gone with its parent",
            proven: gone_with_its_parent,
            broken: (
                "main.rs",
                "family.be_parent(builder, 3)",
                "family.be_parent(builder.daemon(false), 3)",
            ),
        },
        Check {
            step: "parent_is_killed",
            claim: "gone with its parent",
            proven: |events| {
                signal_of(events, "parent") == "SIGKILL"
                    && gone_with_its_parent(events)
            },
            broken: (
                "main.rs",
                "family.be_parent(builder, u32::MAX)",
                "family.be_parent(builder.daemon(false), u32::MAX)",
            ),
        },
        Check {
            step: "without_the_flag",
            claim: "not gone with its parent",
            proven: |events| {
                let pid = i64::from(pid_of(events, "parent"));
                let parent_ended = |event: &&Event| {
                    event.name == "reaped" && event.args["pid"] == pid
                };
                let mut after =
                    events.iter().skip_while(|event| !parent_ended(event));
                after.any(|event| event.name == "say" && event.track == "child")
            },
            broken: FLAGGED,
        },
        Check {
            step: "without_the_flag",
            claim: "this lesson ends it",
            proven: |events| signal_of(events, "child") == "SIGTERM",
            broken: FLAGGED,
        },
        Check {
            step: "no_children",
            claim: "any other may",
            proven: |events| {
                noted(events, "other", "its child") == "exited with code 0"
            },
            broken: (
                "grandchild.rs",
                "stage.track(\"other\"), false",
                "stage.track(\"other\"), true",
            ),
        },
        Check {
            step: "no_children",
            claim: "a daemon may not",
            proven: |events| {
                let said = noted(events, "daemon", "its child");
                let said = said.as_str().unwrap_or_default();
                said.contains("cannot start Process-")
                    && said.contains("a daemon may not have children")
            },
            broken: (
                "grandchild.rs",
                "stage.track(\"daemon\"), true",
                "stage.track(\"daemon\"), false",
            ),
        },
    ]);
}

const FLAGGED: Change =
    ("main.rs", ".daemon(false); // as", ".daemon(true); // as");

/// Nobody but the system can have killed it: the lesson sends SIGTERM.
fn gone_with_its_parent(events: &[Event]) -> bool {
    signal_of(events, "child") == "SIGKILL"
}
