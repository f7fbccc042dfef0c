//! Lesson 7: the same primes in every way, and what the ways cost.

use shared::lesson::Figure;
use shared::trace::{Event, Phase, Trace};
use testkit::{Change, Check, Lesson, Run, Screen, noted};

const LESSON: Lesson = Lesson {
    package: "primes",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_primes"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "below_1000",
            claim: "primes below 1000",
            proven: |events| {
                let found = found(events, "serially");
                found.len() == 168 && found == sieve(1000)
            },
            broken: ("main.rs", "2..=n / 2", "2..=n / 3"),
        },
        Check {
            step: "below_1000",
            claim: "all four ways find the same",
            proven: |events| {
                let ways = [
                    "serially", "a process each", "pool, one by one",
                    "pool, in chunks",
                ];
                ways.iter().all(|way| found(events, way) == sieve(1000))
            },
            broken: POOLS_LOSE_ONE,
        },
        Check {
            step: "below_1000",
            claim: "a process each takes so many times longer",
            proven: |events| {
                let figures = Figure::all(&Trace::of(events.to_vec()));
                let [serial, each, ..] = &figures[..] else { return false };
                each.seconds > 4.0 * serial.seconds
            },
            // No processes: the same loop twice, over enough numbers that a
            // busy machine does not make one of them much slower.
            broken: (
                "main.rs",
                "timed(stage, \"serially\", 2..1000, serially)?,
        timed(stage, \"a process each\", 2..1000, a_process_each)?,",
                "timed(stage, \"serially\", 2..30_000, serially)?,
        timed(stage, \"a process each\", 2..30_000, serially)?,",
            ),
        },
        Check {
            step: "life_of_a_process",
            claim: "it lives so many times longer than it works",
            proven: |events| {
                let lives = lengths(events, "starts it")
                    .zip(lengths(events, "waits"))
                    .map(|(starts, waits)| starts + waits);
                let works = events.iter().filter_map(|event| {
                    let at = |key| event.args.get(key)?.as_u64();
                    Some(at("to_ns")? - at("from_ns")?)
                });
                let longer = |&(life, work): &(u64, u64)| life >= 4 * work;
                lives.zip(works).filter(longer).count() > 5
            },
            broken: (
                "life.rs",
                "let found = prime(n);",
                "let found = prime(n); child.pause(1.0);",
            ),
        },
        Check {
            step: "to_the_limit",
            claim: "all three ways find the same",
            proven: |events| {
                let ways = [
                    "all: serially", "all: pool, one by one",
                    "all: pool, in chunks",
                ];
                ways.iter().all(|way| found(events, way) == sieve(20_000))
            },
            broken: POOLS_LOSE_ONE,
        },
        Check {
            step: "how_many_pay",
            claim: "all four pools find the same",
            proven: |events| {
                let ways = [1, 2, 4, 8].map(|n| format!("workers: {n}"));
                ways.iter().all(|way| found(events, way) == sieve(60_000))
            },
            broken: (
                "main.rs",
                "let answers = pool.map_chunked(numbers, chunk)?;",
                "let numbers = numbers.skip(workers);
    let answers = pool.map_chunked(numbers, chunk)?;",
            ),
        },
    ]);
}

const POOLS_LOSE_ONE: Change = (
    "main.rs",
    "Ok(answers.into_iter().flatten().collect())",
    "Ok(answers.into_iter().flatten().skip(1).collect())",
);

/// What a way found.
fn found(events: &[Event], way: &str) -> Vec<u64> {
    let found = noted(events, way, "found");
    let found = found.as_array().cloned().unwrap_or_default();
    found.iter().filter_map(|n| n.as_u64()).collect()
}

/// The primes below a limit, by the sieve of Eratosthenes.
fn sieve(limit: usize) -> Vec<u64> {
    let mut crossed = vec![false; limit];
    let mut primes = Vec::new();
    for n in 2..limit {
        if !crossed[n] {
            primes.push(n as u64);
            crossed[n..].iter_mut().step_by(n).for_each(|it| *it = true);
        }
    }
    primes
}

/// How long the spans called `name` took, which came one after another.
fn lengths<'a>(
    events: &'a [Event],
    name: &'a str,
) -> impl Iterator<Item = u64> {
    let times = move |ph| {
        let named = events.iter().filter(move |event| event.name == name);
        named.filter(move |event| event.ph == ph).map(|event| event.t_ns)
    };
    times(Phase::Begin).zip(times(Phase::End)).map(|(from, to)| to - from)
}

#[test]
fn a_limit_out_of_range_is_refused() {
    for limit in ["0", "-1", "999", "200001", "99999999999", "x", "1e4"] {
        let said = "give a whole number from 1000 to 200000";
        let run = Run::new(LESSON, &["--limit", limit]).end();
        run.refused(2, &["--limit", said]);
    }
    Run::new(LESSON, &["--limit="]).end().refused(2, &["--limit"]);
}

#[test]
fn help_tells_of_the_limit() {
    let help = Run::new(LESSON, &["--help"]).end().stdout;
    assert!(help.contains("--limit <N>"), "{help}");
    assert!(help.contains("from 1000 to 200000"), "{help}");
}

#[test]
fn the_limit_is_the_limit() {
    for (limit, step, below) in
        [(1000, "how_many_pay", 3000), (200_000, "to_the_limit", 200_000)]
    {
        let number = limit.to_string();
        let run = Run::new(LESSON, &["--limit", &number, "--step", step]);
        let trace = run.end().well().trace;
        let way = match step {
            "how_many_pay" => "workers: 2",
            _ => "all: pool, in chunks",
        };
        assert_eq!(found(trace.events(), way), sieve(below), "{limit}");
    }
}

#[test]
fn a_bar_shows_how_far_it_is_on_a_terminal_alone() {
    let args = ["--step", "how_many_pay"];
    let screen = Screen::of(LESSON, 80, &args, &[]);
    assert_eq!(screen.code, Some(0), "{}", screen.text());
    assert!(screen.text().contains(" of 240000"), "{}", screen.text());
    let piped = Run::new(LESSON, &args).end().well().stdout;
    assert!(!piped.contains(" of 240000"), "{piped}");
}
