//! Lesson 2: one call, two returns.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::lesson::Claim;
use shared::trace::{Event, Fate, Trace};
use std::process::Stdio;
use testkit::{Change, Check, Ended, Lesson, Run, may_mount, noted, pid_of};

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
            broken: (
                "main.rs",
                "who.note(\"fork returned\", returned)",
                "who.note(\"fork returned\", getpid().as_raw())",
            ),
        },
        Check {
            step: "one_call_two_returns",
            claim: "the parent got the child's pid",
            proven: |events| {
                let returned = noted(events, "parent", "fork returned");
                returned == noted(events, "child", "my pid")
                    && returned == pid_of(events, "child")
            },
            broken: (
                "main.rs",
                "child.note(\"my pid\", getpid()",
                "child.note(\"my pid\", getppid()",
            ),
        },
        Check {
            step: "one_call_two_returns",
            claim: "the child's parent is the caller",
            proven: |events| {
                noted(events, "child", "my parent's pid")
                    == pid_of(events, "parent")
            },
            broken: (
                "main.rs",
                "\"my parent's pid\", getppid().as_raw());\n        child.span",
                "\"my parent's pid\", getpid().as_raw());\n        child.span",
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
            proven: |events| {
                let at = noted(events, "child", "at");
                !at.is_null() && at == noted(events, "parent", "at")
            },
            broken: (
                "main.rs",
                "child.note(\"at\", format!(\"{:p}\", &money));",
                "child.note(\"at\", format!(\"{:p}\", &child));",
            ),
        },
        Check {
            step: "ended_but_not_gone",
            claim: "waitpid yields its exit code",
            proven: |events| noted(events, "parent", "exit code") == 7,
            broken: ("ending.rs", "        7\n", "        8\n"),
        },
        Check {
            step: "ended_but_not_gone",
            claim: "before waitpid a zombie",
            proven: |events| noted(events, "parent", "state") == "Z",
            broken: (
                "ending.rs",
                "read_to_string(&entry)",
                "read_to_string(\"/proc/self/stat\")",
            ),
        },
        Check {
            step: "ended_but_not_gone",
            claim: "after waitpid nothing",
            proven: |events| noted(events, "parent", "still there") == false,
            broken: (
                "ending.rs",
                "fs::exists(entry)",
                "fs::exists(\"/proc/self\")",
            ),
        },
        Check {
            step: "adopted",
            claim: "the one that asked for orphans",
            proven: |events| {
                let adopter = noted(events, "child", "my parent's pid");
                !adopter.is_null() && adopter == noted(events, "me", "my pid")
            },
            // The child looks for its parent without waiting for its end.
            broken: (
                "ending.rs",
                "ear.read_exact(&mut [0])",
                "ear.read(&mut [])",
            ),
        },
        Check {
            step: "printed_twice",
            claim: "buffer full at the fork: copies",
            proven: |events| {
                noted(events, "parent", "buffer full") == "paid 100; paid 100; "
            },
            broken: ("main.rs", "if buffer_is == \"empty\" {", "if true {"),
        },
        Check {
            step: "printed_twice",
            claim: "buffer empty at the fork: copies",
            proven: |events| {
                noted(events, "parent", "buffer empty") == "paid 100; "
            },
            broken: ("main.rs", "if buffer_is == \"empty\" {", "if false {"),
        },
        Check {
            step: "no_more_processes",
            claim: "fork says EAGAIN",
            proven: |events| noted_text(events).contains("EAGAIN"),
            broken: (
                "limit.rs", "format!(\"{error:#}\")", "format!(\"{error}\")",
            ),
        },
        Check {
            step: "no_more_processes",
            claim: "the course says what to do",
            proven: |events| noted_text(events).contains("ulimit -u N"),
            broken: (
                "limit.rs",
                "format!(\"{error:#}\")",
                "error.root_cause().to_string()",
            ),
        },
    ]);
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
fn a_limit_that_cannot_be_set_is_named() {
    let change = (
        "limit.rs",
        "setrlimit(Resource::RLIMIT_NPROC, 1, most)?;",
        "setrlimit(Resource::RLIMIT_NPROC, most.max(2), 1)?;",
    );
    let args = ["--step", "no_more_processes"];
    let ended = Run::mutant(LESSON, change, &args).end().well();
    let said = "a refused fork: the limit cannot be set: EINVAL";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
}

#[test]
fn without_proc_it_says_what_it_cannot_show() {
    // A mount namespace of its own, in which /proc is an empty folder.
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let trace = place.path().join("trace.jsonl");
    let script = format!(
        "mount -t tmpfs none /proc && \
         exec {} --speed 20 --step ended_but_not_gone --trace {}",
        LESSON.binary,
        trace.display()
    );
    let args = ["--mount", "--propagation", "private", "sh", "-c", &script];
    if !may_mount("fork: without /proc") {
        return;
    }
    let ended = Run::other("unshare", &args).end();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (0, ""),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("not shown here"), "{}", ended.stdout);
    let trace = Trace::read(&trace).expect("there is a trace");
    let claims = Claim::all(&trace);
    let claims: Vec<_> =
        claims.iter().map(|claim| claim.text.as_str()).collect();
    assert_eq!(claims, ["waitpid yields its exit code"]);
}

