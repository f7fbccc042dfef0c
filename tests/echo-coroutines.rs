//! Lesson 28: a coroutine for each client, on a few threads.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::trace::{Event, Phase};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use testkit::{Change, Check, Ended, Lesson, Run, happened, not_run, noted};

const LESSON: Lesson = Lesson {
    package: "echo-coroutines",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_echo-coroutines"),
};

testkit::battery!(LESSON);

/// One after the other: who is silent keeps all others waiting.
const MAY_ALONE: Change = (
    "main.rs",
    "go!(move || attend(client, &hall));",
    "attend(client, &hall);",
);
const TOKIO_ALONE: Change = (
    "tasks.rs",
    "tokio::spawn(async move { attend(client, &hall).await });",
    "attend(client, &hall).await;",
);
/// A thread for each client.
const MAY_THREADS: Change = (
    "main.rs",
    "go!(move || attend(client, &hall));",
    "std::thread::spawn(move || attend(client, &hall));",
);
const TOKIO_THREADS: Change = (
    "tasks.rs",
    "tokio::spawn(async move { attend(client, &hall).await });",
    "let tokio = tokio::runtime::Handle::current();\n\
     std::thread::spawn(move || tokio.block_on(attend(client, &hall)));",
);
/// Nobody is ever told that all have left.
const NEVER_EMPTY: Change =
    ("hall.rs", "self.0.empty.set();", "let _ = Event::set;");
/// Whoever has an answer to write holds the worker until it is taken.
const MAY_HOLDS: Change = (
    "main.rs",
    "client.get_mut().write_all(text.as_bytes())?;",
    "let mut theirs = client.get_ref().inner();
     theirs.set_nonblocking(false)?;
     theirs.write_all(text.as_bytes())?;
     theirs.set_nonblocking(true)?;",
);
const TOKIO_HOLDS: Change = (
    "tasks.rs",
    "timeout(patience, write).await??;",
    "drop(timeout(patience, write));
     let theirs = std::os::fd::AsFd::as_fd(client.get_ref());
     let theirs = theirs.try_clone_to_owned()?;
     let mut theirs = std::net::TcpStream::from(theirs);
     theirs.set_nonblocking(false)?;
     io::Write::write_all(&mut theirs, text.as_bytes())?;
     theirs.set_nonblocking(true)?;",
);
/// Nothing but a wait ends the turn of a client of may.
const NO_TURNS: Change =
    ("main.rs", "const TURN: u64 = 100;", "const TURN: u64 = u64::MAX;");
/// Text is taken for granted.
const NO_TEXT: Change = (
    "answer.rs",
    "answer.unwrap_or_else(|_| NOT_UTF8.to_owned())",
    "answer.unwrap_or_else(|_| \"\\n\".to_owned())",
);
/// A client that is dropped takes the server along.
const ONE_FALLS_ALL_FALL: Change =
    ("hall.rs", "let why = match", "std::process::exit(1);\nlet why = match");
