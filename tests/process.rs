//! Lesson 3: a process as an object.

use serde_json::json;
use shared::trace::{Event, Phase};
use std::collections::BTreeSet;
use std::fs;
use testkit::{Change, Check, Lesson, Run, happened, noted, pid_of, signal_of};

const LESSON: Lesson = Lesson {
    package: "process",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_process"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "only_one",
            claim: "times he served",
            proven: |events| {
                happened(events, "stirs").count() == 1
                    && happened(events, "serves").next().is_none()
            },
            broken: (
                "main.rs",
                "for_ever(\"stirs\", &cook, &begun);",
                "cook.span(\"stirs\", || cook.pause(0.1));",
            ),
        },
        Check {
            step: "seven_jobs",
            claim: "at once: about the longest",
            proven: |events| {
                let longest = lengths(events, "at once").into_iter().max();
                longest.is_some_and(|longest| {
                    extent(events, "at once") <= 2 * longest
                })
            },
            broken: ONE_AFTER_ANOTHER,
        },
        Check {
            step: "seven_jobs",
            claim: "and not the sum",
            proven: |events| {
                let jobs = lengths(events, "at once");
                let sum: u64 = jobs.iter().sum();
                jobs.len() == 7 && 10 * extent(events, "at once") <= 9 * sum
            },
            broken: ONE_AFTER_ANOTHER,
        },
        Check {
            step: "an_object",
            claim: "it knows its name",
            proven: |events| {
                let name = noted(events, "child", "my name");
                let number = name.as_str().unwrap_or_default();
                let number = number.strip_prefix("Process-");
                number.is_some_and(|number| number.parse::<u32>().is_ok())
            },
            broken: (
                "main.rs",
                "(\"my name\", current().name())",
                "(\"my name\", \"MainProcess\")",
            ),
        },
        Check {
            step: "an_object",
            claim: "and its pid",
            proven: |events| {
                noted(events, "child", "my pid") == pid_of(events, "child")
            },
            broken: (
                "main.rs",
                "(\"my pid\", current().pid())",
                "(\"my pid\", current().parent_pid())",
            ),
        },
        Check {
            step: "an_object",
            claim: "first it is alive, then not",
            proven: |events| {
                noted(events, "parent", "alive before and after")
                    == json!([true, false])
            },
            broken: ENDED_AT_ONCE,
        },
        Check {
            step: "an_object",
            claim: "a timed wait gives up",
            proven: |events| {
                noted(events, "parent", "ended after a while") == false
            },
            broken: ENDED_AT_ONCE,
        },
        Check {
            step: "an_object",
            claim: "it leaves an exit code",
            proven: |events| {
                noted(events, "parent", "in the end") == "exited with code 0"
                    && signal_of(events, "child") == json!(null)
            },
            broken: (
                "main.rs",
                "let end = process.wait();",
                "let end = Process::spawn::<()>(|| \
                 std::process::exit(3))?.wait();",
            ),
        },
        Check {
            step: "an_object",
            claim: "and an answer",
            proven: |events| {
                noted(events, "parent", "bread") == "rye and wheat"
            },
            broken: (
                "main.rs",
                "let bread = process.join()?;",
                "process.join()?;\n let bread = String::new();",
            ),
        },
        Check {
            step: "called_not_started",
            claim: "called: in this one",
            proven: |events| {
                noted(events, "parent", "called") == pid_of(events, "parent")
            },
            broken: (
                "call.rs",
                "(current().pid(), job())",
                "(current().pid(), Process::spawn(job)?.join()?)",
            ),
        },
        Check {
            step: "called_not_started",
            claim: "started: in another one",
            proven: |events| {
                noted(events, "parent", "started") != pid_of(events, "parent")
            },
            broken: (
                "call.rs",
                "let started = Process::spawn(job)?.join()?;",
                "let started = job();",
            ),
        },
        Check {
            step: "exit_code",
            claim: "the name that it was given",
            proven: |events| noted(events, "child", "my name") == "counter",
            broken: (
                "ending.rs",
                "Process::builder().name(\"counter\").spawn",
                "Process::spawn",
            ),
        },
        Check {
            step: "exit_code",
            claim: "the exit code that it chose",
            proven: |events| {
                noted(events, "parent", "in the end") == "exited with code 3"
            },
            broken: ("ending.rs", "exit(3)", "drop(3)"),
        },
        Check {
            step: "terminate_and_kill",
            claim: "terminate ends one",
            proven: |events| signal_of(events, "willing") == "SIGTERM",
            broken: (
                "ending.rs",
                "process.terminate()?;\n    let end",
                "process.kill()?;\n    let end",
            ),
        },
        Check {
            step: "terminate_and_kill",
            claim: "the other lives on",
            proven: |events| {
                noted(events, "parent", "deaf, asked to end, lives") == true
            },
            broken: NOT_DEAF_TO_IT,
        },
        Check {
            step: "terminate_and_kill",
            claim: "until kill ends it",
            proven: |events| signal_of(events, "deaf") == "SIGKILL",
            broken: NOT_DEAF_TO_IT,
        },
        Check {
            step: "parent_ends_first",
            claim: "works on after its parent's end",
            proven: |events| {
                let parent = i64::from(pid_of(events, "parent"));
                let mut after = events.iter().skip_while(|event| {
                    event.name != "reaped" || event.args["pid"] != parent
                });
                after.any(|event| event.name == "works on")
            },
            broken: (
                "ending.rs",
                "let second = Process::spawn(||",
                "let second = Process::builder().daemon(true).spawn(||",
            ),
        },
        Check {
            step: "start_afresh",
            claim: "the copy finds it hot",
            proven: |events| noted(events, "parent", "copied") == 200,
            broken: (
                "afresh.rs",
                "Process::spawn(|| OVEN.load(Relaxed))?.join()?",
                "run_again(\"--oven\", 0)?.replace(\" 0\", \"\").parse()?",
            ),
        },
        Check {
            step: "start_afresh",
            claim: "started afresh, it is cold",
            proven: |events| noted(events, "parent", "afresh") == "20",
            broken: (
                "afresh.rs",
                "run_again(\"--oven\", 180)?;",
                "Process::spawn(|| format!(\"{} 180\", \
                 OVEN.load(Relaxed)))?.join()?;",
            ),
        },
        Check {
            step: "start_afresh",
            claim: "but what it is told arrives",
            proven: |events| {
                noted(events, "parent", "afresh, as an argument") == "180"
            },
            broken: ("afresh.rs", "&number.to_string()", "\"0\""),
        },
        Check {
            step: "without_a_guard",
            claim: "at the limit, and not before",
            proven: |events| {
                let begun = happened(events, "main begins in");
                let pids: BTreeSet<_> =
                    begun.map(|event| event.args["value"].as_str()).collect();
                pids.len() == 5
            },
            broken: ("afresh.rs", "if limit == 1 {", "if limit == LIMIT {"),
        },
    ]);
}

