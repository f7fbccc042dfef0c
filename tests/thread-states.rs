//! Lesson 16: each state is brought about and read back.

use shared::trace::Event;
use testkit::{Change, Check, Lesson, Run, happened, may_mount, noted};

const LESSON: Lesson = Lesson {
    package: "thread-states",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_thread-states"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "new",
            claim: "described: more threads",
            proven: |events| more_threads(events, "described", 0),
            broken: STARTED_AT_ONCE,
        },
        Check {
            step: "new",
            claim: "started: more threads",
            proven: |events| more_threads(events, "started", 1),
            broken: STARTED_AT_ONCE,
        },
        Check {
            step: "one_core",
            claim: "who looks is running",
            proven: |events| noted(events, "watcher", "my state") == "R",
            broken: (
                "busy.rs",
                "Task::current().state()",
                "Task::main_of(0).state()",
            ),
        },
        Check {
            step: "one_core",
            claim: "who has no core is runnable",
            proven: |events| noted(events, "watcher", "the worker's") == "R",
            broken: NOT_BUSY,
        },
        Check {
            step: "one_core",
            claim: "and counts no further meanwhile",
            proven: |events| noted(events, "watcher", "it counted") == 0,
            broken: (
                "busy.rs",
                "look(one, [core, core])",
                "look(one, [core, cores[1]])",
            ),
        },
        Check {
            step: "one_core",
            claim: "with a core of its own it runs",
            proven: |events| noted(events, "watcher 2", "the worker's") == "R",
            broken: NOT_BUSY,
        },
        Check {
            step: "one_core",
            claim: "and counts on meanwhile",
            proven: |events| {
                let counted = noted(events, "watcher 2", "it counted");
                counted.as_u64().is_some_and(|counted| counted > 0)
            },
            broken: (
                "busy.rs",
                "look(two, [core, other])",
                "look(two, [core, other.min(core)])",
            ),
        },
        Check {
            step: "blocked",
            claim: "all three are asleep",
            proven: |events| {
                ["buyer", "reader", "sleeper"]
                    .iter()
                    .all(|name| waits_in(events, name).starts_with("S in "))
            },
            broken: (
                "main.rs",
                "let (held, mouth) = (lock.lock(), mouth);",
                "let held = ();",
            ),
        },
        Check {
            step: "blocked",
            claim: "in three calls",
            proven: |events| {
                waits_in(events, "buyer") == "S in futex"
                    && waits_in(events, "reader") == "S in read"
                    && waits_in(events, "sleeper") == "S in nanosleep"
            },
            broken: (
                "main.rs",
                "let _ = reader.span(\"reads\", || ear.read(&mut [0]));",
                "reader.span(\"reads\", || {
                     drop(lock.lock());
                     _ = ear.read(&mut [0])
                 });",
            ),
        },
        Check {
            step: "undisturbed",
            claim: "asleep until the program runs",
            proven: |events| noted(events, "main", "the starter") == "D",
            broken: (
                "halted.rs",
                "|| start_behind(&path))",
                // Opens the gate itself: an ordinary sleep.
                "|| { drop(File::open(&path)); start_behind(&path) })",
            ),
        },
        Check {
            step: "stopped",
            claim: "both are stopped",
            proven: |events| letters(events, "stopped") == ["T", "T"],
            broken: (
                "halted.rs",
                "waitid(id(), WaitPidFlag::WSTOPPED)?;",
                "waitid(id(), WaitPidFlag::WSTOPPED)?;
                 process.send(Signal::CONT)?;",
            ),
        },
        Check {
            step: "stopped",
            claim: "after SIGCONT: stopped still",
            proven: |events| {
                let letters = letters(events, "continued");
                letters.len() == 2 && !letters.contains(&"T")
            },
            broken: (
                "halted.rs",
                "\
    process.send(Signal::CONT)?;
    waitid(id(), WaitPidFlag::WCONTINUED)?;
    let after = tell(\"continued\", tasks.iter().map(Task::state).collect());",
                "\
    let after = tell(\"continued\", tasks.iter().map(Task::state).collect());
    process.send(Signal::CONT)?;
    waitid(id(), WaitPidFlag::WCONTINUED)?;",
            ),
        },
        Check {
            step: "ended",
            claim: "a thread that was joined",
            proven: |events| left_of(events, "a thread that was joined", "-"),
            broken: (
                "life.rs",
                "let task = thread::scope(|scope| {
        start(scope, || worker.span(\"runs\", || worker.pause(0.5)))
    });",
                "worker.pause(0.5);\n    let task = Task::current();",
            ),
        },
        Check {
            step: "ended",
            claim: "a process that has ended",
            proven: |events| left_of(events, "a process that has ended", "Z"),
            broken: (
                "life.rs",
                "waitid(Id::Pid(Pid::from_raw(pid as i32)), ended)?;",
                "let id = Id::Pid(Pid::from_raw(pid as i32));
                 let _ = (id, ended, process.wait());",
            ),
        },
        Check {
            step: "ended",
            claim: "and was waited for",
            proven: |events| left_of(events, "and was waited for", "-"),
            broken: (
                "life.rs",
                "process.join()?;
    main.note(\"and was waited for\", task.state().to_string());",
                "main.note(\"and was waited for\", task.state().to_string());
    process.join()?;",
            ),
        },
        Check {
            step: "life",
            claim: "its letters",
            proven: |events| {
                let letters = happened(events, "letter");
                let letters = letters.map(|event| &event.args["value"]);
                letters.eq(["R", "S", "R", "-"])
            },
            broken: (
                "life.rs",
                "let held = (lock.lock(), main.begin(\"holds the lock\"));",
                "let held = ();",
            ),
        },
    ]);
}