/// Who reads nothing is let alone.
const ENDLESS_PATIENCE: Change =
    ("odd.rs", "stage.time(1.0).min(MOST)", "MOST * 1000");

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        check("a_coroutine_each", ANSWERED, all_answered, MAY_ALONE),
        check("a_coroutine_each", AT_ONCE, all_here, MAY_ALONE),
        check("a_coroutine_each", A_HANDFUL, few_threads, MAY_THREADS),
        check("a_coroutine_each", NONE_LEFT, all_gone, NEVER_EMPTY),
        check("a_task_each", ANSWERED, all_answered, TOKIO_ALONE),
        check("a_task_each", AT_ONCE, all_here, TOKIO_ALONE),
        check("a_task_each", A_HANDFUL, few_threads, TOKIO_THREADS),
        check("a_task_each", NONE_LEFT, all_gone, NEVER_EMPTY),
        Check {
            step: "silent_and_slow",
            claim: "may: served at the same time: all 502",
            proven: |events| all_stay(events, "may"),
            broken: MAY_ALONE,
        },
        Check {
            step: "silent_and_slow",
            claim: "may: answered between the letters",
            proven: |events| six_asked(events, "quick, may"),
            broken: MAY_ALONE,
        },
        Check {
            step: "silent_and_slow",
            claim: "may: the slow one is answered too",
            proven: |events| noted(events, "slow, may", "answer") == "SLOWLY",
            broken: MAY_ALONE,
        },
        Check {
            step: "silent_and_slow",
            claim: "tokio: served at the same time: all 502",
            proven: |events| all_stay(events, "tokio"),
            broken: TOKIO_ALONE,
        },
        Check {
            step: "silent_and_slow",
            claim: "tokio: answered between the letters",
            proven: |events| six_asked(events, "quick, tokio"),
            broken: TOKIO_ALONE,
        },
        Check {
            step: "silent_and_slow",
            claim: "tokio: the slow one is answered too",
            proven: |events| noted(events, "slow, tokio", "answer") == "SLOWLY",
            broken: TOKIO_ALONE,
        },
        Check {
            step: "odd_lines",
            claim: "may: the right answer to all five",
            proven: |events| five_are_right(events, "at may"),
            broken: NO_TEXT,
        },
        Check {
            step: "odd_lines",
            claim: "tokio: the right answer to all five",
            proven: |events| five_are_right(events, "at tokio"),
            broken: NO_TEXT,
        },
        Check {
            step: "odd_ends",
            claim: "may: the endless and the deaf are cut off",
            proven: |events| two_are_dropped(events, "may"),
            broken: ENDLESS_PATIENCE,
        },
        Check {
            step: "odd_ends",
            claim: "may: none of the three is left",
            proven: |events| three_were_dropped(events, "may"),
            broken: ONE_FALLS_ALL_FALL,
        },
        Check {
            step: "odd_ends",
            claim: "may: the next client is served",
            proven: |events| noted(events, "at may", "the next") == "AND I?",
            broken: ONE_FALLS_ALL_FALL,
        },
        Check {
            step: "odd_ends",
            claim: "tokio: the endless and the deaf are cut off",
            proven: |events| two_are_dropped(events, "tokio"),
            broken: ENDLESS_PATIENCE,
        },
        Check {
            step: "odd_ends",
            claim: "tokio: none of the three is left",
            proven: |events| three_were_dropped(events, "tokio"),
            broken: ONE_FALLS_ALL_FALL,
        },
        Check {
            step: "odd_ends",
            claim: "tokio: the next client is served",
            proven: |events| noted(events, "at tokio", "the next") == "AND I?",
            broken: ONE_FALLS_ALL_FALL,
        },
        Check {
            step: "many_deaf",
            claim: "may: answered while all deaf ones are stuck",
            proven: |events| ten_while_stuck(events, "may"),
            broken: MAY_HOLDS,
        },
        Check {
            step: "many_deaf",
            claim: "tokio: answered while all deaf ones are stuck",
            proven: |events| ten_while_stuck(events, "tokio"),
            broken: TOKIO_HOLDS,
        },
        Check {
            step: "many_floods",
            claim: "answered while all flood: by may, by tokio",
            proven: |events| {
                ten_in_floods(events, "may") && ten_in_floods(events, "tokio")
            },
            broken: NO_TURNS,
        },
    ]);
}

const ANSWERED: &str = "answered in upper case: all";
const AT_ONCE: &str = "served at the same time: all";
const A_HANDFUL: &str = "threads of the server: a handful";
const NONE_LEFT: &str = "none is left when all have gone";

fn check(
    step: &'static str,
    claim: &'static str,
    proven: fn(&[Event]) -> bool,
    broken: Change,
) -> Check {
    Check { step, claim, proven, broken }
}

/// How many were here after each that came or went.
fn here(events: &[Event]) -> Vec<u64> {
    let here = events.iter().filter(|event| event.name == "here");
    here.filter_map(|event| event.args["value"].as_u64()).collect()
}

fn all_answered(events: &[Event]) -> bool {
    noted(events, "clients", "answered") == 1000
}

/// They come one by one, and nobody leaves before the last has come.
fn all_here(events: &[Event]) -> bool {
    here(events).len() == 2000
        && here(events)[..1000].iter().copied().eq(1..=1000)
}

/// Those that say who is here: workers, and one that keeps the time.
fn few_threads(events: &[Event]) -> bool {
    let threads = events.iter().filter(|event| event.name == "here");
    let threads: HashSet<_> = threads.map(|event| event.tid).collect();
    threads.len() <= 3
}

