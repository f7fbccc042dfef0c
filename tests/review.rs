//! Lesson 33: the questions at the end, and that their answers are true.

use shared::trace::Event;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use testkit::{
    Change, Check, Ended, Lesson, Run, Screen, happened, noted, open_spans,
};

const LESSON: Lesson = Lesson {
    package: "review",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_review"),
};

testkit::battery!(LESSON, asks on a terminal);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "the_answers",
            claim: "questions",
            proven: nine_with_one_right,
            broken: EIGHT,
        },
        Check {
            step: "the_answers",
            claim: "proofs that are in no lesson",
            proven: |events| {
                let mut proofs = happened(events, "proof");
                proofs.all(|event| event.args["value"] == true)
            },
            broken: (
                "questions.json",
                "\"hears what the child has\"",
                "\"hears what none has\"",
            ),
        },
        Check {
            step: "whose_memory",
            claim: "the child's pid: another",
            proven: |events| {
                noted(events, "child", "pid") != noted(events, "main", "pid")
            },
            broken: NO_CHILD,
        },
        Check {
            step: "whose_memory",
            claim: "the threads' pids: main's",
            proven: |events| {
                let main = noted(events, "main", "pid");
                let threads = ["closure", "type"];
                threads.iter().all(|name| noted(events, name, "pid") == main)
            },
            broken: (
                "main.rs",
                "scope.spawn(|| add(&closure, &number));",
                "Process::spawn(|| add(&closure, &number))\
                 .unwrap().join().unwrap();",
            ),
        },
        Check {
            step: "whose_memory",
            claim: "main has what the threads add",
            proven: |events| noted(events, "main", "has") == 2,
            broken: NO_CHILD,
        },
        Check {
            step: "five_ways",
            claim: "heard in four ways",
            proven: |events| {
                let ways =
                    ["hears by pipe", "by socket", "by memory", "by file"];
                ways.iter().all(|way| noted(events, "parent", way) == 42)
            },
            // Into a copy of its own.
            broken: (
                "talk.rs",
                "*memory.lock()? = 42;",
                "let _copy = *memory.lock()? + 42;",
            ),
        },
        Check {
            step: "five_ways",
            claim: "the signal ended it",
            proven: |events| {
                let mut reaped = happened(events, "reaped");
                reaped.any(|event| {
                    event.args.values().any(|value| value == "SIGTERM")
                })
            },
            broken: ("talk.rs", "process.terminate()?", "process.kill()?"),
        },
        Check {
            step: "one_lock",
            claim: "compute at once: one",
            proven: |events| most_at_once(events, "computes") == 1,
            broken: (
                "locks.rs",
                "let held = track.span(\"blocked\", || lock(gil));
                    track.span(\"computes\", || track.pause(0.3));
                    drop(held);",
                "let _ = gil;\n track.span(\"computes\", || answer.wait());",
            ),
        },
        Check {
            step: "one_lock",
            claim: "wait at once: both",
            proven: |events| most_at_once(events, "waits") == 2,
            // Who waits keeps the lock.
            broken: (
                "locks.rs",
                "drop(held);
                    track.span(\"waits\", || {
                        answer.wait(); // both have asked
                        track.pause(0.3); // it is on its way
                    });",
                "let _ = answer;\n track.span(\"waits\", || ());\n drop(held);",
            ),
        },
        Check {
            step: "lost_update",
            claim: "without a lock: one of two is lost",
            proven: |events| values(events, "writes") == [1, 1],
            broken: (
                "locks.rs",
                "let seen = number.load(Relaxed);
                track.note(\"reads\", seen);
                track.span(\"waits\", || both_have_read.wait());
                number.store(seen + 1, Relaxed);",
                "let seen = number.fetch_add(1, Relaxed);\n\
                 let _ = both_have_read;",
            ),
        },
        Check {
            step: "lost_update",
            claim: "with a lock: none is lost",
            proven: |events| values(events, "with the lock") == [1, 2],
            broken: (
                "locks.rs",
                "let mut held = lock(locked);
                track.span(\"has the lock\", || track.pause(0.3));
                *held += 1;
                track.note(\"with the lock\", *held);",
                "let seen = *lock(locked);\n both_have_read.wait();\n\
                 *lock(locked) = seen + 1;\n\
                 track.note(\"with the lock\", seen + 1);",
            ),
        },
        Check {
            step: "circle",
            claim: "who gets both: neither",
            proven: |events| {
                let mut tries = happened(events, "gets both");
                let first = tries.next().map(|event| &event.args["value"]);
                let second = tries.next().map(|event| &event.args["value"]);
                first.is_some_and(|it| it == false) && first == second
            },
            // Each wants one that nobody has.
            broken: (
                "locks.rs",
                "second.try_lock()",
                "(second, Mutex::new(())).1.try_lock()",
            ),
        },
        Check {
            step: "on_one_thread",
            claim: "wait at once: both",
            proven: |events| most_at_once(events, "waits") == 2,
            // Who waits holds up the thread.
            broken: (
                "waiting.rs",
                "answer.wait().await; // both have asked
    sleep(way).await;",
                "let _ = answer;\n thread::sleep(way);",
            ),
        },
        Check {
            step: "on_one_thread",
            claim: "on threads",
            proven: |events| {
                let waits = happened(events, "waits").map(|event| event.tid);
                waits.collect::<BTreeSet<_>>().len() == 1
            },
            broken: (
                "waiting.rs",
                "runtime.block_on(both);",
                "drop((runtime, both));\n let answer = &answer;\n\
                 thread::scope(|scope| for track in [&anna, &ben] {\n\
                 scope.spawn(move || Builder::new_current_thread()\
                 .enable_time()\n\
                 .build().unwrap().block_on(ask(track, answer, way))); });",
            ),
        },
        Check {
            step: "what_join_does",
            claim: "main goes on before the thread ends",
            proven: |events| {
                let said: Vec<_> = happened(events, "say").collect();
                said[0].track == "main" && said[1].track == "thread"
            },
            broken: (
                "waiting.rs",
                "    main.say(\"goes on\");\n    goes_on.send(())?;",
                "    goes_on.send(())?;\n    \
                 while !thread.is_finished() { thread::yield_now(); }\n    \
                 main.say(\"goes on\");",
            ),
        },
        Check {
            step: "what_join_does",
            claim: "join waits for its end",
            proven: |events| {
                let at = |name: &str, track: &str| {
                    let found = |event: &Event| {
                        event.name == name && event.track == track
                    };
                    events.iter().position(found)
                };
                at("say", "thread") < at("join brings", "main")
            },
            broken: (
                "waiting.rs",
                "    goes_on.send(())?;\n",
                "    main.record(\"join brings\", 42);\n    \
                 goes_on.send(())?;\n",
            ),
        },
        Check {
            step: "what_join_does",
            claim: "and brings its result",
            proven: |events| noted(events, "main", "join brings") == 42,
            broken: ("waiting.rs", "anyhow::Ok(42)", "anyhow::Ok(41)"),
        },
    ]);
}

const EIGHT: Change = (
    "main.rs",
    "(question::built_in()?, Course::find())",
    "(question::built_in()?.split_off(1), Course::find())",
);

/// Who adds in the place of the child is no child.
const NO_CHILD: Change = (
    "main.rs",
    "Process::spawn(|| add(&child, &number))?.join()?;",
    "add(&child, &number);",
);

fn nine_with_one_right(events: &[Event]) -> bool {
    values(events, "right") == [1; 9]
}

/// The numbers that were noted as `name`, the smallest first.
fn values(events: &[Event], name: &str) -> Vec<u64> {
    let numbers = happened(events, name)
        .map(|event| event.args["value"].as_u64().expect("it is a number"));
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

fn most_at_once(events: &[Event], name: &str) -> usize {
    open_spans(events, name).into_iter().max().unwrap_or(0)
}

/// Each lesson that is to prove an answer is built and run, and makes the
/// claim.
#[test]
fn every_answer_is_proven_by_its_lesson() {
    // Without a deadline: the lessons may have to be built.
    let run = Command::new(LESSON.binary)
        .arg("--prove")
        .stdin(Stdio::null())
        .output();
    let run = run.expect("the lesson can be started");
    let (said, failed) = (text(&run.stdout), text(&run.stderr));
    assert!(run.status.success(), "{said}{failed}");
    let file = format!("{}/questions.json", LESSON.folder);
    let file = fs::read_to_string(file).expect("it is there");
    let all = file.matches("\"claim\":").count();
    let verdict = format!("{all} of {all} proofs held");
    assert!(said.contains(&verdict), "{said}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_claim_that_no_lesson_makes_is_found() {
    let file = File::of(questions(&[&question("Why?", TWO, "no such thing")]));
    let path = file.path();
    let run = Command::new(LESSON.binary)
        .args(["--prove", "--questions", &path])
        .stdin(Stdio::null())
        .output();
    let run = run.expect("the lesson can be started");
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stdout).contains("is not claimed"));
    assert!(text(&run.stderr).contains("1 of 1 proofs failed"));
}

/// A lesson that does not come to its end is a row, and the others are judged;
/// and what proves two answers is run once.
#[test]
fn a_lesson_that_cannot_be_run_is_told_with_the_others() {
    let file = File::of(
        questions(&[
            &question("Why?", TWO, "questions"),
            &question("And?", TWO, "questions"),
            &question("How?", TWO, "questions"),
        ])
        .replacen("\"thread\"", "\"fork\"", 1)
        .replacen("\"two_ways\"", "\"one_call_two_returns\"", 1),
    );
    // It has that claim.
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let trace = place.path().join("trace").display().to_string();
    let args = ["--step", "the_answers", "--trace", &trace];
    Run::new(LESSON, &args).end().well();
    // Nothing is built, then there is something to run.
    let log = place.path().join("log").display().to_string();
    let (_place, cargo) = cargo(&format!(
        "echo \"$*\" >> {log}\n\
         for trace; do :; done\n\
         cp {trace} \"$trace\"\n\
         case \"$*\" in *'--package fork '*) exit 101;; esac"
    ));
    let mut run = Run::new(LESSON, &["--prove", "--questions", &file.path()]);
    run.command.env("CARGO", cargo);
    let ended = run.end();
    ended.refused(1, &["1 of 3 proofs failed"]);
    assert_eq!(ended.stdout.matches(" held").count(), 2, "{}", ended.stdout);
    for words in ["cannot be run", "of lesson fork", "exit status: 101"] {
        assert!(ended.stdout.contains(words), "{}", ended.stdout);
    }
    let runs = fs::read_to_string(log).expect("it was run");
    assert_eq!(runs.lines().count(), 2, "{runs}");
}

/// Each answer names the lessons that prove it.
#[test]
fn the_answers_name_their_lessons() {
    let run = Run::new(LESSON, &["--step", "the_answers"]).end().well();
    let file = format!("{}/questions.json", LESSON.folder);
    let file = fs::read_to_string(file).expect("it is there");
    let file: serde_json::Value =
        serde_json::from_str(&file).expect("it is JSON");
    let questions = file["questions"].as_array().expect("a list");
    let proofs = questions.iter().flat_map(|it| it["proofs"].as_array());
    let mut rest = run.stdout.as_str();
    for proof in proofs.flatten() {
        let [lesson, step] = ["lesson", "step"]
            .map(|key| proof[key].as_str().expect("it has that").to_owned());
        let end = format!(" {lesson}, {step}\n");
        let at = rest.find(&end);
        let at = at.unwrap_or_else(|| panic!("{end}: {}", run.stdout));
        let line = rest[..at].lines().next_back().unwrap_or_default();
        assert!(line.trim_start().starts_with("lesson "), "{line}");
        rest = &rest[at + end.len()..];
    }
}

#[test]
fn answers_are_printed_where_nobody_can_answer() {
    for args in [&["--answers"][..], &["--answers", "--question", "7"]] {
        let ended = Run::new(LESSON, args).end().well();
        let right = ended.stdout.matches("Right: ").count();
        assert_eq!(right, if args.len() == 1 { 9 } else { 1 });
        assert_eq!(ended.stdout.matches("No: ").count(), 3 * right);
        assert!(ended.stdout.contains("lesson 19 deadlock, two_orders"));
    }
    let ended = Run::new(LESSON, &["--question", "7"]).end().well();
    assert_eq!(ended.stdout.matches("Right: ").count(), 1);
}

#[test]
fn numbers_of_no_question() {
    for number in ["0", "-1", "x", "", "1.5"] {
        let run = Run::new(LESSON, &["--question", number]).end();
        run.refused(2, &["--question", "from 1"]);
    }
    let run = Run::new(LESSON, &["--question", "10"]).end();
    let words = ["invalid value '10' for '--question <N>'", "from 1 to 9"];
    run.refused(2, &words);
}

#[test]
fn options_that_do_not_go_together() {
    for step in [
        &["--step", "circle"][..],
        &["--walk"],
        &["--runs", "2"],
        &["--svg", "x"],
    ] {
        for own in [
            &["--answers"][..],
            &["--question", "1"],
            &["--questions", "x"],
            &["--prove"],
        ] {
            let run = Run::new(LESSON, &[own, step].concat()).end();
            run.refused(2, &["cannot be used with", own[0]]);
        }
    }
}

/// A file of questions.
struct File(TempDir);

impl File {
    fn of(text: impl AsRef<[u8]>) -> Self {
        let place =
            tempfile::tempdir().expect("a temporary folder can be made");
        let file = Self(place);
        fs::write(file.path(), text).expect("and written to");
        file
    }

    fn path(&self) -> String {
        self.0.path().join("mine.json").display().to_string()
    }

    fn answers(&self) -> Ended {
        let path = self.path();
        Run::new(LESSON, &["--answers", "--questions", &path]).end()
    }
}

const TWO: &str = r#"{"text": "A", "right": true, "because": "B"},
    {"text": "C", "because": "D"}"#;

fn question(question: &str, choices: &str, claim: &str) -> String {
    format!(
        r#"{{"question": "{question}", "choices": [{choices}], "proofs":
        [{{"lesson": "thread", "step": "two_ways", "claim": "{claim}"}}]}}"#
    )
}

