//! Lesson 14: a process for each client, and nothing left of it.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::trace::{Event, Phase};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::time::Duration;
use std::{fs, thread};
use testkit::{Change, Check, Ended, Lesson, Run, happened, noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "echo-processes",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_echo-processes"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "a_process_each",
            claim: "answers in upper case: all",
            proven: |events| {
                let answers: Vec<_> = happened(events, "answer").collect();
                let right = |n: usize| {
                    let said = format!("I AM CLIENT {n}");
                    answers[n - 1].args["value"] == said.as_str()
                };
                answers.len() == 5 && (1..=5).all(right)
            },
            broken: ("echo.rs", "str::to_uppercase", "str::to_owned"),
        },
        Check {
            step: "a_process_each",
            claim: "processes that serve when all are here",
            proven: |events| {
                // Five begin before the first ends, each in another process.
                let first = first_five(events, "serves");
                first.iter().all(|event| event.ph == Phase::Begin)
                    && pids(first).len() == 5
            },
            broken: A_THREAD_EACH,
        },
        Check {
            step: "nothing_is_left",
            claim: "children of the server: none",
            proven: |events| {
                let served = pids(happened(events, "serves"));
                let reaped = happened(events, "reaped");
                let reaped = reaped.filter_map(|end| end.args["pid"].as_i64());
                let reaped: BTreeSet<i64> = reaped.collect();
                served.len() == 3
                    && served.iter().all(|pid| reaped.contains(&(*pid).into()))
            },
            broken: (
                "main.rs",
                "extract_if(.., |child| !child.is_alive())",
                "extract_if(.., |_| false)",
            ),
        },
        Check {
            step: "nothing_is_left",
            claim: "its sockets: the one that listens",
            // One for each client, and the one that listens; then that alone.
            proven: |events| sockets(events)[..2] == [Some(4), Some(1)],
            broken: (
                "main.rs",
                "drop(client); // its copy",
                "std::mem::forget(client); // its copy",
            ),
        },
        Check {
            step: "nothing_is_left",
            claim: "without the server: none",
            proven: |events| sockets(events) == [4, 1, 0].map(Some),
            broken: ("left.rs", "drop(service);", "std::mem::forget(service);"),
        },
        Check {
            step: "odd_lines",
            claim: "in upper case, or told why not: all five",
            proven: |events| {
                let answer = |track| noted(events, track, "answer");
                answer("half") == "\"ONE GR\\xc3\\x96SSE\" = ONE GR\u{d6}SSE"
                    && answer("empty") == "\"\""
                    && answer("1 MiB") == "1048575 bytes"
                    && answer("no UTF-8") == "\"error: not UTF-8\\nSTILL HERE\""
                    && answer("no end") == "\"LAST WORDS\""
            },
            // Whatever a read gives is taken for a line.
            broken: (
                "echo.rs",
                "most.read_until(b'\\n', &mut line)?;",
                "line.extend(most.fill_buf()?);\n\
                 let length = line.len();\n\
                 most.consume(length);",
            ),
        },
        Check {
            step: "odd_ends",
            claim: "cut off: the endless and the deaf one",
            proven: |events| {
                let dropped = happened(events, "drops it");
                let why = dropped.map(|event| event.args["value"].as_str());
                let why: Vec<_> = why.flatten().collect();
                why.contains(&"its line has no end")
                    && why.contains(&"it reads too slowly")
            },
            broken: (
                "echo.rs",
                "set_write_timeout(Some(patience))",
                "set_write_timeout(Some(patience * 1000))",
            ),
        },
        Check {
            step: "odd_ends",
            claim: "their processes have ended: all three",
            proven: |events| {
                let dropped = pids(happened(events, "drops it"));
                dropped.len() == 3 && open_spans(events, "serves").len() == 10
            },
            broken: ONE_FALLS_ALL_FALL,
        },
        Check {
            step: "odd_ends",
            claim: "who was here all the time is served",
            proven: |events| {
                // It was served before the first of the three, and still is.
                let place = |track, name| {
                    let this =
                        |it: &Event| it.track == track && it.name == name;
                    events.iter().position(this)
                };
                let first = place("vanishes", "connected");
                let served = place("stays", "first answer");
                let at_last = place("stays", "answer");
                let dropped =
                    events.iter().rposition(|it| it.name == "drops it");
                served.is_some()
                    && served < first
                    && dropped.is_some()
                    && at_last > dropped
                    && noted(events, "stays", "answer") == "AND I?"
            },
            broken: ONE_FALLS_ALL_FALL,
        },
        Check {
            step: "odd_ends",
            claim: "the next client is served",
            proven: |events| noted(events, "next", "answer") == "AND I?",
            broken: ONE_FALLS_ALL_FALL,
        },
        Check {
            step: "process_limit",
            claim: "the first is told why not",
            proven: |events| {
                noted(events, "first", "answer")
                    == "error: no process is left, come again later"
            },
            broken: REFUSED_TO_DEATH,
        },
        Check {
            step: "process_limit",
            claim: "the server stays, and serves the second",
            proven: |events| noted(events, "second", "answer") == "HELLO",
            broken: REFUSED_TO_DEATH,
        },
        Check {
            step: "three_processes",
            claim: "processes that served four clients",
            proven: |events| {
                pids(happened(events, "serves")).len() == 3
                    && happened(events, "serves").count() == 4
            },
            broken: ONE_WORKER_MORE,
        },
        Check {
            step: "three_processes",
            claim: "the fourth has to wait",
            proven: |events| {
                open_spans(events, "serves").into_iter().max() == Some(3)
            },
            broken: ONE_WORKER_MORE,
        },
        Check {
            step: "three_processes",
            claim: "it is served when one has left",
            proven: |events| {
                let place =
                    |name| events.iter().position(|event| event.name == name);
                let fourth = events.iter().rposition(|event| {
                    event.name == "serves" && event.ph == Phase::Begin
                });
                let leaves = place("leaves").expect("one leaves");
                fourth > Some(leaves)
            },
            broken: ONE_WORKER_MORE,
        },
    ]);
}

