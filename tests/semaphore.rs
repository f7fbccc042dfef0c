//! Lesson 20: never more inside than there are permits.

use shared::trace::Event;
use std::collections::HashSet;
use testkit::{Check, Lesson, Screen, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "semaphore",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_semaphore"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(CHECKS);
}

#[test]
fn a_changed_record_is_refused() {
    let lines = LESSON.recorded();
    assert_eq!(LESSON.judge(&lines, CHECKS), Ok(()));
    let text = String::from_utf8(lines).expect("it is text");
    let refused = |changed: &str, why: &str| {
        let judged = LESSON.judge(changed.as_bytes(), CHECKS);
        let said = judged.expect_err("it was changed");
        assert!(said.contains(why), "`{why}` is not in: {said}");
    };
    refused(&text.replace("\"held\":true", "\"held\":false"), "did not hold");
    refused(&text[..text.len() / 2], "line ");
    let cut = text.trim_end().rsplit_once('\n').expect("it has lines").0;
    refused(cut, "it has no end");
    refused(&text.replace("five_inside", "six_inside"), "no such step");
    refused(&text.replace("\"semaphore\"", "\"lock\""), "not of this lesson");
    refused(&text.replace("never more", "no more"), "claimed");
    refused(&format!("{text}{text}"), "twice");
    // The sixth enters before the first has left.
    let inside = |line: &&str| line.contains("\"name\":\"inside\"");
    let mut lines: Vec<&str> = text.lines().collect();
    let left = |line: &&str| inside(line) && line.contains("\"ph\":\"E\"");
    let first = lines.iter().position(left).expect("the first leaves");
    let rest = &lines[first..];
    let entered = |line: &&str| inside(line) && line.contains("\"ph\":\"B\"");
    let sixth = first + rest.iter().position(entered).expect("one enters");
    lines[first..=sixth].rotate_left(1);
    refused(&(lines.join("\n") + "\n"), "`inside at once: five, never more`");
    // Another time, and nothing else: it is another picture.
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[first] = lines[first].replace("\"t_ns\":", "\"t_ns\":1");
    refused(&(lines.join("\n") + "\n"), "its picture is of another run");
}

const CHECKS: &[Check] = &[
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
            "if guest.name() == \"guest 7\" { continue }\n            \
             scope.spawn(move || {\n                \
             guest.span(\"waits\"",
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
            "if guest.name() == \"guest 7\" { continue }\n        \
             let process = Process",
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
];

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

#[test]
fn a_class_predicts_and_looks_closer() {
    for (chosen, shown, verdict) in [
        ("1", "> 1  twenty", "predicted: twenty; but it is 2, five"),
        ("2", "> 2  five", "well predicted: 2, five"),
    ] {
        let keys = [
            ("Enter: begin", "\r"),
            ("Enter: run", "c"),
            ("Enter: back", "\r"),
            ("Enter: run", chosen),
            (shown, ""),
            ("Enter: run", "\r"),
            (verdict, ""),
            ("t: timeline", "t"),
            ("guest 20", ""),
            ("Enter: back", "\r"),
            ("never more", ""),
            (verdict, ""),
            ("c: its claims", "c"),
            ("Enter: back", "\r"),
            (verdict, ""),
            ("r: run again", "q"),
        ];
        let args = ["--walk", "--step", "five_inside"];
        let screen = Screen::on(LESSON, (200, 80), &args, &keys);
        let text = screen.text();
        assert_eq!(screen.code, Some(0), "{text}");
        assert!(text.contains("struct Semaphore"), "{text}");
        assert!(text.contains("stage.claim("), "{text}");
    }
}