fn questions(questions: &[&str]) -> String {
    format!(r#"{{"questions": [{}]}}"#, questions.join(", "))
}

#[test]
fn questions_of_a_teacher() {
    let (one, other) = (
        question("Why \u{7ebf}\u{7a0b}?", TWO, "process ids"),
        question("And how?", TWO, "thread ids"),
    );
    let ended = File::of(questions(&[&one, &other])).answers().well();
    assert!(ended.stdout.contains("Why \u{7ebf}\u{7a0b}?\n"));
    assert!(ended.stdout.contains("And how?\n"));
    assert!(ended.stdout.contains("lesson 15 thread, two_ways: thread ids"));
}

#[test]
fn files_that_are_no_questions() {
    let good = question("Why?", TWO, "process ids");
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        questions(&[&question("First?", TWO, "x"), &good.replace(from, to)])
    };
    let many = [r#"{"text": "A", "because": "B"}"#; 7].join(", ");
    for (text, why) in [
        (String::new(), "EOF while parsing"),
        ("[]".into(), "invalid"),
        ("{\"questions\": [".into(), "EOF while parsing"),
        ("What?".into(), "line 1 column 1"),
        ("{}".into(), "missing field `questions`"),
        (questions(&[]), "there is no question in it"),
        (questions(&["3"]), "question 1: invalid type"),
        (questions(&[&good, &good]), "question 2: was asked before"),
        (" ".repeat(2 << 20), "more than 1 MiB"),
        (with("\"right\": true, ", ""), "question 2: has no right choice"),
        (
            with("\"text\": \"C\"", "\"right\": true, \"text\": \"C\""),
            "question 2: has 2 right choices",
        ),
        (with("\"C\"", "\"A\""), "choice b says the same"),
        (with("\"D\"", "\" \""), "its `because` of choice b is empty"),
        (with(", \"because\": \"D\"", ""), "missing field `because`"),
        (with("\"because\": \"D\"", "\"why\": \"D\""), "unknown field `why`"),
        (with("\"D\"", "\"\\u001b[2J\""), "has a control character"),
        (with("Why?", ""), "its question is empty"),
        (with(TWO, &many), "has 7 choices; give it 2 to 6"),
        (with(TWO, ""), "has 0 choices; give it 2 to 6"),
        (with("\"thread\"", "\"tread\""), "there is no lesson \"tread\""),
        (with("two_ways", "3_ways"), "it has two_ways, one_memory"),
        (with("process ids", ""), "its `claim` of a proof is empty"),
    ] {
        let ended = File::of(&text).answers();
        ended.refused(1, &["mine.json", "mend it", why]);
        assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
    }
    let no_text = File::of(b"{\"questions\": [\xff]}").answers();
    no_text.refused(1, &["mine.json", "line 1"]);
    for (file, why) in [
        ("/there/is/no/such/file", "No such file or directory"),
        ("/proc", "Is a directory"),
        ("/dev/zero", "more than 1 MiB"),
    ] {
        let run = Run::new(LESSON, &["--questions", file]).end();
        run.refused(1, &[file, why]);
    }
}

#[test]
fn the_peer_tells_what_is_malformed() {
    if Command::new("python3").arg("--version").output().is_err() {
        return; // the battery says so
    }
    let peer = format!("{}/peer.py", LESSON.folder);
    for (text, why) in [
        ("[]".into(), "no list `questions`"),
        ("[".repeat(100_000), "no list `questions`"),
        (questions(&["3"]), "question 1 is not in the form"),
    ] {
        let file = File::of(text);
        let args = [&peer, "--answers", "--questions", &file.path()];
        let ended = Run::other("python3", &args).end();
        ended.refused(1, &["mine.json", "mend it", why]);
    }
}

const CHOICES: &str = "a-d: answer";
const GO_ON: &str = "Enter: go on";

#[test]
fn a_class_answers_all_nine() {
    // The first of them wrongly; the second one it only wants to see.
    let answers = ["d", "\r", "c", "d", "B", "a", "c", "b", "d"];
    let keys = answers.iter().flat_map(|key| [(CHOICES, *key), (GO_ON, " ")]);
    let keys: Vec<_> = keys.collect();
    let screen = Screen::of(LESSON, 80, &[], &keys);
    assert_eq!(screen.code, Some(0), "{}", screen.text());
    let text = screen.text();
    assert!(text.contains("d is not right."), "{text}");
    assert_eq!(text.matches("is right.").count(), 7, "{text}");
    assert!(text.contains("7 of 8 answers right, 1 only seen"), "{text}");
    assert!(
        text.contains("question 1: see again lessons 5 isolation, 15 thread"),
        "{text}"
    );
    assert!(screen.restored, "keys are not shown any more");
}

#[test]
fn an_answer_fits_on_a_screen() {
    for number in 1..=9 {
        let number = number.to_string();
        let keys = [(CHOICES, "a"), (GO_ON, "q")];
        let args = ["--question", number.as_str()];
        let text = Screen::of(LESSON, 80, &args, &keys).text();
        let shown = text.rsplit("\u{2500} question").next();
        let shown = shown.and_then(|text| text.split(GO_ON).next());
        let lines = shown.expect("it was shown").lines().count();
        // And the empty line above it.
        assert!(lines < 24, "question {number}: {lines} lines");
    }
}

#[test]
fn control_c_and_control_d_tell_the_score() {
    for (key, code) in [("\u{3}", 130), ("\u{4}", 0), ("q", 0)] {
        let later = [(CHOICES, "b"), (GO_ON, key)];
        for keys in [&[(CHOICES, key)][..], &later] {
            let screen = Screen::of(LESSON, 80, &[], keys);
            let text = screen.text();
            assert_eq!(screen.code, Some(code), "{text}");
            let (score, left) = match keys.len() {
                1 => ("no answers", 9),
                _ => ("1 of 1 answers right", 8),
            };
            let score = format!("{score}, {left} not asked");
            assert!(text.contains(&score), "{text}");
            assert!(screen.restored, "keys are not shown any more");
        }
    }
}

#[test]
fn keys_that_mean_nothing_go_unheard() {
    let keys = [(CHOICES, "x1\u{7f}\te\u{e9}b"), (GO_ON, "9aq")];
    let screen = Screen::of(LESSON, 80, &[], &keys);
    assert!(screen.text().contains("b is right."), "{}", screen.text());
    assert!(screen.text().contains("1 of 1 answers right"));
    assert_eq!(screen.code, Some(0));
}

#[test]
fn forty_columns_are_enough() {
    let keys = [(CHOICES, "a"), (GO_ON, "\r"), (CHOICES, "q")];
    let screen = Screen::of(LESSON, 40, &[], &keys);
    assert_eq!(screen.code, Some(0), "{}", screen.text());
    assert!(screen.width() <= 40, "{}", screen.text());
    for step in LESSON.steps() {
        let screen = Screen::of(LESSON, 40, &["--step", &step], &[]);
        assert_eq!(screen.code, Some(0), "{}", screen.text());
        assert!(screen.width() <= 40, "{}", screen.text());
    }
}

#[test]
fn what_is_about_the_steps_runs_them_on_a_terminal() {
    let screen = Screen::of(LESSON, 80, &["--no-timeline"], &[]);
    assert_eq!(screen.code, Some(0), "{}", screen.text());
    assert!(screen.text().contains("17 of 17 claims held"));
}

/// What stands in for cargo, so that nothing has to be built.
fn cargo(script: &str) -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let path = place.path().join("cargo");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("and written to");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&path, mode).expect("and changed");
    (place, path)
}

