//! Lesson 30: who is called back can do something else until then.

use shared::trace::{Event, Kind, Phase};
use std::collections::HashSet;
use testkit::{Change, Check, Lesson, Run, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "async-await",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_async-await"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "one_request",
            claim: "on the line: all of their sum",
            proven: |events| {
                let waits = edges(events, "on the line");
                let works = edges(events, "works");
                waits.len() == 2 && works.iter().all(|at| *at > waits[1])
            },
            broken: (
                "main.rs",
                "page_on_the_line(site.address(), request.name())\n    })?;",
                "caller.span(\"works\", || caller.pause(0.2));\n\
                 page_on_the_line(site.address(), request.name())\n    })?;",
            ),
        },
        Check {
            step: "one_request",
            claim: "called back: less than their sum",
            proven: |events| {
                let waits = edges(events, "is to call back");
                let works = edges(events, "works meanwhile");
                works.iter().any(|at| waits[0] < *at && *at < waits[1])
            },
            broken: (
                "main.rs",
                "join!(biased; asking, working)",
                "(asking.await, working.await)",
            ),
        },
        Check {
            step: "polled_by_hand",
            claim: "it asks nothing when it is made",
            proven: |events| {
                noted(events, "caller", "asked when it is made") == false
                    && place(events, "caller", "polls")
                        < place(events, "request", "asks")
            },
            broken: (
                "polling.rs",
                "    let future = pin!(async {\n",
                "    request.mark(\"asks\");\n    let future = pin!(async {\n",
            ),
        },
        Check {
            step: "polled_by_hand",
            claim: "polls: one, and one for the call",
            proven: |events| {
                let on = happened(events, "polls").map(|event| &*event.track);
                on.eq(["caller", "caller"])
            },
            broken: (
                "polling.rs",
                "|| bell.recv())?;",
                "|| bell.recv_timeout(\
                 std::time::Duration::from_millis(5))).ok();",
            ),
        },
        Check {
            step: "polled_by_hand",
            claim: "it goes on because of the call",
            proven: |events| {
                let arrow = |name, key| {
                    let mut named = happened(events, name);
                    named.next()?.args.get(key)?.as_u64()
                };
                let from = arrow("calls back", "out");
                from.is_some() && from == arrow("goes on", "in")
            },
            broken: (
                "polling.rs",
                "request.take_over(\"goes on\", call);",
                "let _ = call;\nrequest.mark(\"goes on\");",
            ),
        },
        Check {
            step: "all_at_once",
            claim: "in turn: on their way at once",
            proven: |events| one_at_a_time(events, "in turn"),
            broken: TWO_AT_A_TIME,
        },
        Check {
            step: "all_at_once",
            claim: "in turn: under twice the sum",
            // Nothing is asked for in less than half of the time.
            proven: |events| {
                let edges = happened_at(events, "in turn");
                let between = |pair: &[u64]| pair[1] - pair[0];
                let pauses: u64 = edges[1..].chunks_exact(2).map(between).sum();
                2 * pauses < edges[15] - edges[0]
            },
            broken: (
                "main.rs",
                "ask(address, request, \"in turn\")",
                "tokio::time::sleep(stage.time(0.8)).await;
            ask(address, request, \"in turn\")",
            ),
        },
        Check {
            step: "all_at_once",
            claim: "spawned: on their way at once",
            proven: |events| open_spans(events, "spawned")[7] == 8,
            broken: ON_THE_LINE,
        },
        Check {
            step: "all_at_once",
            claim: "spawned: under twice the longest",
            // The last has begun before the first ends.
            proven: |events| {
                let first = events.iter().position(|event| {
                    event.name == "spawned" && event.ph == Phase::End
                });
                let last = events.iter().rposition(|event| {
                    event.name == "spawned" && event.ph == Phase::Begin
                });
                last.is_some() && last < first
            },
            broken: ON_THE_LINE,
        },
        Check {
            step: "all_at_once",
            claim: "spawned: on threads",
            proven: |events| threads(events, "spawned").len() == 1,
            broken: ON_THE_LINE,
        },
        Check {
            step: "first_wins",
            claim: "who answers",
            proven: |events| answering(events) == ["anna"],
            broken: CARL_ANSWERS,
        },
        Check {
            step: "first_wins",
            claim: "the time is over for carl",
            proven: |events| noted(events, "main", "carl is late") == true,
            broken: CARL_ANSWERS,
        },
        Check {
            step: "first_wins",
            claim: "ben hangs up before main goes on",
            proven: |events| {
                let goes_on = place(events, "main", "has an answer");
                place(events, "ben", "hangs up") < goes_on
            },
            broken: NOT_DROPPED,
        },
        Check {
            step: "first_wins",
            claim: "carl hangs up before main goes on",
            proven: |events| {
                let goes_on = place(events, "main", "goes on");
                place(events, "carl", "hangs up") < goes_on
            },
            broken: NOT_DROPPED,
        },
        Check {
            step: "aborted",
            claim: "abort only asks",
            proven: |events| {
                let returns = place(events, "main", "abort returns");
                returns < place(events, "ben", "hangs up")
            },
            broken: ENDS_BY_ITSELF,
        },
        Check {
            step: "aborted",
            claim: "await waits for the end",
            proven: |events| {
                let returns = place(events, "main", "await returns");
                place(events, "ben", "hangs up") < returns
            },
            broken: (
                "ending.rs",
                "let end = task.await;",
                "main.mark(\"await returns\");\n        let end = task.await;",
            ),
        },
        Check {
            step: "aborted",
            claim: "await says why: cancelled",
            proven: |events| noted(events, "main", "cancelled") == true,
            broken: ENDS_BY_ITSELF,
        },
        Check {
            step: "let_go",
            claim: "who answers",
            proven: |events| answering(events) == ["anna"],
            broken: (
                "ending.rs",
                "            tell.send(())\n        }));",
                "            tell.send(())\n        }).abort());",
            ),
        },
        Check {
            step: "blocks_its_worker",
            claim: "ticks while the job blocks",
            proven: |events| ticks_heard(events, 0),
            broken: OF_ANOTHER_THREAD,
        },
        Check {
            step: "blocks_its_worker",
            claim: "ticks when it is over",
            proven: |events| {
                let job = edges(events, "blocks");
                let ticks = edges(events, "ticks");
                ticks.len() == 3 && ticks.iter().all(|tick| *tick > job[1])
            },
            broken: OF_ANOTHER_THREAD,
        },
        Check {
            step: "blocks_elsewhere",
            claim: "ticks while the job blocks",
            proven: |events| ticks_heard(events, 3),
            broken: OF_THE_WORKER,
        },
        Check {
            step: "blocks_elsewhere",
            claim: "it blocks another thread",
            proven: |events| {
                let clock = threads(events, "ticks");
                clock.is_disjoint(&threads(events, "blocks"))
            },
            broken: OF_THE_WORKER,
        },
        Check {
            step: "sizes",
            claim: "done with its page: less than a page",
            proven: |events| size(events, "done with its page") < 4096,
            broken: THE_OTHER_WAY_ROUND,
        },
        Check {
            step: "sizes",
            claim: "keeps its page: a page or more",
            proven: |events| size(events, "keeps its page") >= 4096,
            broken: THE_OTHER_WAY_ROUND,
        },
        Check {
            step: "sizes",
            claim: "in turn: less than two pages",
            proven: |events| size(events, "two that keep it, in turn") < 8192,
            broken: THE_OTHER_WAY_ROUND,
        },
        Check {
            step: "sizes",
            claim: "joined: two pages or more",
            proven: |events| size(events, "two that keep it, joined") >= 8192,
            broken: THE_OTHER_WAY_ROUND,
        },
    ]);
}