/// A thread for each client, all of them in the server.
const A_THREAD_EACH: Change = (
    "main.rs",
    "let child = Process::spawn(|| {\n            \
     // Its copy: while one is open, the port stays taken.\n            \
     drop(self.listener.take());\n",
    "let serve: &(dyn Fn(&TcpStream) + Sync) = &self.serve;\n\
     // SAFETY: the server lives as long as its process.\n\
     let serve: &'static (dyn Fn(&TcpStream) + Sync) =\n\
         unsafe { std::mem::transmute(serve) };\n\
     let theirs = client.try_clone()?;\n\
     std::thread::spawn(move || serve(&theirs));\n\
     if true { return Ok(()) }\n\
     let child = Process::spawn(|| {\n",
);

/// A child that drops its client takes the server along, and all children.
const ONE_FALLS_ALL_FALL: Change = (
    "echo.rs",
    "child.note(\"drops it\", why);",
    "let _ = why;\n\
     let server = std::os::unix::process::parent_id();\n\
     let all = format!(\"/proc/{server}/task/{server}/children\");\n\
     let kill = format!(\"kill -9 $(cat {all}) {server}\");\n\
     let _ = process::Command::new(\"sh\").args([\"-c\", &kill]).status();",
);

/// A client that cannot be served ends the server.
const REFUSED_TO_DEATH: Change = (
    "main.rs",
    "let _ = client.write_all(NO_PROCESS.as_bytes());",
    "return Err(error.into());",
);

/// One that is free when the fourth comes, and all the time it needs.
const ONE_WORKER_MORE: Change = (
    "three.rs",
    "const WORKERS: usize = 3;\n\
     /// Seconds in which the fourth client could be answered.\n\
     const CHANCE: f64 = 1.0;",
    "const WORKERS: usize = 4;\nconst CHANCE: f64 = 400.0;",
);

/// How many the server had: while all were here, when they had left, and when
/// it had ended itself.
fn sockets(events: &[Event]) -> [Option<u64>; 3] {
    ["sockets while three are here", "sockets", "sockets in the end"]
        .map(|name| noted(events, "server", name).as_u64())
}