/// Runs a lesson from the first question by this cargo, and types `keys`
/// meanwhile. Then the questions have to go on.
fn lend(script: &str, keys: &[(&'static str, &'static str)]) -> String {
    let (_place, cargo) = cargo(script);
    let cargo = cargo.display().to_string();
    let before = [(CHOICES, "b"), (GO_ON, "2")];
    let after = [(GO_ON, "\r"), (CHOICES, "a"), (GO_ON, "q")];
    let keys = [&before, keys, &after].concat();
    let env = Some(("CARGO", cargo.as_str()));
    let screen = Screen::with(LESSON, 80, &[], &keys, env);
    let text = screen.text();
    assert_eq!(screen.code, Some(0), "{text}");
    assert!(text.contains("2 of 2 answers right, 7 not asked"), "{text}");
    assert!(screen.restored, "keys are not shown any more");
    text
}

#[test]
fn a_lesson_has_the_terminal_and_gives_it_back() {
    let script = "echo \"asked for $*\"; read word; echo \"heard: $word\"";
    let text = lend(script, &[("asked for", "hello\r"), ("heard: hello", "")]);
    let asked = "--package thread -- --step one_memory --speed 20";
    assert!(text.replace('\r', "").contains(asked), "{text}");
    assert!(text.contains("lesson thread has ended"), "{text}");
    // It had echo, as it has for whoever is in the foreground.
    assert_eq!(text.matches("hello").count(), 2, "{text}");
}

