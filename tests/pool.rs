//! Lesson 6: a fixed number of workers, and what becomes of their jobs.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::trace::{Event, Phase, Trace};
use std::collections::BTreeSet;
use testkit::{Change, Check, Lesson, Run, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "pool",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_pool"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "ten_jobs",
            claim: "jobs done: ten",
            proven: |events| ended(events, "works") == 10,
            broken: ("main.rs", "pool.map(1..=10)", "pool.map(1..=9)"),
        },
        Check {
            step: "ten_jobs",
            claim: "processes that worked: four",
            proven: |events| pids(happened(events, "works")).len() == 4,
            broken: FIVE_WORKERS,
        },
        Check {
            step: "ten_jobs",
            claim: "at once: four, and never more",
            proven: |events| {
                open_spans(events, "works").iter().max() == Some(&4)
            },
            broken: FIVE_WORKERS,
        },
        Check {
            step: "when_to_wait",
            claim: "one by one: no less than the sum",
            proven: |events| {
                open_spans(events, "one by one").iter().max() == Some(&1)
            },
            broken: (
                "main.rs",
                "let job = pool.submit(\"one by one\".into())?;
        job.get()?; // waits",
                "pool.submit_then(\"one by one\".into(), |_, _| ())?;",
            ),
        },
        Check {
            step: "when_to_wait",
            claim: "all first: about a quarter of it",
            proven: |events| {
                open_spans(events, "all first").iter().max() == Some(&4)
            },
            broken: (
                "main.rs",
                "Barrier::new(4)?;\n    let pool = Pool::new(4, |way",
                "Barrier::new(1)?;\n    let pool = Pool::new(1, |way",
            ),
        },
        Check {
            step: "callback",
            claim: "callbacks: one a job",
            proven: |events| said(events, "callback").count() == 4,
            broken: (
                "results.rs",
                "for job in 1..=4 {\n        pool.submit_then",
                "for job in 1..=3 {\n        pool.submit_then",
            ),
        },
        Check {
            step: "callback",
            claim: "all of them in the parent",
            proven: |events| {
                pids(said(events, "callback"))
                    == pids(happened(events, "waits"))
            },
            broken: (
                "results.rs",
                "parent.say(format!(\"callback in process {}\", process::id()));
            called.borrow_mut().push(process::id());",
                "let other = shared::process::Process::spawn(|| {\n\
                 parent.say(\"callback\");\n process::id() });\n\
                 called.borrow_mut().push(other.unwrap().join().unwrap());",
            ),
        },
        Check {
            step: "as_completed",
            claim: "the result that comes first: job",
            proven: |events| {
                let first = said(events, "result of job").next();
                first.is_some_and(|first| text(first) == "result of job 2")
            },
            broken: (
                "results.rs",
                "pool.each_unordered(1..=3)?",
                "pool.each(1..=3)?.enumerate()",
            ),
        },
        Check {
            step: "never_run",
            claim: "cancelled: only the job that waited",
            proven: |events| {
                let name = "cancel the first, the second";
                noted(events, "parent", name)
                    == serde_json::json!([false, true])
            },
            broken: NOT_CANCELLED,
        },
        Check {
            step: "never_run",
            claim: "join before close: refused",
            proven: |events| {
                noted_text(events, "join before close")
                    .contains("close it first")
            },
            broken: (
                "results.rs",
                "let early = pool.join();",
                "go.set();\n pool.close();\n let early = pool.join();",
            ),
        },
        Check {
            step: "never_run",
            claim: "submit after close: refused",
            proven: |events| {
                noted_text(events, "submit after close").contains("is closed")
            },
            broken: (
                "results.rs",
                "pool.close();\n    let late = pool.submit(3);",
                "let late = pool.submit(3);\n    pool.close();",
            ),
        },
        Check {
            step: "never_run",
            claim: "jobs that were run: the first",
            proven: |events| ended(events, "works") == 1,
            broken: NOT_CANCELLED,
        },
        Check {
            step: "job_panics",
            claim: "what the panic said reaches `get`",
            proven: |events| {
                noted_text(events, "0 guests").contains("divide by zero")
            },
            broken: NOBODY_PANICS,
        },
        Check {
            step: "job_panics",
            claim: "jobs done: the other two",
            proven: |events| {
                let each = |name| noted_text(events, name).ends_with(" each");
                ["4 guests", "0 guests", "3 guests"].map(each)
                    == [true, false, true]
            },
            broken: NOBODY_PANICS,
        },
        Check {
            step: "job_panics",
            claim: "by the same worker",
            proven: |events| pids(happened(events, "works")).len() == 1,
            broken: (
                "faults.rs",
                "(12 / guests, process::id())",
                "if guests == 0 { process::abort() }\n\
                 (12 / guests, process::id())",
            ),
        },
        Check {
            step: "worker_killed",
            claim: "job 1: lost, and the signal is named",
            proven: |events| {
                let lost = noted_text(events, "job 1");
                lost.contains("the job is lost") && lost.contains("SIGKILL")
            },
            broken: (
                "faults.rs",
                "kill_one(&parent, &worker, 1)?",
                "kill_one(&parent, &worker, 2)?",
            ),
        },
        Check {
            step: "worker_killed",
            claim: "the other jobs are done",
            proven: |events| {
                let [first, _] = rounds(events);
                done_jobs(first) == [2, 3, 4]
            },
            broken: (
                "faults.rs",
                "worker.pause(1.0);\n        Ok(())",
                "process::abort()",
            ),
        },
        Check {
            step: "worker_killed",
            claim: "new workers: one",
            proven: |events| {
                let [first, _] = rounds(events);
                let workers = |name| {
                    let pids = noted(first, "parent", name);
                    pids.as_array().cloned().unwrap_or_default()
                };
                let before = workers("workers");
                let now = workers("workers now");
                let new = now.iter().filter(|pid| !before.contains(pid));
                before.len() == 2 && now.len() == 2 && new.count() == 1
            },
            broken: (
                "faults.rs",
                "PoolBuilder::new(2).attempts(attempts);",
                "PoolBuilder::new(2).attempts(attempts).initial(|| \
                 if killed.is_set() { Err(\"nobody\") } else { Ok(()) });",
            ),
        },
        Check {
            step: "worker_killed",
            claim: "if it may begin twice: all are done",
            proven: |events| {
                let [_, second] = rounds(events);
                done_jobs(second) == [1, 2, 3, 4]
            },
            broken: (
                "faults.rs",
                "kill_one(&parent, &worker, 2)?",
                "kill_one(&parent, &worker, 1)?",
            ),
        },
    ]);
}

