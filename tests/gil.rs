//! Lesson 18: one at a time under the lock, and what that does not protect.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::lesson::Claim;
use shared::trace::{Event, Phase};
use std::os::unix::process::CommandExt;
use testkit::{Change, Check, Lesson, Run, happened, not_run, noted, until};

const LESSON: Lesson = Lesson {
    package: "gil",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_gil"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    if cores().len() < 2 {
        return not_run("the claims of lesson 18", "there is one core only");
    }
    LESSON.prove(&[
        Check {
            step: "one_line",
            claim: "the counter is changed by the last",
            proven: |events| {
                let after = |op| noted(events, "anna", op);
                [after("Load"), after("Push(1)"), after("Add")] == [0, 0, 0]
                    && after("Store") == 1
            },
            broken: (
                "main.rs",
                "[Op::Load, Op::Push(1), Op::Add, Op::Store]",
                "[Op::Push(1), Op::AddTo, Op::Load, Op::Store]",
            ),
        },
        Check {
            step: "compute_with_lock",
            claim: "running at once: never two",
            proven: |events| {
                let turns = spans(events, "runs");
                turns.len() > 1 && overlaps(&turns) == 0
            },
            broken: TAKEN_BY_ALL,
        },
        Check {
            step: "compute_with_lock",
            claim: "cores used: no more than one",
            proven: |events| {
                let turns = spans(events, "runs");
                let (took, had) = (extent(&turns), sum(&turns));
                let ran = ["anna", "ben"]
                    .map(|name| noted(events, name, "ns on a core").as_u64());
                let [Some(anna), Some(ben)] = ran else { return false };
                10 * had.max(anna + ben) <= 11 * took
            },
            broken: TAKEN_BY_ALL,
        },
        Check {
            step: "compute_with_lock",
            claim: "shortest turn asked for, ms: at least 5",
            proven: |events| {
                let turns = spans(events, "runs");
                ["anna", "ben"].iter().all(|name| {
                    let own = turns.iter().filter(|turn| turn.track == *name);
                    let mut lengths: Vec<u64> =
                        own.map(|turn| turn.to - turn.from).collect();
                    lengths.pop(); // ended with the program
                    lengths.iter().all(|length| *length >= 5_000_000)
                })
            },
            broken: (
                "gil.rs",
                "wait_timeout(state, SWITCH_INTERVAL)",
                "wait_timeout(state, SWITCH_INTERVAL / 5)",
            ),
        },
        Check {
            step: "compute_with_lock",
            claim: "two turns in a row: nobody has them",
            proven: |events| {
                let mut turns = spans(events, "runs");
                turns.sort_by_key(|turn| turn.from);
                let tracks = turns.iter().map(|turn| turn.track);
                let mut changes: Vec<&str> = tracks.collect();
                changes.dedup();
                changes.len() == turns.len()
            },
            broken: TAKES_IT_BACK,
        },
        Check {
            step: "compute_without",
            claim: "running at once: both",
            proven: |events| overlaps(&spans(events, "runs")) > 0,
            broken: ONE_AFTER_THE_OTHER,
        },
        Check {
            step: "compute_without",
            claim: "cores used in the best moment: about two",
            // Within one piece of anna's, ben's cover half of it.
            proven: |events| {
                let pieces = spans(events, "runs");
                let of = |name| {
                    let own = pieces.iter();
                    own.filter(move |piece| piece.track == name)
                };
                of("anna").any(|anna| {
                    let common = of("ben").map(|ben| anna.common(ben));
                    2 * common.sum::<u64>() >= anna.to - anna.from
                })
            },
            broken: ONE_AFTER_THE_OTHER,
        },
        Check {
            step: "wait_with_lock",
            claim: TEN_WAIT,
            proven: asleep_at_once,
            broken: KEEPS_THE_LOCK,
        },
        Check {
            step: "wait_without",
            claim: TEN_WAIT,
            proven: asleep_at_once,
            broken: (
                "waiting.rs",
                "scope.spawn(move || {\n                \
                 interpreter.run(program, &track);\n            \
                 });",
                "let _ = scope;\n interpreter.run(program, &track);",
            ),
        },
        Check {
            step: "several_instructions",
            claim: "additions lost: one of two",
            proven: |events| stored(events) == [1, 1],
            broken: (
                "updates.rs",
                "[Op::Load, Op::Linger, Op::Push(1), Op::Add, Op::Store]",
                "[Op::Linger, Op::Load, Op::Push(1), Op::Add, Op::Store]",
            ),
        },
        Check {
            step: "one_instruction",
            claim: "additions lost: none",
            proven: |events| stored(events) == [1, 2],
            broken: (
                "updates.rs",
                "[Op::Linger, Op::Push(1), Op::AddTo]",
                "[Op::Load, Op::Linger, Op::Push(1), Op::Add, Op::Store]",
            ),
        },
        Check {
            step: "compute_five_ways",
            claim: "all compute the same",
            proven: |events| {
                let all = noted(events, "all", "remainders");
                let all = all.as_array().cloned().unwrap_or_default();
                let product = (1..=8_000)
                    .fold(1, |product: u64, n| product * n % 1_000_000_007);
                all.len() == 3 * 5 * 16 && all.iter().all(|one| *one == product)
            },
            broken: (
                "ways.rs",
                "push(ran(frame))",
                "push((1 + ran(frame).0, [0; 2]))",
            ),
        },
        Check {
            step: "wait_five_ways",
            claim: "asleep at once, one by one: one",
            proven: |events| {
                let waits = slept(events, "one by one");
                waits.len() == 20 && overlaps(&waits) == 0
            },
            broken: (
                "ways.rs",
                "let all = (0..times).map(|_| \
                 ran(interpreter.run(program, track)));\n    \
                 Ok(all.collect())",
                "in_threads(&interpreter, program, times, track)",
            ),
        },
        Check {
            step: "wait_five_ways",
            claim: "in each other way: two or more",
            proven: |events| {
                let ways =
                    ["processes", "threads", "under the lock", "coroutines"];
                ways.iter().all(|way| {
                    let waits = slept(events, way);
                    waits.len() == 20 && overlaps(&waits) > 0
                })
            },
            broken: (
                "coroutines.rs",
                "scope.yield_with(Some(time));",
                "let _ = &mut scope;\n thread::sleep(time);",
            ),
        },
    ]);
}