/// The server knows it before the lesson goes on; what the lesson waits for
/// cannot be seen in the trace but by the time it takes.
fn all_gone(events: &[Event]) -> bool {
    let last = |name| events.iter().rfind(|event| event.name == name);
    let (Some(here), Some(left)) = (last("here"), last("connected")) else {
        return false;
    };
    let end = events.last().map_or(0, |event| event.t_ns);
    let waited = Duration::from_nanos(end - left.t_ns);
    here.args["value"] == 0 && waited < Duration::from_secs(5)
}

fn six_asked(events: &[Event], track: &str) -> bool {
    let place = |name: &str, track: &str| {
        events.iter().position(|it| it.track == track && it.name == name)
    };
    let asked = happened(events, "asks").filter(|event| event.track == track);
    let slow = track.replace("quick", "slow");
    let answer = events.iter().rposition(|it| it.track == track);
    asked.count() == 6 && answer < place("answer", &slow)
}

/// All 502 were here before the first question, and none left before the last
/// answer.
fn all_stay(events: &[Event], server: &str) -> bool {
    let quick = format!("quick, {server}");
    let of_quick = |event: &Event| event.track == quick;
    let first = events.iter().position(of_quick).unwrap_or(0);
    let last = events.iter().rposition(of_quick).unwrap_or(0);
    let theirs = |events: &[Event]| {
        let theirs = events.iter().filter(|event| event.track == server);
        here(&theirs.cloned().collect::<Vec<_>>())
    };
    let before = theirs(&events[..first]);
    let meanwhile = theirs(&events[first..last]);
    // The quick one itself may be counted as late as it is answered.
    before.into_iter().chain(meanwhile).eq(1..=502)
}

/// The quick one had ten answers while the three had their last wait.
fn ten_while_stuck(events: &[Event], server: &str) -> bool {
    answers_within(events, server, &format!("deaf, {server}"), 1) == 10
}

/// The quick one had ten answers after the last of three had begun to flood,
/// and before the first of them had enough.
fn ten_in_floods(events: &[Event], server: &str) -> bool {
    answers_within(events, server, &format!("floods, {server}"), 3) == 10
}

/// The answers of the quick one from the last beginning on that track to the
/// first of the last so many ends.
fn answers_within(
    events: &[Event],
    server: &str,
    track: &str,
    ends: usize,
) -> usize {
    let on = |event: &Event, ph| event.track == track && event.ph == ph;
    let begun = events.iter().rposition(|event| on(event, Phase::Begin));
    let mut ended = events.iter().enumerate().rev();
    let ended =
        ended.by_ref().filter(|(_, it)| on(it, Phase::End)).nth(ends - 1);
    let (Some(begun), Some((ended, _))) = (begun, ended) else { return 0 };
    let quick = format!("quick, {server}");
    let meanwhile = events.get(begun..ended).unwrap_or_default();
    let answers = happened(meanwhile, "answer");
    let answers = answers.filter(|event| event.track == quick);
    answers.filter(|event| event.args["value"] == "AND I?").count()
}

fn five_are_right(events: &[Event], track: &str) -> bool {
    let answers = events.iter().filter(|event| event.track == track);
    let noted = answers.filter_map(|it| it.args.get("value")?.as_str());
    let noted: Vec<_> = noted.collect();
    noted
        == [
            "\"ONE GR\\xc3\\x96SSE\"",
            "\"\"",
            "1048575 bytes",
            "\"error: not UTF-8\\nSTILL HERE\"",
            "\"LAST WORDS\"",
        ]
}

fn dropped<'a>(events: &'a [Event], track: &'a str) -> Vec<&'a str> {
    let dropped = happened(events, "drops a client");
    let dropped = dropped.filter(|event| event.track == track);
    dropped.filter_map(|event| event.args["value"].as_str()).collect()
}

fn two_are_dropped(events: &[Event], track: &str) -> bool {
    let why = dropped(events, track);
    why.contains(&"its line has no end") && why.contains(&"it reads too slowly")
}

fn three_were_dropped(events: &[Event], track: &str) -> bool {
    dropped(events, track).len() == 3
}

#[test]
fn three_thousand_clients_at_once() {
    for step in ["a_coroutine_each", "a_task_each"] {
        let args = ["--step", step, "--clients", "3000"];
        let run = Run::new(LESSON, &args).end().well();
        let events = run.trace.events();
        if run.stdout.contains("not shown here") {
            not_run("echo-coroutines: 3000 clients", "too few descriptors");
            continue;
        }
        assert_eq!(here(events).into_iter().max(), Some(3000));
        assert!(few_threads(events));
    }
}

