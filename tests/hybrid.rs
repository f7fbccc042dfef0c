//! Lesson 31: what waits at once, what computes at once, and who answers.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::trace::{Event, Trace};
use std::collections::BTreeSet;
use testkit::{Change, Check, Lesson, Run, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "hybrid",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_hybrid"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "coroutines",
            claim: "wait at once: all eight",
            proven: |events| most_open(events, "waits") == 8,
            broken: THE_THREAD_WAITS,
        },
        Check {
            step: "coroutines",
            claim: "compute at once: one",
            proven: |events| most_open(events, "computes") == 1,
            broken: OTHERS_RUN_MEANWHILE,
        },
        Check {
            step: "threads",
            claim: "threads that compute: eight",
            proven: |events| {
                let begun = happened(events, "computes");
                begun.map(|event| event.tid).collect::<BTreeSet<_>>().len() == 8
            },
            broken: ("main.rs", "Mixture::new(1, 8, 1)", COROUTINES),
        },
        Check {
            step: "threads",
            claim: "compute at once: all eight",
            proven: |events| most_open(events, "computes") == 8,
            broken: ONE_THREAD_COMPUTES,
        },
        Check {
            step: "processes",
            claim: "processes that answer: eight",
            proven: |events| answering(events).len() == 8,
            broken: ("main.rs", "Mixture::new(8, 1, 1)", COROUTINES),
        },
        Check {
            step: "processes",
            claim: "compute at once: all eight",
            proven: |events| most_open(events, "computes") == 8,
            broken: ("main.rs", "Mixture::new(8, 1, 1)", COROUTINES),
        },
        Check {
            step: "hybrid",
            claim: "wait at once: P x T x C",
            proven: |events| most_open(events, "waits") == 8,
            broken: FOUR_COROUTINES,
        },
        Check {
            step: "hybrid",
            claim: "compute at once: P x T",
            proven: |events| most_open(events, "computes") == 4,
            broken: ONE_THREAD_COMPUTES,
        },
        Check {
            step: "hybrid",
            claim: "processes that answer: P",
            proven: |events| answering(events).len() == 2,
            broken: FOUR_COROUTINES,
        },
        Check {
            step: "hybrid",
            claim: "answered exactly once: all",
            proven: |events| each_once(events, 16),
            broken: (
                "server.rs",
                "crowd.wait(1..=places)?;",
                "crowd.wait(1..=places)?;
                 crowd.release();
                 crowd.wait(1..=places)?;",
            ),
        },
        Check {
            step: "one_is_killed",
            claim: "requests in the hands of the dead",
            proven: |events| {
                let victim = dead(events);
                let theirs = |event: &&Event| event.pid == victim;
                let begun = happened(events, "waits").filter(theirs);
                let answers = happened(events, "answers").filter(theirs);
                begun.count() == 4 && answers.count() == 0
            },
            broken: ALL_ARE_KILLED,
        },
        Check {
            step: "one_is_killed",
            claim: "the other answers meanwhile",
            proven: |events| {
                let meanwhile = events
                    .iter()
                    .skip_while(|event| event.name != "kills")
                    .take_while(|event| event.name != "asks again")
                    .cloned()
                    .collect::<Vec<_>>();
                let answers = happened(&meanwhile, "answers").count();
                answers == 8 && answering(&meanwhile).len() == 1
            },
            broken: ALL_ARE_KILLED,
        },
        Check {
            step: "one_is_killed",
            claim: "answered exactly once: all twelve",
            proven: |events| each_once(events, 12),
            broken: NOBODY_ASKS_AGAIN,
        },
        Check {
            step: "one_is_killed",
            claim: "by the other and a new one",
            proven: |events| {
                let pids = answering(events);
                pids.len() == 2 && !pids.contains(&dead(events))
            },
            broken: NOBODY_ASKS_AGAIN,
        },
        Check {
            step: "which_wins",
            claim: "wait at once, with eight places: all eight",
            proven: |events| {
                let most = |mixture| noted(events, "clients", mixture);
                let eight = ["1x1x8", "1x8x1", "8x1x1", "2x2x2"];
                eight.iter().all(|it| most(it) == 8)
            },
            broken: THE_THREAD_IS_KEPT,
        },
    ]);
}

/// What a thread does for a coroutine that waits, it does for none beside it.
const THE_THREAD_WAITS: Change = (
    "place.rs",
    "lines.next_line().await?.ok_or(io::ErrorKind::BrokenPipe)?;",
    "std::thread::sleep(std::time::Duration::from_millis(50));
     drop(_waits);
     lines.next_line().await?.ok_or(io::ErrorKind::BrokenPipe)?;",
);

/// Nothing else goes on on its thread until the client goes on.
const THE_THREAD_IS_KEPT: Change = (
    "place.rs",
    "lines.next_line().await?.ok_or(io::ErrorKind::BrokenPipe)?;",
    "if lines.get_ref().buffer().is_empty() {
         let stream: &TcpStream = lines.get_ref().get_ref().as_ref();
         let line = nix::poll::PollFd::new(
             std::os::fd::AsFd::as_fd(stream),
             nix::poll::PollFlags::POLLIN,
         );
         let _ = nix::poll::poll(&mut [line], 60_000_u16);
     }
     lines.next_line().await?.ok_or(io::ErrorKind::BrokenPipe)?;",
);