fn first_five<'a>(events: &'a [Event], name: &str) -> Vec<&'a Event> {
    events.iter().filter(|event| event.name == name).take(5).collect()
}

fn pids<'a>(events: impl IntoIterator<Item = &'a Event>) -> BTreeSet<i32> {
    events.into_iter().map(|event| event.pid).collect()
}

#[test]
fn two_hundred_clients_at_once() {
    let args = ["--step", "a_process_each", "--clients", "200"];
    let trace = Run::new(LESSON, &args).end().well().trace;
    assert_eq!(trace.peak("serves"), 200);
    assert_eq!(pids(happened(trace.events(), "serves")).len(), 200);
    let told = trace.events().iter().filter(|event| event.name == "say");
    assert!(told.count() < 20);
}

/// The server gives up on a client that does not read before the client gives
/// up on the server, at whatever speed.
#[test]
fn a_slow_run_cuts_off_too() {
    let args = ["--step", "odd_ends", "--speed", "0.2"];
    Run::new(LESSON, &args).end().well();
}

#[test]
fn clients_are_counted() {
    for number in ["0", "401", "-1", "x", ""] {
        let option = format!("--clients={number}");
        let run = Run::new(LESSON, &[&option]).end();
        run.refused(2, &["--clients", "from 1 to 400"]);
    }
}

/// Runs a server until it has done `deed` with it, and ends it by `signal`.
fn served(signal: Signal, deed: impl FnOnce(SocketAddr, &Child)) -> Ended {
    let run = Run::new(LESSON, &["--listen", "127.0.0.1:0"]);
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
        child.stdout = None;
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
    // In one write: one that is refused has no time for a second.
    let line = format!("{line}\n");
    client.get_mut().write_all(line.as_bytes()).expect("it takes a line");
    let mut answer = String::new();
    client.read_line(&mut answer).expect("and answers");
    answer
}

#[test]
fn listen_serves_until_control_c() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let ended = served(signal, |address, _| {
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
        assert_eq!(pids(happened(ended.trace.events(), "serves")).len(), 2);
    }
}

#[test]
fn a_burst_of_two_hundred() {
    let ended = served(Signal::SIGINT, |address, _| {
        let clients: Vec<_> = (0..200)
            .map(|n| {
                thread::spawn(move || {
                    let mut client = connect(address);
                    let line = format!("client {n}");
                    assert_eq!(
                        ask(&mut client, &line),
                        format!("CLIENT {n}\n")
                    );
                    client
                })
            })
            .collect();
        // All stay until the last one was answered.
        let clients: Vec<_> =
            clients.into_iter().map(thread::JoinHandle::join).collect();
        assert!(clients.iter().all(Result::is_ok));
    });
    assert_eq!(pids(happened(ended.trace.events(), "serves")).len(), 200);
}