/// Two pages are awaited together where one should be.
const TWO_AT_A_TIME: Change = (
    "main.rs",
    "ask(address, request, \"in turn\").await?;",
    "let again = || ask(address, request, \"in turn\");
            let (one, two) = join!(again(), again());
            one.and(two)?;",
);

/// Each task waits on the line, and has told so on a thread of its own.
const ON_THE_LINE: Change = (
    "page.rs",
    "let _until_it_is_answered = request.begin(how);
    page_called_back(site, request.name()).await",
    "std::thread::scope(|threads| {
        threads.spawn(|| request.mark(how));
    });
    let _until_it_is_answered = request.begin(how);
    page_on_the_line(site, request.name())",
);

const CARL_ANSWERS: Change = (
    "ending.rs",
    "timeout(stage.time(1.0), never_answers(&carl))",
    "timeout(stage.time(1.0), answers(&carl, Duration::ZERO))",
);

/// Main keeps the futures that it does not wait for any more.
const NOT_DROPPED: Change = (
    "ending.rs",
    "        select! {
            () = answers(&anna, stage.time(1.0)) => \
             main.mark(\"has an answer\"),
            () = never_answers(&ben) => {}
        }
        let late = timeout(stage.time(1.0), never_answers(&carl)).await;",
    "        let mut of_ben = std::pin::pin!(never_answers(&ben));
        let mut of_carl = std::pin::pin!(never_answers(&carl));
        select! {
            () = answers(&anna, stage.time(1.0)) =>
                main.mark(\"has an answer\"),
            () = &mut of_ben => {}
        }
        let late = timeout(stage.time(1.0), &mut of_carl).await;",
);

const ENDS_BY_ITSELF: Change = (
    "ending.rs",
    "async move { never_answers(&ben).await }",
    "async move { answers(&ben, Duration::ZERO).await }",
);

const OF_ANOTHER_THREAD: Change = (
    "blocking.rs",
    "spawn(async move { job.block(patience) })",
    "{ let _ = patience; spawn_blocking(move || job.block(LONG)) }",
);

const OF_THE_WORKER: Change = (
    "blocking.rs",
    "spawn_blocking(move || job.block(LONG))",
    "{ let _ = LONG; spawn(async { job.block(Duration::from_millis(50)) }) }",
);

const THE_OTHER_WAY_ROUND: Change = (
    "price.rs",
    "    let done = size_of_val(&is_done_with_its_page());
    let keeps = size_of_val(&keeps_its_page());
    let in_turn = size_of_val(&one_after_the_other());
    let joined = size_of_val(&two_joined());",
    "    let keeps = size_of_val(&is_done_with_its_page());
    let done = size_of_val(&keeps_its_page());
    let joined = size_of_val(&one_after_the_other());
    let in_turn = size_of_val(&two_joined());",
);

/// When what is called `name` happened, began and ended.
fn happened_at(events: &[Event], name: &str) -> Vec<u64> {
    edges(events, name).into_iter().map(|at| events[at].t_ns).collect()
}

/// Where in the trace something called `name` is.
fn edges(events: &[Event], name: &str) -> Vec<usize> {
    let named = events.iter().enumerate();
    let named = named.filter(|(_, event)| event.name == name);
    named.map(|(index, _)| index).collect()
}

/// Where in the trace `name` is on `track`, which it has to be.
fn place(events: &[Event], track: &str, name: &str) -> usize {
    let here = |event: &Event| event.track == track && event.name == name;
    let place = events.iter().position(here);
    place.unwrap_or_else(|| panic!("{track}: no `{name}` in {events:#?}"))
}

fn one_at_a_time(events: &[Event], name: &str) -> bool {
    let open = open_spans(events, name);
    open.len() == 16 && open.into_iter().all(|open| open <= 1)
}

fn threads(events: &[Event], name: &str) -> HashSet<i32> {
    happened(events, name).map(|event| event.tid).collect()
}

fn answering(events: &[Event]) -> Vec<&str> {
    happened(events, "answers").map(|event| &*event.track).collect()
}

/// Whether the job heard so many ticks, and the trace has so many of them
/// between its beginning and its end.
fn ticks_heard(events: &[Event], number: usize) -> bool {
    let job = edges(events, "blocks");
    let ticks = edges(events, "ticks").into_iter();
    let heard = ticks.filter(|tick| (job[0]..job[1]).contains(tick)).count();
    heard == number && noted(events, "job", "ticks heard") == number
}

fn size(events: &[Event], future: &str) -> u64 {
    let size = noted(events, "futures", future).as_u64();
    size.unwrap_or_else(|| panic!("no size of `{future}`"))
}

#[test]
fn coroutines_are_tracks_of_their_own() {
    let trace = Run::new(LESSON, &["--step", "all_at_once"]).end().well().trace;
    let mut pages = 0;
    for track in trace.tracks() {
        if track.name.starts_with("/pages/") {
            assert_eq!(track.kind, Kind::Coroutine, "{track:?}");
            pages += 1;
        }
    }
    assert_eq!(pages, 8);
}

/// One line that names the page, and nothing is left.
#[test]
fn a_page_that_cannot_be_had() {
    const MISSING: Change = (
        "page.rs",
        "Plan::new().latency(",
        "Plan::new()
            .fault(\"/pages/3\", shared::site::Fault::NotFound)
            .latency(",
    );
    const CLOSED: Change = (
        "page.rs",
        "Plan::new().latency(",
        "Plan::new().fault(\"/pages/3\", shared::site::Fault::Closed).latency(",
    );
    const SILENT: Change = (
        "page.rs",
        "PATIENCE: Duration = Duration::from_secs(10);",
        "PATIENCE: Duration = Duration::from_micros(1);",
    );
    for (change, step, words) in [
        (MISSING, "one_request", ["/pages/3", "404 Not Found"]),
        (MISSING, "all_at_once", ["/pages/3", "404 Not Found"]),
        (CLOSED, "one_request", ["/pages/3", "no page"]),
        (CLOSED, "all_at_once", ["/pages/3", "no page"]),
        (SILENT, "one_request", ["/pages/3", "no answer"]),
        (SILENT, "all_at_once", ["/pages/1", "no answer"]),
    ] {
        let run = Run::mutant(LESSON, change, &["--step", step]).end();
        run.refused(1, &words);
    }
}

/// Two processes are allowed, the supervisor and the lesson; threads count too.
#[test]
fn no_thread_to_be_had() {
    for step in ["polled_by_hand", "blocks_elsewhere", "price"] {
        let run = Run::of_few(LESSON, 2, &["--speed", "20", "--step", step]);
        run.end().refused(1, &["ulimit -u"]);
    }
}

#[test]
fn no_file_to_be_had() {
    let args = ["--nofile=10", LESSON.binary, "--speed", "20"];
    let mut run = Run::other("prlimit", &args);
    run.command.args(["--step", "all_at_once"]);
    run.end().refused(1, &["all_at_once", "Too many open files"]);
}
