//! Lesson 2: one call, two returns.

use shared::trace::Event;
use std::process::Command;
use testkit::{Change, Check, Lesson, Run, claimed, happened, noted};

const LESSON: Lesson = Lesson {
    package: "fork",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_fork"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "one_call_two_returns",
            claim: "the child got 0",
            proven: |events| noted(events, "child", "fork returned") == 0,
            broken: ("main.rs", "note(\"fork returned\", returned);\n        child", "note(\"fork returned\", 1);\n        child"),
        },
        Check {
            step: "one_call_two_returns",
            claim: "the parent got the child's pid",
            proven: |events| {
                let returned = noted(events, "parent", "fork returned");
                returned == noted(events, "child", "my pid") && returned == pid_of(events, "child")
            },
            broken: ("main.rs", "\"my pid\", getpid()", "\"my pid\", getppid()"),
        },
        Check {
            step: "one_call_two_returns",
            claim: "the child's parent is the caller",
            proven: |events| {
                noted(events, "child", "my parent's pid") == pid_of(events, "parent")
            },
            broken: (
                "main.rs",
                "child.note(\"my parent's pid\", getppid().as_raw());\n        child.span",
                "child.note(\"my parent's pid\", getpid().as_raw());\n        child.span",
            ),
        },
        Check {
            step: "memory_is_copied",
            claim: "the child has 200",
            proven: |events| noted(events, "child", "money") == 200,
            broken: ("main.rs", "money += 100;", "money += 0;"),
        },
        Check {
            step: "memory_is_copied",
            claim: "the parent has 100",
            proven: |events| noted(events, "parent", "money") == 100,
            broken: (
                "main.rs",
                "let pid = in_child(|| {\n        money += 100;",
                "money += 100;\n    let pid = in_child(|| {",
            ),
        },
        Check {
            step: "memory_is_copied",
            claim: "at one address",
            proven: |events| noted(events, "child", "at") == noted(events, "parent", "at"),
            broken: (
                "main.rs",
                "child.note(\"at\", format!(\"{:p}\", &money));",
                "child.note(\"at\", format!(\"{:p}\", &child));",
            ),
        },
        Check {
            step: "ended_but_not_gone",
            claim: "waitpid yields its exit code",
            proven: |events| claimed(events, "waitpid yields its exit code") == 7,
            broken: ("main.rs", "in_child(|| 7)", "in_child(|| 8)"),
        },
        Check {
            step: "ended_but_not_gone",
            claim: "before waitpid a zombie",
            proven: |events| noted(events, "parent", "state") == "Z",
            broken: ("main.rs", "read_to_string(&entry)", "read_to_string(\"/proc/self/stat\")"),
        },
        Check {
            step: "ended_but_not_gone",
            claim: "after waitpid nothing",
            proven: |events| claimed(events, "after waitpid nothing") == false,
            broken: ("main.rs", "fs::exists(entry)", "fs::exists(\"/proc/self\")"),
        },
        Check {
            step: "adopted",
            claim: "its parent is not the one that ended",
            proven: |events| {
                noted(events, "child", "my parent's pid") != pid_of(events, "parent")
            },
            broken: NOT_YET_ADOPTED,
        },
        Check {
            step: "adopted",
            claim: "but an ancestor that adopts orphans",
            proven: |events| {
                noted(events, "child", "my parent's pid") == pid_of(events, "lesson")
            },
            broken: NOT_YET_ADOPTED,
        },
        Check {
            step: "printed_twice",
            claim: "buffer full at the fork: copies",
            proven: |events| noted(events, "parent", "buffer full") == "paid 100; paid 100; ",
            broken: ("main.rs", "if buffer_is == \"empty\" {", "if true {"),
        },
        Check {
            step: "printed_twice",
            claim: "buffer empty at the fork: copies",
            proven: |events| noted(events, "parent", "buffer empty") == "paid 100; ",
            broken: ("main.rs", "if buffer_is == \"empty\" {", "if false {"),
        },
        Check {
            step: "no_more_processes",
            claim: "it says EAGAIN",
            proven: |events| noted_text(events).contains("EAGAIN"),
            broken: ("child.rs", "format!(\"{error:#}\")", "format!(\"{error}\")"),
        },
        Check {
            step: "no_more_processes",
            claim: "and how to raise the limit",
            proven: |events| noted_text(events).contains("ulimit -u N"),
            broken: ("child.rs", "format!(\"{error:#}\")", "error.root_cause().to_string()"),
        },
    ]);
}

/// The child looks for its parent without waiting for its end.
const NOT_YET_ADOPTED: Change =
    ("main.rs", "ear.read_exact(&mut [0])", "ear.read(&mut [])");

fn pid_of(events: &[Event], track: &str) -> i32 {
    let mut events = events.iter().filter(|event| event.track == track);
    events.next().expect("the track did something").pid
}

fn noted_text(events: &[Event]) -> String {
    noted(events, "child", "fork").as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_child_goes_on_after_fork_and_before_the_end_of_waiting() {
    let trace = Run::new(LESSON, &["--step", "one_call_two_returns"])
        .end()
        .well()
        .trace;
    let at = |track, name| trace.find(track, name).expect("it happened");
    let (forks, born) = (at("parent", "forks"), at("child", "born"));
    let (runs, reaped) = (at("child", "runs"), at("parent", "reaped"));
    assert!(trace.happened_before(forks, born));
    assert!(trace.happened_before(born, runs));
    assert!(trace.happened_before(runs, reaped));
    // What nothing forces has no order, whichever line stands above.
    let noted = at("parent", "fork returned");
    assert!(
        !trace.happened_before(noted, born)
            && !trace.happened_before(born, noted)
    );
}

#[test]
fn without_proc_it_says_what_it_cannot_show() {
    // A mount namespace of its own, in which /proc is an empty folder.
    let script = format!(
        "mount -t tmpfs none /proc && exec {} --speed 20 --step ended_but_not_gone",
        LESSON.binary
    );
    let args = ["--mount", "--propagation", "private", "sh", "-c", &script];
    let allowed = Command::new("unshare").args(["--mount", "true"]).output();
    if !allowed.is_ok_and(|run| run.status.success()) {
        use std::io::Write;
        let why = "NOT RUN: without_proc: this user may not unshare(1)";
        writeln!(std::io::stderr(), "{why}").expect("standard error is open");
        return;
    }
    let ended = Run::other("unshare", &args).end();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (0, ""),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("not shown on this machine"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("yields its exit code (7)"),
        "{}",
        ended.stdout
    );
    assert_eq!(happened(ended.trace.events(), "claim").count(), 0);
}