const ONE_AFTER_ANOTHER: Change = (
    "main.rs",
    "all_begun.wait()?;\n            job.pause(seconds);\n            \
     Ok::<_, BarrierError>(()) // says what `?` may return\n        })?);\n",
    "job.pause(seconds);\n Ok::<_, BarrierError>(())\n })?);\n \
     processes.last().map(Process::wait);\n",
);

const ENDED_AT_ONCE: Change = (
    "main.rs",
    "let before = process",
    "go.set();\n    process.wait();\n    let before = process",
);

/// Asked by a signal that it hears.
const NOT_DEAF_TO_IT: Change = (
    "ending.rs",
    "process.terminate()?;\n    let lives",
    "process.send(shared::process::Signal::INT)?;
    process.wait();
    let lives",
);

/// How long each span called `name` took, in nanoseconds.
fn lengths(events: &[Event], name: &str) -> Vec<u64> {
    let of = |ph: Phase| {
        events.iter().filter(move |event| event.name == name && event.ph == ph)
    };
    // Of several on one track the first end that comes after it is its own.
    let lengths = of(Phase::Begin).filter_map(|begin| {
        let mut ends = of(Phase::End)
            .filter(|end| end.track == begin.track && end.t_ns >= begin.t_ns);
        Some(ends.next()?.t_ns - begin.t_ns)
    });
    lengths.collect()
}

/// From the first beginning to the last end of what is called `name`.
fn extent(events: &[Event], name: &str) -> u64 {
    let times = events.iter().filter(|event| event.name == name);
    let times: Vec<u64> = times.map(|event| event.t_ns).collect();
    times.iter().max().unwrap_or(&0) - times.iter().min().unwrap_or(&0)
}

#[test]
fn what_it_starts_itself_is_no_lesson() {
    let run = Run::other(LESSON.binary, &["--oven", "180"]).end();
    assert_eq!((run.code, run.stdout.as_str()), (0, "20 180\n"));
    let run = Run::other(LESSON.binary, &["--unguarded", "2"]).end();
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2));
    let help = Run::other(LESSON.binary, &["--help"]).end();
    assert!(!help.stdout.contains("--oven"), "{}", help.stdout);
    // What it would not say to itself is a word to the lesson.
    for args in [
        ["--oven", "hot"],
        ["--oven", "--speed"],
        ["--unguarded", "0"],
        ["--unguarded", "6"],
        ["--unguarded", "-1"],
    ] {
        Run::new(LESSON, &args).end().refused(2, &[args[0]]);
    }
}

#[test]
fn how_an_orphan_ended_is_recorded() {
    let args = ["--step", "parent_ends_first"];
    let well = Run::new(LESSON, &args).end().well();
    let change = (
        "ending.rs",
        "child.span(\"works on\", || child.pause(1.0));",
        "let kill = nix::sys::signal::Signal::SIGKILL;
            child.span(\"works on\", || _ = nix::sys::signal::raise(kill));",
    );
    let killed = Run::mutant(LESSON, change, &args).end().well();
    for (ended, signal, said) in [
        (well, json!(null), "exited with code 0"),
        (killed, json!("SIGKILL"), "killed by SIGKILL"),
    ] {
        let events = ended.trace.events();
        assert_eq!(signal_of(events, "child"), signal);
        let end = noted(events, "grandparent", "the orphan in the end");
        assert_eq!(end, said);
    }
}

#[test]
fn a_program_that_is_gone_cannot_run_again() {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let binary = place.path().join("process");
    testkit::copy_program(LESSON.binary, &binary);
    let path = binary.display().to_string();
    // At this pace a second passes before it needs itself.
    let run = Run::program(&path, &["--speed", "5"]);
    let trace = run.trace_path();
    let ended = run.end_after(|_| {
        testkit::until("it has begun", || {
            fs::read_to_string(&trace).is_ok_and(|text| text.contains("stirs"))
        });
        fs::remove_file(&binary).expect("it can be removed");
    });
    ended.refused(1, &["cannot run", &path, "No such file", "build it"]);
}