#[test]
fn clients_are_counted() {
    for number in ["0", "10001", "-1", "x", ""] {
        let option = format!("--clients={number}");
        let run = Run::new(LESSON, &[&option]).end();
        run.refused(2, &["--clients", "from 1 to 10000"]);
    }
}

/// Where there cannot be so many, one line says so, and the rest is shown.
#[test]
fn too_few_descriptors() {
    let script = "ulimit -n 300 && exec \"$0\" --speed 20";
    let run = Run::other("sh", &["-c", script, LESSON.binary]).end();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let text = run.stdout.replace('\n', " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "not shown here: 1000 clients: they need 1064 file descriptors",
        "300 (`ulimit -Hn`)",
        "not shown here: 500 silent clients",
        "may: none of the three is left",
    ] {
        assert!(text.contains(words), "`{words}` is not in {}", run.stdout);
    }
}

/// A soft limit that is too low is raised.
#[test]
fn a_low_soft_limit() {
    let script = "ulimit -Sn 100 && exec \"$0\" --speed 20";
    let run = Run::other("sh", &["-c", script, LESSON.binary]).end();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    assert!(!run.stdout.contains("not shown here"), "{}", run.stdout);
}

/// The two servers.
const BOTH: [&[&str]; 2] = [&[], &["--tokio"]];

/// Runs a server until `deed` is done with it, and ends it by `signal`.
fn served(
    options: &[&str],
    signal: Signal,
    deed: impl FnOnce(SocketAddr, &Child),
) -> Ended {
    let args = [&["--listen", "127.0.0.1:0"], options].concat();
    served_by(Run::new(LESSON, &args), signal, deed)
}

fn served_by(
    run: Run,
    signal: Signal,
    deed: impl FnOnce(SocketAddr, &Child),
) -> Ended {
    let ended = run.end_after(|child| {
        let stdout = child.stdout.take().expect("its output is a pipe");
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it says where it listens");
        let address = line.split("listens on ").nth(1).expect("in that line");
        let address = address.split(';').next().expect("before the rest");
        // It is read to its end, or the server would be kept from speaking.
        let rest = thread::spawn(move || {
            let mut rest = String::new();
            let _ = stdout.read_to_string(&mut rest);
        });
        deed(address.parse().expect("an address"), child);
        let pid = Pid::from_raw(child.id() as i32);
        kill(pid, signal).expect("it can be asked to end");
        drop(rest);
    });
    assert_eq!(ended.code, 128 + signal as i32, "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    ended
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let client = TcpStream::connect(address).expect("the server listens");
    let limit = Some(Duration::from_secs(30));
    client.set_read_timeout(limit).expect("a time that is not zero");
    client.set_write_timeout(limit).expect("a time that is not zero");
    BufReader::new(client)
}

fn ask(client: &mut BufReader<TcpStream>, line: &str) -> String {
    writeln!(client.get_mut(), "{line}").expect("it takes a line");
    let mut answer = String::new();
    client.read_line(&mut answer).expect("and answers");
    answer
}

#[test]
fn listen_serves_until_control_c() {
    for options in BOTH {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let ended = served(options, signal, |address, _| {
                let mut one = connect(address);
                let mut other = connect(address);
                for _ in 0..3 {
                    assert_eq!(ask(&mut one, "stra\u{df}e"), "STRASSE\n");
                    assert_eq!(ask(&mut other, "caf\u{e9}\r"), "CAF\u{c9}\r\n");
                }
                drop(one);
                assert_eq!(ask(&mut other, "still"), "STILL\n");
                // One of them stays to the end.
                std::mem::forget(other);
            });
            assert_eq!(here(ended.trace.events()).into_iter().max(), Some(2));
        }
    }
}

#[test]
fn many_lines_in_one_write() {
    for options in BOTH {
        served(options, Signal::SIGINT, |address, _| {
            let client = connect(address).into_inner();
            let mut writer = client.try_clone().expect("a second descriptor");
            let lines = "gr\u{fc}n und blau\n".repeat(1 << 16); // 1 MiB
            let expected = lines.to_uppercase();
            let sent = thread::spawn(move || {
                writer.write_all(lines.as_bytes())?;
                writer.shutdown(Shutdown::Write)
            });
            let mut answer = String::new();
            (&client).read_to_string(&mut answer).expect("all is answered");
            assert!(answer == expected, "{} bytes", answer.len());
            assert!(sent.join().is_ok_and(|sent| sent.is_ok()));
        });
    }
}