/// Another thread is there before the builder has spawned its own.
const STARTED_AT_ONCE: Change = (
    "birth.rs",
    "let described = more()?;",
    "std::thread::spawn(std::thread::park);\n    let described = more()?;",
);

#[test]
fn a_core_that_cannot_be_had_is_named() {
    let change = ("cores.rs", "set.set(core)?;", "set.set(core + 512)?;");
    let run = Run::mutant(LESSON, change, &["--step", "one_core"]).end();
    run.refused(1, &["cannot keep to core", "EINVAL"]);
}

/// The worker sleeps on its core, for longer than anybody looks.
const NOT_BUSY: Change = (
    "busy.rs",
    "count.fetch_add(1, Relaxed);",
    "count.fetch_add(1, Relaxed);
     std::thread::sleep(std::time::Duration::from_secs(8));",
);

fn more_threads(events: &[Event], when: &str, number: u64) -> bool {
    noted(events, "main", &format!("{when}: more threads")) == number
}

fn left_of(events: &[Event], what: &str, letter: &str) -> bool {
    noted(events, "main", what) == letter
}

fn waits_in(events: &[Event], thread: &str) -> String {
    noted(events, "main", thread).as_str().unwrap_or_default().to_owned()
}

fn letters<'a>(events: &'a [Event], when: &'a str) -> Vec<&'a str> {
    let noted = happened(events, when).next();
    let letters = noted.and_then(|event| event.args["value"].as_array());
    let letters = letters.into_iter().flatten();
    letters.filter_map(|letter| letter.as_str()).collect()
}

#[test]
fn the_picture_has_the_letters_that_were_read() {
    let ended = Run::new(LESSON, &["--step", "life"]).end().well();
    for line in ["runnable R <--", "running R", "blocked S --", "ended -"] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
}

#[test]
fn the_starter_waits_in_the_call_that_makes_a_process() {
    // What the letter D stands for is a sleep in vfork, not one of many others.
    let ended = Run::new(LESSON, &["--step", "undisturbed"]).end().well();
    let events = ended.trace.events();
    let at = |name| events.iter().position(|event| event.name == name);
    assert!(at("starts a program") < at("the starter"));
    let ends = events.iter().rposition(|e| e.name == "starts a program");
    assert!(at("the starter") < ends, "it had ended when it was looked at");
}

#[test]
fn without_proc_it_says_what_is_missing() {
    // A mount namespace of its own, in which /proc is an empty folder.
    let script = format!(
        "mount -t tmpfs none /proc && exec {} --speed 20",
        LESSON.binary
    );
    let args = ["--mount", "--propagation", "private", "sh", "-c", &script];
    if !may_mount("thread-states: without /proc") {
        return;
    }
    Run::other("unshare", &args).end().refused(1, &["/proc", "mount"]);
}