#[test]
fn control_c_ends_the_lesson_and_not_the_questions() {
    let text = lend("echo here; exec sleep 1000", &[("here", "\u{3}")]);
    assert!(text.contains("ended by Ctrl-C; the questions go on"), "{text}");
}

#[test]
fn a_lesson_that_is_stopped_is_ended() {
    let text = lend("echo here; exec sleep 1000", &[("here", "\u{1a}")]);
    let ended = "lesson thread was ended; the questions go on";
    assert!(text.contains(ended), "{text}");
    assert!(!text.contains("failed"), "{text}");
}

#[test]
fn a_lesson_that_fails_says_so() {
    let text = lend("exit 3", &[]);
    let failed = "lesson thread failed (exit status: 3); the questions go on";
    assert!(text.contains(failed), "{text}");
}

#[test]
fn without_cargo_the_questions_go_on() {
    let keys = [(CHOICES, "b"), (GO_ON, "1"), (GO_ON, "\r"), (CHOICES, "q")];
    let env = Some(("CARGO", "/there/is/no/cargo"));
    let screen = Screen::with(LESSON, 80, &[], &keys, env);
    let text = screen.text().replace("\r\n", " ");
    let failed = "cannot run /there/is/no/cargo for lesson isolation";
    assert!(text.contains(failed), "{text}");
    assert!(text.contains("No such file or directory"), "{text}");
    assert!(text.contains("1 of 1 answers right"), "{text}");
    assert_eq!(screen.code, Some(0));
}
