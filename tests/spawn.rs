//! Lesson 26: coroutines that sleep.

use nix::sys::resource::{Resource, setrlimit};
use shared::lesson::{Claim, Figure};
use shared::trace::{Event, Kind, Phase};
use std::collections::{BTreeMap, HashSet};
use std::os::unix::process::CommandExt;
use testkit::{Change, Check, Lesson, Run, happened, not_run, noted};

const LESSON: Lesson = Lesson {
    package: "spawn",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_spawn"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "in_turn",
            claim: "who is due first wakes first",
            proven: |events| {
                let woken = happened(events, "wakes");
                let due: Vec<_> =
                    woken.map(|event| event.args["due_ns"].as_u64()).collect();
                due.len() == 8 && due.is_sorted()
            },
            broken: ALL_ALIKE,
        },
        Check {
            step: "in_turn",
            claim: "woken before their time",
            proven: |events| {
                let mut slept: Vec<f64> = slept(events, "sleeps")
                    .map(|(from, to, _)| (to - from) as f64 / 1e9 * 20.0)
                    .collect();
                slept.sort_by(f64::total_cmp);
                let least = [0.5, 0.5, 1.5, 2.5, 2.5, 3.5, 4.5, 6.5];
                slept.len() == 8
                    && slept.iter().zip(least).all(|(had, due)| *had >= due)
            },
            broken: ALL_ALIKE,
        },
        Check {
            step: "in_turn",
            claim: "all, in lengths of the longest",
            proven: |events| within(events, 1.5),
            broken: AS_A_THREAD,
        },
        Check {
            step: "two_jobs",
            claim: "both, in lengths of the longer",
            proven: |events| within(events, 1.3),
            broken: AS_A_THREAD,
        },
        Check {
            step: "two_jobs",
            claim: "main goes on after both",
            proven: |events| {
                let main = events.iter().position(|e| e.name == "goes on");
                let last = events.iter().rposition(|e| e.name == "sleeps");
                last.is_some() && last < main
            },
            broken: ("join.rs", "spawned.map(|job| job.join())", "()"),
        },
        Check {
            step: "nobody_joins",
            claim: "jobs begun",
            proven: |events| {
                let mut begun = happened(events, "sleeps");
                begun.next().is_some_and(|job| job.track == "job")
                    && begun.next().is_none()
            },
            broken: ("join.rs", "begin(\"sleeps\")", "begin(\"dreams\")"),
        },
        Check {
            step: "nobody_joins",
            claim: "jobs done",
            proven: |events| {
                let ends = |event: &Event| event.ph == Phase::End;
                !events.iter().any(|event| event.name == "done" || ends(event))
            },
            broken: JOINED,
        },
        Check {
            step: "nobody_joins",
            claim: "the program, in lengths of the job",
            proven: |events| {
                let job = happened(events, "sleeps").next();
                let end = happened(events, "the program has ended").next();
                let half = 60 * 1_000_000_000 / 20 / 2;
                job.zip(end).is_some_and(|(job, end)| {
                    (job.t_ns..job.t_ns + half).contains(&end.t_ns)
                })
            },
            broken: JOINED,
        },
        Check {
            step: "with_stacks",
            claim: "all wake",
            proven: |events| noted(events, "main", "have woken") == 10_000,
            broken: (
                "many.rs",
                "for _ in 0..beds.number {\n                go!(",
                "for _ in 1..beds.number {\n                go!(",
            ),
        },
        Check {
            step: "with_stacks",
            claim: "threads they took, clock included",
            proven: |events| threads(events) <= 2,
            broken: MORE_AT_HAND,
        },
        Check {
            step: "with_stacks",
            claim: "a stack each: memory maps",
            proven: |events| {
                let maps = noted(events, "main", "memory maps each");
                maps.as_f64().is_some_and(|maps| maps >= 1.9)
            },
            broken: MORE_AT_HAND,
        },
        Check {
            step: "without_stacks",
            claim: "all wake",
            proven: |events| noted(events, "main", "have woken") == 10_000,
            broken: IN_A_THREAD,
        },
        Check {
            step: "without_stacks",
            claim: "threads that carried them",
            proven: |events| threads(events) == 1,
            broken: IN_A_THREAD,
        },
        Check {
            step: "without_stacks",
            claim: "less than a page of memory: KiB",
            proven: |events| {
                let kib = noted(events, "main", "KiB of memory each");
                kib.as_f64().is_some_and(|kib| kib < 4.0)
            },
            broken: IN_A_THREAD,
        },
        Check {
            step: "who_is_held_up",
            claim: "asleep at once by thread::sleep",
            proven: |events| at_once(events, "keeps the thread") == 1,
            broken: THE_OTHER_WAY_ROUND,
        },
        Check {
            step: "who_is_held_up",
            claim: "asleep at once by coroutine::sleep",
            proven: |events| at_once(events, "sleeps") == 3,
            broken: THE_OTHER_WAY_ROUND,
        },
    ]);
}

const ALL_ALIKE: Change = (
    "main.rs",
    "coroutine::sleep(length);",
    "coroutine::sleep(stage.time(3.0));",
);

const AS_A_THREAD: Change =
    ("main.rs", "coroutine::sleep(length);", "std::thread::sleep(length);");

/// Main joins the job before its last line.
const JOINED: Change = (
    "join.rs",
    "});\n        told.recv()?;",
    "}).join().ok();\n told.recv()?;",
);

const MORE_AT_HAND: Change = (
    "main.rs",
    "set_workers(1).set_pool_capacity(1)",
    "set_workers(8).set_pool_capacity(11_000)",
);