const TEN_WAIT: &str =
    "all ten together took, of the sum of their waits: at most half";

const TAKEN_BY_ALL: Change =
    ("gil.rs", "while state.held {", "while false && state.held {");

/// They do not begin again: it would be the same 20 times.
const ONE_AFTER_THE_OTHER: Change = (
    "cores.rs",
    "for _ in 0..20 {\n        both(&tracks, |track| {",
    "for _ in 0..1 {\n both(&tracks, |track| {\n\
     static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());\n\
     let _one = ONE.lock();",
);

/// Who is asked gives the lock up, wakes nobody, and does not wait.
const TAKES_IT_BACK: Change = (
    "gil.rs",
    "drop(self);\n        \
     let mine = |state: &mut State| state.turn == turn;\n        \
     drop(gil.taken.wait_while(gil.state(), mine));\n        \
     track.span_at(\"waits\", gave, Instant::now());",
    "self.track.span_at(\"runs\", self.since, Instant::now());\n\
     gil.state().held = false;\n\
     std::mem::forget(self);\n\
     let _ = (&gil.taken, turn, track, gave);",
);

const KEEPS_THE_LOCK: Change = (
    "interpreter.rs",
    "drop(held.take());\n                \
     let from = now();\n                \
     track.span(\"sleeps\", || sleep(time));\n                \
     slept = [from, now()];\n                \
     held = self.take(track);",
    "track.span(\"sleeps\", || sleep(time)); slept = [now(); 2];",
);

/// A span that was measured.
struct Measured<'a> {
    track: &'a str,
    from: u64,
    to: u64,
}

fn spans<'a>(events: &'a [Event], name: &str) -> Vec<Measured<'a>> {
    let named = events.iter().filter(|event| event.name == name);
    let measured = named.filter(|event| event.ph == Phase::Measured);
    let spans = measured.map(|event| {
        let time = |key| event.args[key].as_u64().expect("a time in ns");
        let (from, to) = (time("from_ns"), time("to_ns"));
        Measured { track: &event.track, from, to }
    });
    spans.collect()
}