#[test]
fn many_lines_in_one_write() {
    served(Signal::SIGINT, |address, _| {
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

#[test]
fn a_character_byte_by_byte() {
    served(Signal::SIGINT, |address, _| {
        let mut client = connect(address);
        let line = "\u{4e16}\u{754c} \u{1f600} \u{df}\n";
        for byte in line.bytes() {
            client.get_mut().write_all(&[byte]).expect("it takes a byte");
        }
        let mut answer = String::new();
        client.read_line(&mut answer).expect("and answers");
        assert_eq!(answer, line.to_uppercase());
    });
}

#[test]
fn lines_have_a_longest() {
    const MIB: usize = 1 << 20;
    served(Signal::SIGINT, |address, _| {
        for (length, told) in [(MIB - 1, false), (MIB, true)] {
            let mut client = connect(address);
            let answer = ask(&mut client, &"x".repeat(length));
            assert_eq!(answer.starts_with("error: a line"), told, "{length}");
            assert_eq!(answer.len() == MIB, !told, "{length}");
        }
        assert_eq!(ask(&mut connect(address), "next"), "NEXT\n");
    });
}

#[test]
fn a_client_that_never_says_a_word() {
    served(Signal::SIGINT, |address, _| {
        drop(connect(address));
        let silent = connect(address);
        silent.get_ref().shutdown(Shutdown::Write).expect("it is connected");
        let mut rest = String::new();
        { silent }.read_to_string(&mut rest).expect("the server hangs up");
        assert_eq!(rest, "");
        assert_eq!(ask(&mut connect(address), "next"), "NEXT\n");
    });
}

#[test]
fn a_killed_child_harms_nobody_else() {
    let ended = served(Signal::SIGINT, |address, server| {
        let (mut one, mut other) = (connect(address), connect(address));
        ask(&mut one, "a");
        ask(&mut other, "b");
        let children = descendants(server.id());
        let last = children.last().expect("two children and the lesson");
        kill(Pid::from_raw(*last), Signal::SIGKILL).expect("it runs");
        let answered = [one, other].map(|mut client| {
            let _ = writeln!(client.get_mut(), "c");
            let mut answer = String::new();
            client.read_line(&mut answer).is_ok_and(|read| read > 0)
        });
        assert_eq!(answered.iter().filter(|yes| **yes).count(), 1);
        assert_eq!(ask(&mut connect(address), "next"), "NEXT\n");
    });
    assert_eq!(pids(happened(ended.trace.events(), "serves")).len(), 3);
}

/// The processes below one, each after its parent.
fn descendants(pid: u32) -> Vec<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(path).expect("these tests need /proc");
    let children = children.split_whitespace().flat_map(|child| {
        let child: u32 = child.parse().expect("a pid is a number");
        [vec![child as i32], descendants(child)].concat()
    });
    children.collect()
}

#[test]
fn no_descriptor_is_left_for_another_client() {
    // The server has two for each child.
    let script = "ulimit -n 24 && exec \"$0\" --listen 127.0.0.1:0";
    let run = Run::other("sh", &["-c", script, LESSON.binary]);
    let ended = run.end_after(|child| {
        let mut stdout =
            BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it says where it listens");
        let address = line.split("listens on ").nth(1).expect("in that line");
        let address = address.split(';').next().expect("before the rest");
        let address: SocketAddr = address.parse().expect("an address");
        let mut clients = Vec::new();
        let refused = (0..24).any(|_| {
            let mut client = connect(address);
            let answer = ask(&mut client, "a");
            clients.push(client);
            answer == "error: no process is left, come again later\n"
        });
        assert!(refused, "24 clients with 24 descriptors");
        drop(clients);
        testkit::until("it serves again", || {
            ask(&mut connect(address), "b") == "B\n"
        });
        let pid = Pid::from_raw(child.id() as i32);
        kill(pid, Signal::SIGINT).expect("it runs");
    });
    assert_eq!((ended.code, ended.stderr.as_str()), (130, ""));
}

#[test]
fn an_address_that_cannot_be_had() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let run = Run::new(LESSON, &["--listen", &address]).end();
    let why = ["cannot listen on", &address, "choose another port", "in use"];
    run.refused(1, &why);
    // 192.0.2.0/24 is nobody's (RFC 5737).
    let run = Run::new(LESSON, &["--listen", "192.0.2.1:4000"]).end();
    run.refused(1, &["cannot listen on 192.0.2.1:4000", "of this machine"]);
}

#[test]
fn a_limit_that_cannot_be_set_is_named() {
    let change = (
        "limit.rs",
        "setrlimit(RLIMIT_NPROC, 1, hard)?;",
        "setrlimit(RLIMIT_NPROC, hard.max(2), 1)?;",
    );
    let args = ["--step", "process_limit"];
    let ended = Run::mutant(LESSON, change, &args).end().well();
    let said = "a refused client: the limit cannot be set: EINVAL";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
}

#[test]
fn what_is_no_address() {
    for address in ["", "4000", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"] {
        let run = Run::new(LESSON, &["--listen", address]).end();
        run.refused(2, &["--listen", "127.0.0.1:4000"]);
    }
    for other in [
        "--walk", "--step=price", "--runs=3", "--no-timeline", "--svg=x",
        "--clients=3",
    ] {
        let run = Run::new(LESSON, &["--listen", "127.0.0.1:0", other]).end();
        run.refused(2, &["--listen", "cannot be used with"]);
    }
}