/// One task less; each of the others has a thread to fall asleep in, and five
/// pages of memory.
const IN_A_THREAD: Change = (
    "many.rs",
    "for _ in 0..beds.number {\n            let beds = Arc::clone(&beds);\n\
     \x20           tasks.spawn(async move {
                beds.falls_asleep();",
    "for _ in 1..beds.number {\n let beds = Arc::clone(&beds);\n\
     let pages = vec![1_u8; 20_000];\n tasks.spawn(async move {\n\
     let _pages = pages;\n std::thread::scope(|scope| {\n\
     scope.spawn(|| beds.falls_asleep()); });",
);

const THE_OTHER_WAY_ROUND: Change = (
    "holding.rs",
    "|| thread::sleep(second));
        all_sleep(&three, \"sleeps\", || coroutine::",
    "|| coroutine::sleep(second));
        all_sleep(&three, \"sleeps\", || thread::",
);

/// From when to when a measured span went on, and on which track.
fn slept<'a>(
    events: &'a [Event],
    name: &'a str,
) -> impl Iterator<Item = (u64, u64, &'a str)> {
    happened(events, name).filter_map(|event| {
        let at = |key: &str| event.args.get(key)?.as_u64();
        Some((at("from_ns")?, at("to_ns")?, event.track.as_str()))
    })
}

/// Whether all slept no longer than `times` what one of them slept.
fn within(events: &[Event], times: f64) -> bool {
    let mut each = BTreeMap::new();
    let (mut first, mut last) = (u64::MAX, 0);
    for (from, to, track) in slept(events, "sleeps") {
        *each.entry(track).or_insert(0) += to - from;
        (first, last) = (first.min(from), last.max(to));
    }
    let longest = each.values().max();
    longest
        .is_some_and(|longest| (last - first) as f64 <= times * *longest as f64)
}

/// How many sleep at most when one of them falls asleep.
fn at_once(events: &[Event], name: &str) -> usize {
    let beginnings = slept(events, name).map(|(from, ..)| from);
    let asleep = beginnings.map(|moment| {
        let sleeps =
            |(from, to, _): &(u64, u64, &str)| (*from..*to).contains(&moment);
        slept(events, name).filter(sleeps).count()
    });
    asleep.max().unwrap_or(0)
}

/// On how many threads something happened to the sleepers.
fn threads(events: &[Event]) -> usize {
    let sleepers =
        events.iter().filter(|event| event.track.starts_with("asleep"));
    sleepers.map(|event| event.tid).collect::<HashSet<_>>().len()
}

#[test]
fn coroutines_are_tracks_of_their_own() {
    let trace = Run::new(LESSON, &["--step", "in_turn"]).end().well().trace;
    let kind = |name: &str| {
        let mut tracks = trace.tracks().iter();
        tracks.find(|track| track.name == name).map(|track| track.kind)
    };
    for name in ["anna", "ben", "carl", "dora"] {
        assert_eq!(kind(name), Some(Kind::Coroutine), "{name}");
    }
    // No runtime in the process that is to fork again.
    let mut wakes = trace.events().iter().filter(|event| event.name == "wakes");
    assert!(wakes.all(|event| event.pid != trace.events()[0].pid));
}

#[test]
fn other_numbers_of_sleepers() {
    for number in ["1000", "12345"] {
        for step in ["with_stacks", "without_stacks"] {
            let args = ["--step", step, "--sleepers", number];
            let trace = Run::new(LESSON, &args).end().well().trace;
            let woken = trace.noted::<u64>("main", "have woken");
            assert_eq!(woken.map(|woken| woken.to_string()), Ok(number.into()));
        }
    }
    for number in ["0", "-1", "999", "1000001", "x", "1e4", ""] {
        let run = Run::new(LESSON, &["--sleepers", number]).end();
        run.refused(2, &["--sleepers", "from 1000 to 1000000"]);
    }
}

/// However much the machine allows, a million stacks are too many: each would
/// be two memory maps and some KiB.
#[test]
fn more_stacks_than_the_system_allows() {
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count");
    let limit = limit.expect("these tests need /proc");
    let limit: u64 = limit.trim().parse().expect("it is a number");
    let most = 1_000_000;
    if limit > 2 * most {
        not_run("spawn: too many stacks", "there is room for a million");
        return;
    }
    let args = ["--step", "with_stacks", "--sleepers", &most.to_string()];
    let run = Run::new(LESSON, &args).end().well();
    assert_eq!(Claim::all(&run.trace), []);
    let said = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let (limit, way_out) =
        (limit.to_string(), "sudo sysctl vm.max_map_count=2");
    for word in ["not shown here: 1000000", &limit, "room for", way_out] {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(!said.contains("panic"), "{said}");
}

/// What has no stack goes on where stacks end.
#[test]
fn more_tasks_than_there_can_be_stacks() {
    let args = ["--step", "without_stacks", "--sleepers", "100000"];
    let trace = Run::new(LESSON, &args).end().well().trace;
    assert_eq!(trace.noted("main", "have woken"), Ok(100_000));
    assert_eq!(Claim::all(&trace).len(), 3);
    assert_eq!(Figure::all(&trace).len(), 1);
}

#[test]
fn no_memory_for_a_stack() {
    let mut run = Run::new(LESSON, &["--step", "with_stacks"]);
    let limit = || {
        let bytes = 300 << 20;
        setrlimit(Resource::RLIMIT_AS, bytes, bytes).map_err(Into::into)
    };
    // SAFETY: between fork and exec only setrlimit(2) is called.
    #[expect(unsafe_code, reason = "only the lesson is to have the limit")]
    unsafe {
        run.command.pre_exec(limit)
    };
    let words =
        ["cannot get memory", "--sleepers", "ulimit -v", "alloc sys stack"];
    run.end().refused(1, &words);
}