/// The lesson's own process, below its supervisor.
fn lesson_below(supervisor: u32) -> Pid {
    let supervisor = supervisor.to_string();
    let found =
        std::fs::read_dir("/proc").expect("there is /proc").find_map(|entry| {
            let pid = entry.ok()?.file_name().into_string().ok()?;
            let stat =
                std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let parent =
                stat.rsplit_once(") ")?.1.split(' ').nth(1)?.to_owned();
            (parent == supervisor).then(|| pid.parse().ok())?
        });
    Pid::from_raw(found.expect("the supervisor has a child"))
}

/// Runs a step slowly and does something once its child runs.
fn while_a_child_runs(deed: impl FnOnce(Pid)) -> Ended {
    let args = ["--step", "one_call_two_returns", "--speed", "0.05"];
    let run = Run::new(LESSON, &args);
    let trace = run.trace_path();
    run.end_after(|child| {
        let runs = || {
            std::fs::read_to_string(&trace)
                .is_ok_and(|text| text.contains("\"runs\""))
        };
        testkit::until("the child runs", runs);
        deed(Pid::from_raw(child.id() as i32));
    })
}

#[test]
fn a_killed_lesson_leaves_no_child() {
    let ended = while_a_child_runs(|supervisor| {
        let lesson = lesson_below(supervisor.as_raw() as u32);
        kill(lesson, Signal::SIGKILL).expect("it runs");
    });
    ended.refused(1, &["was killed by SIGKILL"]);
    let open = ended.trace.spans_named("runs").next().expect("the child ran");
    assert_eq!(open.fate, Fate::Open);
}

#[test]
fn signals_that_would_end_the_supervisor_end_the_lesson() {
    use Signal::{SIGALRM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    for signal in [SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM] {
        let ended = while_a_child_runs(|supervisor| {
            kill(supervisor, signal).expect("it runs");
        });
        assert_eq!(ended.code, 128 + signal as i32, "{signal}");
        assert_eq!(ended.stderr, "", "{signal}");
    }
}

#[test]
fn a_killed_supervisor_takes_the_lesson_along() {
    let mut lesson = None;
    // Nobody is left who could end the lesson's own child: that is the test's.
    let mut child = None;
    let args = ["--step", "one_call_two_returns", "--speed", "0.05"];
    let mut run = Run::new(LESSON, &args);
    let trace = run.trace_path();
    let mut supervisor =
        run.command.stdout(Stdio::null()).spawn().expect("it can be started");
    testkit::until("the child runs", || {
        let trace = Trace::read(&trace).unwrap_or_default();
        let runs = trace.find("child", "runs").map(|at| trace.events()[at].pid);
        child = runs.ok().map(Pid::from_raw);
        child.is_some()
    });
    lesson.replace(lesson_below(supervisor.id()));
    supervisor.kill().expect("it runs");
    supervisor.wait().expect("it can be waited for");
    let gone = |pid: Pid| kill(pid, None).is_err();
    testkit::until("the lesson is gone", || lesson.is_some_and(gone));
    kill(child.expect("it was found"), Signal::SIGKILL).expect("it runs");
    testkit::until("the child is gone", || child.is_some_and(gone));
}

/// Runs a changed lesson that is to fail.
fn fails(change: Change, step: &str, words: &[&str]) {
    let run = Run::mutant(LESSON, change, &["--step", step]).end();
    run.refused(1, words);
}

#[test]
fn what_a_step_leaves_behind_is_named_and_ended() {
    let change = (
        "main.rs",
        "wait_for(pid, &parent)?;\n    parent.note(\"money\"",
        "in_child(|| loop { parent.pause(1.0) })?;\n    \
         wait_for(pid, &parent)?;\n    parent.note(\"money\"",
    );
    fails(
        change,
        "memory_is_copied",
        &["left behind, and now ended: process", "(lesson)"],
    );
}

#[test]
fn a_child_that_goes_on_as_the_lesson_is_noticed() {
    let change = ("main.rs", "unsafe { libc::_exit(0) }", "return Ok(());");
    fails(change, "one_call_two_returns", &["went on as the lesson", "_exit"]);
}

#[test]
fn a_step_that_does_not_end_is_stopped() {
    let change = ("ending.rs", "mouth.write_all(&[1])?;", "");
    let run =
        Run::mutant(LESSON, change, &["--step", "adopted", "--speed", "1e6"]);
    run.end().refused(1, &["did not end within 30 s"]);
}

#[test]
fn a_lesson_that_will_not_end_is_ended() {
    let change = (
        "main.rs",
        "let (me, birth) =",
        "unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };\n\
         let (me, birth) =",
    );
    let args = ["--step", "one_call_two_returns", "--speed", "0.05"];
    let run = Run::mutant(LESSON, change, &args);
    let trace = run.trace_path();
    let ended = run.end_after(|child| {
        let runs = || {
            std::fs::read_to_string(&trace)
                .is_ok_and(|text| text.contains("\"runs\""))
        };
        testkit::until("the child runs", runs);
        kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM)
            .expect("it runs");
    });
    assert_eq!((ended.code, ended.stderr.as_str()), (143, ""));
}