impl Measured<'_> {
    /// For how many nanoseconds both went on.
    fn common(&self, other: &Self) -> u64 {
        self.to.min(other.to).saturating_sub(self.from.max(other.from))
    }
}

/// The same of all pairs.
fn overlaps(spans: &[Measured]) -> u64 {
    let pairs = spans.iter().enumerate().flat_map(|(at, one)| {
        spans[at + 1..].iter().map(move |other| one.common(other))
    });
    pairs.sum()
}

/// From the beginning of the first to the end of the last.
fn extent(spans: &[Measured]) -> u64 {
    let from = spans.iter().map(|span| span.from).min();
    let to = spans.iter().map(|span| span.to).max();
    to.zip(from).map_or(0, |(to, from)| to - from)
}

fn sum(spans: &[Measured]) -> u64 {
    spans.iter().map(|span| span.to - span.from).sum()
}

/// Whether ten slept, and all together for no more than half of the sum.
fn asleep_at_once(events: &[Event]) -> bool {
    let named = events.iter().filter(|event| event.name == "sleeps");
    let (begins, ends): (Vec<_>, Vec<_>) =
        named.partition(|event| event.ph == Phase::Begin);
    let waits = begins.iter().filter_map(|begin| {
        let mut ends = ends.iter();
        let end = ends.find(|end| end.track == begin.track)?;
        Some(Measured { track: &begin.track, from: begin.t_ns, to: end.t_ns })
    });
    let waits: Vec<_> = waits.collect();
    waits.len() == 10 && 2 * extent(&waits) <= sum(&waits)
}

/// From when until when each slept in one of the five ways.
fn slept<'a>(events: &'a [Event], way: &str) -> Vec<Measured<'a>> {
    let waits = noted(events, "all", way);
    let waits = waits.as_array().cloned().unwrap_or_default();
    let times = waits.iter().map(|wait| {
        let time = |at: usize| wait[at].as_u64().expect("a time in ns");
        Measured { track: "all", from: time(0), to: time(1) }
    });
    times.collect()
}

/// What was stored in the counter.
fn stored(events: &[Event]) -> Vec<u64> {
    let stores = happened(events, "stores");
    let values = stores.filter_map(|event| event.args["value"].as_u64());
    values.collect()
}

fn cores() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("it can be asked");
    let all = 0..CpuSet::count();
    all.filter(|&core| set.is_set(core) == Ok(true)).collect()
}

#[test]
fn one_core_shows_no_two_at_once() {
    let mut one = CpuSet::new();
    one.set(cores()[0]).expect("there is such a core");
    let mut run = Run::new(LESSON, &[]);
    #[expect(unsafe_code, reason = "only the lesson is to be restricted")]
    // SAFETY: between fork and exec only sched_setaffinity(2) is called.
    unsafe {
        let restrict = move || Ok(sched_setaffinity(Pid::from_raw(0), &one)?);
        run.command.pre_exec(restrict);
    }
    let ended = run.end().well();
    let said = "two threads at once: this program may use 1 core";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
    let claims = Claim::all(&ended.trace);
    assert_eq!(claims.len(), 12, "{claims:?}");
}

#[test]
fn full_size_can_be_ended() {
    let steps = [
        ("compute_five_ways", "computing: 16 times 1 * 2 * ... * 100000"),
        ("wait_five_ways", "waiting: 100 times 2 s"),
    ];
    for (step, said) in steps {
        let args = ["--full", "--step", step, "--speed", "1"];
        let run = Run::new(LESSON, &args);
        let trace = run.trace_path();
        let ended = run.end_after(|child| {
            until("it has said how much it measures", || {
                let trace = std::fs::read_to_string(&trace);
                trace.is_ok_and(|trace| trace.contains(said))
            });
            let pid = Pid::from_raw(child.id() as i32);
            kill(pid, Signal::SIGINT).expect("it can be asked to end");
        });
        assert_eq!((ended.code, ended.stderr.as_str()), (130, ""));
        assert!(ended.stdout.contains(said), "{}", ended.stdout);
    }
}

#[test]
fn help_tells_of_full_size() {
    let help = Run::new(LESSON, &["--help"]).end().stdout;
    assert!(help.contains("--full"), "{help}");
    assert!(help.contains("minutes"), "{help}");
    Run::new(LESSON, &["--full=3"]).end().refused(2, &["--full"]);
}