/// A lock lets one thread of each process compute.
const ONE_THREAD_COMPUTES: Change = (
    "place.rs",
    "self.track.span(\"computes\", || self.compute());",
    "static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
     let _alone = LOCK.lock().map_err(|_| ConnectionAborted)?;
     self.track.span(\"computes\", || self.compute());",
);

/// A request computes elsewhere, and its thread goes on to the next one.
const OTHERS_RUN_MEANWHILE: Change = (
    "place.rs",
    "self.track.span(\"computes\", || self.compute());",
    "let _computes = self.track.begin(\"computes\");
     let second = std::time::Duration::from_secs(1);
     let elsewhere = move || std::thread::sleep(second);
     let _ = tokio::task::spawn_blocking(elsewhere).await;",
);

const COROUTINES: &str = "Mixture::new(1, 1, 8)";

const FOUR_COROUTINES: Change = (
    "mixed.rs",
    "wait_then_compute(stage, mixture)?",
    "wait_then_compute(stage, Mixture::new(1, 1, 4))?",
);

const ALL_ARE_KILLED: Change = (
    "killed.rs",
    "kill(Pid::from_raw(victim), Signal::SIGKILL)?;",
    "for pid in crowd.pids() {
         let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
     }",
);

const NOBODY_ASKS_AGAIN: Change =
    ("killed.rs", "again.fill(server, lost.len())?;", "");

fn most_open(events: &[Event], name: &str) -> usize {
    // Those of a process that was killed are never closed: none of them is
    // counted together with those of its successor.
    let dead = killed(events);
    let living = events.iter().filter(|event| !dead.contains(&event.pid));
    let living: Vec<Event> = living.cloned().collect();
    open_spans(&living, name).into_iter().max().unwrap_or(0)
}

/// The processes that answered.
fn answering(events: &[Event]) -> BTreeSet<i32> {
    happened(events, "answers").map(|event| event.pid).collect()
}

/// Whether the requests 1 to `last` were answered, and each of them once.
fn each_once(events: &[Event], last: usize) -> bool {
    let answers = happened(events, "answers");
    let numbers = answers.map(|event| event.args["value"].to_string());
    let numbers: Vec<String> = numbers.collect();
    numbers.len() == last
        && (1..=last).all(|n| numbers.contains(&format!("\"{n}\"")))
}

/// The processes that SIGKILL ended.
fn killed(events: &[Event]) -> BTreeSet<i32> {
    let ends = happened(events, "reaped");
    let killed = ends.filter(|end| end.args["signal"] == "SIGKILL");
    killed
        .filter_map(|end| end.args["pid"].as_i64())
        .map(|n| n as i32)
        .collect()
}

/// The only one of them; 0 if they are several.
fn dead(events: &[Event]) -> i32 {
    let killed = killed(events);
    killed.first().filter(|_| killed.len() == 1).copied().unwrap_or(0)
}

/// Each mixture has as many processes, and as many threads, as it says.
#[test]
fn other_mixtures() {
    for (mixture, pids, threads, places) in
        [("1x1x1", 1, 1, 1), ("3x1x2", 3, 3, 6), ("1x4x8", 1, 4, 32)]
    {
        let args = ["--step", "hybrid", "--mixture", mixture];
        let trace = Run::new(LESSON, &args).end().well().trace;
        let events = trace.events();
        assert_eq!(answering(events).len(), pids, "{mixture}");
        assert_eq!(trace.threads_of("waits"), threads, "{mixture}");
        assert_eq!(most_open(events, "waits"), places, "{mixture}");
        assert_eq!(most_open(events, "computes"), threads, "{mixture}");
        assert!(each_once(events, 2 * places), "{mixture}");
    }
}

#[test]
fn what_is_no_mixture() {
    for mixture in [
        "",
        "8",
        "2x2",
        "2x2x2x2",
        "0x1x1",
        "2x2x9",
        "33x1x1",
        "axbxc",
        "-1x1x1",
        "-1",
        "1x 1x1",
        "18446744073709551615x2x1",
    ] {
        let option = format!("--mixture={mixture}");
        let run = Run::new(LESSON, &[&option]).end();
        run.refused(2, &["--mixture", "such as 2x2x2", "from 1 to 32"]);
    }
}

/// A value that looks like an option is a value; and what would be ignored is
/// refused.
#[test]
fn a_mixture_where_it_does_not_belong() {
    let run = Run::new(LESSON, &["--mixture", "-1x1x1"]).end();
    run.refused(2, &["--mixture", "such as 2x2x2"]);
    for step in ["coroutines", "threads", "one_is_killed", "which_wins"] {
        let run = Run::new(LESSON, &["--step", step, "--mixture", "2x1x2"]);
        run.end().refused(2, &["--mixture", "`hybrid`", step]);
    }
}

/// Where nobody replaces it, the run says what is missing, and ends.
#[test]
fn a_process_that_somebody_kills() {
    let args = ["--step", "hybrid", "--speed", "0.1"];
    let run = Run::new(LESSON, &args);
    let path = run.trace_path();
    let ended = run.end_after(|_| {
        let mut victim = None;
        testkit::until("all wait", || {
            let trace = Trace::read(&path).unwrap_or_default();
            let waiting = happened(trace.events(), "waits");
            let waiting: Vec<i32> = waiting.map(|event| event.pid).collect();
            victim = waiting.first().copied();
            waiting.len() == 8
        });
        let victim = Pid::from_raw(victim.expect("eight wait"));
        kill(victim, Signal::SIGKILL).expect("it lives");
    });
    ended.refused(1, &["no answer to the requests", "run it again"]);
}

/// A server that cannot open what it needs says why, wherever that is.
#[test]
fn too_few_open_files() {
    for number in ["14", "20"] {
        let command = "ulimit -n $1; exec $0 --speed 20";
        let args = ["-c", command, LESSON.binary, number];
        let words = ["failed: ", "with `ulimit -n N`: Too many open files"];
        Run::other("sh", &args).end().refused(1, &words);
    }
}
