//! Lesson 27: who has to wait is decided by the socket, not by the client.

use shared::trace::Event;
use std::collections::HashSet;
use testkit::{Change, Check, Lesson, Run, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "monkey-patch",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_monkey-patch"),
};

testkit::battery!(LESSON);

const WAITS: &str = "waits for a page";

/// The socket of the first step yields.
const FIRST_YIELDS: Change =
    ("main.rs", "get(std::net::TcpStream", "get(may::net::TcpStream");

/// The socket of the second step blocks.
const SECOND_BLOCKS: Change =
    ("main.rs", "get(may::net::TcpStream", "get(std::net::TcpStream");

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "a_socket_that_blocks",
            claim: "that wait at once: one",
            proven: one_at_a_time,
            broken: FIRST_YIELDS,
        },
        Check {
            step: "a_socket_that_blocks",
            claim: "requests at the site at once: one",
            // What the site counts is not in the trace; that nobody asks
            // before the one before has its answer is.
            proven: one_at_a_time,
            broken: FIRST_YIELDS,
        },
        Check {
            step: "a_socket_that_yields",
            claim: "that wait at once: all eight",
            proven: all_at_once,
            broken: SECOND_BLOCKS,
        },
        Check {
            step: "a_socket_that_yields",
            claim: "all the time, of the sum of the waits",
            proven: |events| {
                let mut sum = 0;
                let times: Vec<u64> = waits(events).map(|e| e.t_ns).collect();
                for event in waits(events) {
                    let end = event.ph == shared::trace::Phase::End;
                    sum += if end { 1 } else { -1 } * event.t_ns as i64;
                }
                let (first, last) = (times[0], times[times.len() - 1]);
                2 * (last - first) as i64 <= sum
            },
            broken: SECOND_BLOCKS,
        },
        Check {
            step: "a_socket_that_yields",
            claim: "threads that carried them",
            proven: one_thread,
            broken: THREADS,
        },
        Check {
            step: "a_client_that_blocks",
            claim: "that wait at once: one",
            proven: one_at_a_time,
            broken: (
                "agent.rs",
                "&agent(TcpConnector::default())",
                "&agent(Yielding)",
            ),
        },
        Check {
            step: "a_client_that_yields",
            claim: "that wait at once: all eight",
            proven: all_at_once,
            broken: (
                "agent.rs",
                "&agent(Yielding)",
                "&agent(TcpConnector::default())",
            ),
        },
        Check {
            step: "a_client_that_yields",
            claim: "threads that carried them",
            proven: one_thread,
            broken: THREADS,
        },
        Check {
            step: "two_stacks",
            claim: "32 KiB are too little",
            proven: |events| {
                let said = noted(events, "32 KiB", "it says").to_string();
                said.contains("has overflowed its stack")
            },
            broken: ("stack.rs", "usize = 0x1000", "usize = 0x4000"),
        },
        Check {
            step: "two_stacks",
            claim: "128 KiB are enough",
            proven: |events| noted(events, "128 KiB", "it says") == "nothing",
            broken: ("coroutines.rs", "usize = 0x4000", "usize = 0x1000"),
        },
    ]);
}

/// Each waits on a thread of its own.
const THREADS: Change = (
    "coroutines.rs",
    "tracks[n].span(\"waits for a page\", || get(&path))",
    "std::thread::scope(|threads| {
        threads.spawn(|| tracks[n].span(\"waits for a page\", || {}));
    });
    get(&path)",
);

fn waits(events: &[Event]) -> impl Iterator<Item = &Event> {
    events.iter().filter(|event| event.name == WAITS)
}

fn one_at_a_time(events: &[Event]) -> bool {
    let open = open_spans(events, WAITS);
    open.len() == 16 && open.into_iter().all(|open| open <= 1)
}

fn all_at_once(events: &[Event]) -> bool {
    open_spans(events, WAITS).contains(&8)
}

fn one_thread(events: &[Event]) -> bool {
    let threads = happened(events, WAITS).map(|event| event.tid);
    threads.collect::<HashSet<_>>().len() == 1
}

/// One line that names the page, and nothing is left.
#[test]
fn a_page_that_cannot_be_had() {
    const SITE: &str = "Plan::new().latency(stage.time(0.3))";
    const MISSING: Change = (
        "main.rs",
        SITE,
        "Plan::new().fault(\"/pages/3\", shared::site::Fault::NotFound)",
    );
    const CUT: Change = (
        "main.rs",
        SITE,
        "Plan::new().fault(\"/pages/3\", shared::site::Fault::Closed)",
    );
    for (change, step, words) in [
        (MISSING, "a_socket_that_blocks", ["/pages/3", "404 Not Found"]),
        (MISSING, "a_client_that_yields", ["/pages/3", "404"]),
        (CUT, "a_socket_that_yields", ["/pages/3", "no page"]),
        (CUT, "a_client_that_yields", ["/pages/3", "disconnected"]),
    ] {
        let run = Run::mutant(LESSON, change, &["--step", step]).end();
        run.refused(1, &words);
    }
}