#[test]
fn lines_have_a_longest() {
    const MIB: usize = 1 << 20;
    for options in BOTH {
        served(options, Signal::SIGINT, |address, _| {
            for (length, told) in [(MIB - 1, false), (MIB, true)] {
                let mut client = connect(address);
                let answer = ask(&mut client, &"x".repeat(length));
                assert_eq!(answer.starts_with("error: a line"), told);
                assert_eq!(answer.len() == MIB, !told, "{length}");
            }
            assert_eq!(ask(&mut connect(address), "next"), "NEXT\n");
        });
    }
}

/// They send as fast as they can, and take all answers: more of them than
/// there are workers.
#[test]
fn floods_keep_nobody_waiting() {
    for options in BOTH {
        served(options, Signal::SIGINT, |address, _| {
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..3 {
                    let client = connect(address).into_inner();
                    let mut writer = client.try_clone().expect("a descriptor");
                    let over = &over;
                    scope.spawn(move || {
                        let lines = "a\n".repeat(1 << 15);
                        while !over.load(Relaxed) {
                            if writer.write_all(lines.as_bytes()).is_err() {
                                break;
                            }
                        }
                        let _ = writer.shutdown(Shutdown::Both);
                    });
                    scope.spawn(move || {
                        let mut answers = vec![0; 1 << 16];
                        let mut client = &client;
                        while client.read(&mut answers).is_ok_and(|n| n > 0) {}
                    });
                }
                thread::sleep(Duration::from_millis(100));
                let mut quick = connect(address);
                let answered = (0..10).all(|_| {
                    let _ = writeln!(quick.get_mut(), "and i?");
                    let mut answer = String::new();
                    quick.read_line(&mut answer).is_ok() && answer == "AND I?\n"
                });
                over.store(true, Relaxed);
                assert!(answered, "{options:?}");
            });
        });
    }
}

/// Who finds no descriptor waits at the door until somebody leaves.
#[test]
fn no_descriptor_is_left_for_another_client() {
    for tokio in ["", "--tokio"] {
        let script =
            format!("ulimit -n 40 && exec \"$0\" --listen 127.0.0.1:0 {tokio}");
        let run = Run::other("sh", &["-c", &script, LESSON.binary]);
        served_by(run, Signal::SIGINT, |address, _| {
            let mut clients: Vec<_> =
                (0..40).map(|_| connect(address)).collect();
            for client in &mut clients {
                writeln!(client.get_mut(), "a").expect("it is connected");
            }
            // Each that is answered leaves, and makes room for another.
            for mut client in clients {
                let mut answer = String::new();
                client.read_line(&mut answer).expect("it is its turn");
                assert_eq!(answer, "A\n");
            }
        });
    }
}

#[test]
fn an_address_that_cannot_be_had() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = taken.local_addr().expect("it is bound").to_string();
    for options in BOTH {
        let args = [&["--listen", &address], options].concat();
        let run = Run::new(LESSON, &args).end();
        let why = ["cannot listen on", &address, "another port", "in use"];
        run.refused(1, &why);
    }
    // 192.0.2.0/24 is nobody's (RFC 5737).
    let run = Run::new(LESSON, &["--listen", "192.0.2.1:4000"]).end();
    run.refused(1, &["cannot listen on 192.0.2.1:4000", "of this machine"]);
}

/// Two of them cannot share a port without knowing it.
#[test]
fn a_second_server_at_the_same_port() {
    served(&[], Signal::SIGINT, |address, _| {
        let address = address.to_string();
        let run = Run::new(LESSON, &["--listen", &address]).end();
        run.refused(1, &["cannot listen on", &address, "another port"]);
    });
}

#[test]
fn what_is_no_address() {
    for address in ["", "4000", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"] {
        let run = Run::new(LESSON, &["--listen", address]).end();
        run.refused(2, &["--listen", "127.0.0.1:4000"]);
    }
    let others = ["--walk", "--step=a_request", "--svg=x", "--clients=3"];
    for other in others.into_iter().chain(["--runs=3", "--no-timeline"]) {
        let run = Run::new(LESSON, &["--listen", "127.0.0.1:0", other]).end();
        run.refused(2, &["--listen", "cannot be used with"]);
    }
    let run = Run::new(LESSON, &["--tokio"]).end();
    run.refused(2, &["--listen"]);
}