const FIVE_WORKERS: Change =
    ("main.rs", "const WORKERS: usize = 4;", "const WORKERS: usize = 5;");

const NOT_CANCELLED: Change = (
    "results.rs",
    "[first.cancel(), second.cancel()]",
    "[first.cancel(), second.is_done()]",
);

const NOBODY_PANICS: Change =
    ("faults.rs", "(12 / guests, ", "(12 / guests.max(1), ");

fn ended(events: &[Event], name: &str) -> usize {
    let ends = |event: &&Event| event.ph == Phase::End && event.name == name;
    events.iter().filter(ends).count()
}

fn pids<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeSet<i32> {
    events.map(|event| event.pid).collect()
}

fn text(event: &Event) -> &str {
    event.args.get("text").and_then(|text| text.as_str()).unwrap_or_default()
}

/// What was said that begins so.
fn said<'a>(
    events: &'a [Event],
    beginning: &'a str,
) -> impl Iterator<Item = &'a Event> {
    happened(events, "say")
        .filter(move |event| text(event).starts_with(beginning))
}

fn noted_text(events: &[Event], name: &str) -> String {
    noted(events, "parent", name).as_str().unwrap_or_default().to_owned()
}

/// The events of the first and of the second pool of `worker_killed`.
fn rounds(events: &[Event]) -> [&[Event]; 2] {
    let begins = |event: &Event| event.name == "workers";
    let second = events.iter().rposition(begins).expect("there are two pools");
    // A job may begin before the parent has told of its pool.
    let first = &events[..second];
    let over = first.iter().rposition(|event| event.name == "workers now");
    let (first, second) = events.split_at(over.expect("the first ended") + 1);
    [first, second]
}

/// The numbers of the jobs that came to their end.
fn done_jobs(events: &[Event]) -> Vec<u32> {
    let ends = events.iter().filter(|event| event.ph == Phase::End);
    let jobs = ends.filter_map(|event| event.name.strip_prefix("job "));
    let mut jobs: Vec<u32> = jobs.filter_map(|job| job.parse().ok()).collect();
    jobs.sort_unstable();
    jobs
}

#[test]
fn a_worker_killed_by_somebody_else_is_an_error_and_leaves_nothing() {
    let run = Run::new(LESSON, &["--step", "ten_jobs", "--speed", "0.5"]);
    let trace = run.trace_path();
    let ended = run.end_after(|_| {
        let mut worker = None;
        testkit::until("a worker works", || {
            let trace = Trace::read(&trace).unwrap_or_default();
            // Job 1 has ended: all have come to the barrier and gone on. The
            // one that has the longest of the first four is still at it.
            if ended(trace.events(), "works") == 0 {
                return false;
            }
            let at_it = said(trace.events(), "job 4 ").next();
            worker = at_it.map(|event| Pid::from_raw(event.pid));
            worker.is_some()
        });
        let worker = worker.expect("it was found");
        kill(worker, Signal::SIGKILL).expect("it runs");
    });
    ended.refused(1, &["ten_jobs", "item 3", "lost", "killed by SIGKILL"]);
}

#[test]
fn a_lesson_killed_at_work_takes_its_workers_along() {
    let run = Run::new(LESSON, &["--step", "ten_jobs", "--speed", "0.5"]);
    let trace = run.trace_path();
    let ended = run.end_after(|_| {
        let mut lesson = None;
        testkit::until("all four work", || {
            let trace = Trace::read(&trace).unwrap_or_default();
            lesson = trace.events().first().map(|event| event.pid);
            trace.count("works") >= 4
        });
        let lesson = Pid::from_raw(lesson.expect("it was found"));
        kill(lesson, Signal::SIGKILL).expect("it runs");
    });
    ended.refused(1, &["was killed by SIGKILL"]);
}
