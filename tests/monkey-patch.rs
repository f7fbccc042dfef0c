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

const WAITS: &str = "waits";

/// The socket of the first step yields.
const FIRST_YIELDS: Change =
    ("main.rs", "get(std::net::TcpStream", "get(may::net::TcpStream");

/// The socket of the second step blocks.
const SECOND_BLOCKS: Change = (
    "main.rs",
    "slow_site(stage, PAGES)?;
    let address = site.address();
    eight_pages(stage, |path| {
        get(may::net::TcpStream",
    "slow_site(stage, 1)?;
    let address = site.address();
    eight_pages(stage, |path| {
        get(std::net::TcpStream",
);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "a_socket_that_blocks",
            claim: "waiting at once: one",
            proven: one_at_a_time,
            broken: FIRST_YIELDS,
        },
        Check {
            step: "a_socket_that_blocks",
            claim: "requests at the site at once: one",
            proven: |events| at_the_site(events) == 1,
            broken: FIRST_YIELDS,
        },
        Check {
            step: "a_socket_that_blocks",
            claim: "all took, in times of one page: at least 8",
            proven: |events| {
                let times: Vec<u64> =
                    waits(events).map(|event| event.t_ns).collect();
                // At the pace of tests; the recorded run took longer.
                let page = 300_000_000 / 20;
                times.len() == 16
                    && times.chunks(2).all(|wait| wait[1] - wait[0] >= page)
                    && times[15] - times[0] >= 8 * page
            },
            broken: FIRST_YIELDS,
        },
        Check {
            step: "a_socket_that_yields",
            claim: "waiting at once: all",
            proven: all_at_once,
            broken: SECOND_BLOCKS,
        },
        Check {
            step: "a_socket_that_yields",
            claim: "requests at the site at once: all",
            proven: |events| at_the_site(events) == 8,
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
            claim: "waiting at once: one",
            proven: one_at_a_time,
            broken: AGENT_YIELDS,
        },
        Check {
            step: "a_client_that_blocks",
            claim: "requests at the site at once: one",
            proven: |events| at_the_site(events) == 1,
            broken: AGENT_YIELDS,
        },
        Check {
            step: "a_client_that_yields",
            claim: "waiting at once: all",
            proven: all_at_once,
            broken: AGENT_BLOCKS,
        },
        Check {
            step: "a_client_that_yields",
            claim: "requests at the site at once: all",
            proven: |events| at_the_site(events) == 8,
            broken: AGENT_BLOCKS,
        },
        Check {
            step: "a_client_that_yields",
            claim: "threads that carried them",
            proven: one_thread,
            broken: THREADS,
        },
        Check {
            step: "two_stacks",
            claim: "the usual stack overflows",
            proven: |events| {
                let said = noted(events, "32 KiB", "no page").to_string();
                said.contains("has overflowed its stack")
            },
            broken: ("stack.rs", "usize = 0x1000", "usize = 0x4000"),
        },
        Check {
            step: "two_stacks",
            claim: "with the larger one the page comes",
            proven: |events| {
                noted(events, "128 KiB", "a page of bytes").is_u64()
            },
            broken: ("coroutines.rs", "usize = 0x4000", "usize = 0x1000"),
        },
    ]);
}

/// ureq is given the other kind of socket.
const AGENT_YIELDS: Change = (
    "agent.rs",
    "&agent(stage, TcpConnector::default())",
    "&agent(stage, Yielding)",
);
const AGENT_BLOCKS: Change = (
    "agent.rs",
    "slow_site(stage, PAGES)?;
    let url = site.url();
    eight_pages(stage, |path| {
        fetch(&agent(stage, Yielding)",
    "slow_site(stage, 1)?;
    let url = site.url();
    eight_pages(stage, |path| {
        fetch(&agent(stage, TcpConnector::default())",
);

/// Each waits on a thread of its own.
const THREADS: Change = (
    "coroutines.rs",
    "let page = tracks[n].span(\"waits\", || get(&path));",
    "std::thread::scope(|threads| {
        threads.spawn(|| tracks[n].span(\"waits\", || {}));
    });
    let page = get(&path);",
);

fn waits(events: &[Event]) -> impl Iterator<Item = &Event> {
    events.iter().filter(|event| event.name == WAITS)
}

fn one_at_a_time(events: &[Event]) -> bool {
    let open = open_spans(events, WAITS);
    open.len() == 16 && open.into_iter().all(|open| open <= 1)
}

fn at_the_site(events: &[Event]) -> serde_json::Value {
    noted(events, "site", "requests at once")
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
    const SITE: &str = "Plan::new().latency(latency(stage)).meet(asked as u64)";
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
