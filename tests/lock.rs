//! Lesson 12: never more tickets than there were, and never half a file.

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use serde_json::Value;
use shared::trace::Event;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use testkit::{
    Change, Check, Ended, Lesson, Run, Screen, happened, noted, open_spans,
};

const LESSON: Lesson = Lesson {
    package: "lock",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_lock"),
};

testkit::battery!(LESSON);

#[test]
fn held_after_looking_both_buy_the_same_ticket() {
    let args = ["--step", "by_hand", "--hold", "has looked"];
    let keys = [("is held", ""), ("is held", "\n"), ("bought", "\n")];
    let screen = Screen::of(LESSON, 80, &args, &keys);
    let text = screen.text();
    assert_eq!(screen.code, Some(0), "{text}");
    assert!(text.contains("at most one sale is lost (1)"), "{text}");
    assert!(text.contains("says: 2"), "{text}");
    assert_eq!(text.matches("sees: 3").count(), 2, "{text}");
    assert_eq!(text.matches("bought: 2 left").count(), 2, "{text}");
}

#[test]
fn who_comes_when_the_other_has_bought_loses_no_sale() {
    let holds = ["--hold", "anna: leaves", "--hold", "ben: comes"];
    let args = [&["--step", "by_hand"][..], &holds].concat();
    // When both are held, anna has bought.
    let keys = [("is held", ""), ("is held", "\n\n")];
    let screen = Screen::of(LESSON, 80, &args, &keys);
    let text = screen.text();
    assert_eq!(screen.code, Some(0), "{text}");
    assert!(text.contains("at most one sale is lost (0)"), "{text}");
    assert!(text.contains("bought: 2 left"), "{text}");
    assert!(text.contains("bought: 1 left"), "{text}");
}

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "nobody_locks",
            claim: "sold: more than there were",
            proven: |events| sold(events).len() > 3,
            broken: LOCKED,
        },
        Check {
            step: "nobody_locks",
            claim: "left: as if one were sold",
            proven: |events| {
                sold(events).last().is_some_and(|last| last == "2 left")
            },
            broken: LOCKED,
        },
        Check {
            step: "by_hand",
            claim: "at most one sale is lost",
            proven: |events| {
                let says = noted(events, "file", "says");
                let sold = sold(events);
                let had_looked_later = sold.contains(&"1 left".to_owned());
                sold.len() == 2 && says == if had_looked_later { 1 } else { 2 }
            },
            broken: ("main.rs", "shop.put(&data)?;", "shop.look()?;"),
        },
        Check {
            step: "one_at_a_time",
            claim: "sold: what there was",
            proven: |events| sold(events) == ["2 left", "1 left", "0 left"],
            broken: NOT_LOCKED,
        },
        Check {
            step: "one_at_a_time",
            claim: "refused: the rest",
            proven: |events| happened(events, "refused").count() == 7,
            broken: NOT_LOCKED,
        },
        Check {
            step: "one_at_a_time",
            claim: "left: what was not sold",
            proven: |events| {
                sold(events).last().is_some_and(|last| last == "0 left")
            },
            broken: NOT_LOCKED,
        },
        Check {
            step: "one_at_a_time",
            claim: "buying at once: one",
            proven: |events| at_most_one(events, "buys"),
            broken: NOT_LOCKED,
        },
        Check {
            step: "thinking_with_the_lock",
            claim: "with it: one thinks at a time",
            proven: |events| at_most_one(events, "thinks with it"),
            broken: NOBODY_WAITS,
        },
        Check {
            step: "thinking_with_the_lock",
            claim: "before it: half the sum at most",
            proven: |events| {
                let thoughts = times(events, "thinks before it");
                let sum: u64 =
                    thoughts.iter().map(|(from, to)| to - from).sum();
                let first = thoughts.iter().map(|(from, _)| *from).min();
                let last = thoughts.iter().map(|(_, to)| *to).max();
                let took = last.zip(first).map(|(last, first)| last - first);
                thoughts.len() == 10 && took.is_some_and(|ns| 2 * ns <= sum)
            },
            broken: (
                "cost.rs",
                "\
        buyer.span(\"thinks before it\", || buyer.pause_between(0.5, 0.8));
        let _held = buyer.span(\"waits\", || lock.lock())?;",
                "let _held = buyer.span(\"waits\", || lock.lock())?;
        buyer.span(\"thinks before it\", || buyer.pause_between(0.5, 0.8));",
            ),
        },
        Check {
            step: "looking_needs_no_lock",
            claim: "found the lock held: all five",
            proven: |events| {
                ["opened", "half-written", "written", "synced", "renamed"]
                    .iter()
                    .all(|phase| noted(events, phase, "locked") == true)
            },
            broken: (
                "write.rs",
                "let _held = lock.lock()?;",
                "let _ = lock.lock()?;",
            ),
        },
        Check {
            step: "looking_needs_no_lock",
            claim: "until it is renamed: the old number",
            proven: |events| {
                ["opened", "half-written", "written", "synced"]
                    .iter()
                    .all(|phase| noted(events, phase, "sees") == 3)
            },
            broken: ("write.rs", "aside.write_all(half)?;", IN_PLACE),
        },
        Check {
            step: "looking_needs_no_lock",
            claim: "after that: the new one",
            proven: |events| noted(events, "renamed", "sees") == 2,
            broken: ("write.rs", "aside.persist(&self.file)?;", "drop(aside);"),
        },
        Check {
            step: "killed_with_the_lock",
            claim: "killed while it bought",
            proven: |events| {
                let mut reaped = happened(events, "reaped");
                reaped.any(|end| end.args["signal"] == "SIGKILL")
            },
            broken: (
                "killed.rs",
                "raise(Signal::SIGKILL)?;",
                "std::process::exit(0);",
            ),
        },
        Check {
            step: "killed_with_the_lock",
            claim: "the next is told who died",
            proven: |events| {
                let buys = happened(events, "buys");
                let mut killed = buys.filter(|event| event.track == "victim");
                let pid = killed.next().map(|event| event.pid.into());
                pid.is_some()
                    && pid
                        == noted(events, "next", "died with the lock").as_i64()
            },
            broken: (
                "killed.rs",
                "let _held = lock.lock()?;",
                "drop(lock.lock()?);",
            ),
        },
        Check {
            step: "killed_with_the_lock",
            claim: "the file is whole",
            proven: |events| noted(events, "next", "the file says") == 3,
            broken: (
                "write.rs",
                "reached(Phase::Opened)?;",
                "fs::write(&self.file, &text[..text.len() / 2])?;
                reached(Phase::Opened)?;",
            ),
        },
        Check {
            step: "killed_with_the_lock",
            claim: "unfinished files in the end",
            proven: |events| {
                noted(events, "next", "unfinished in the end") == 0
            },
            broken: ("killed.rs", "shop.clean_up()?;", ""),
        },
    ]);
}

/// Whoever buys takes a lock and looks again.
const LOCKED: Change = (
    "main.rs",
    "let all_looked = Barrier::new(BUYERS)?;
    ten(stage, \"buyer\", |buyer| {
        let data = shop.look()?;
        buyer.note(\"sees\", data.tickets);
        all_looked.wait_timeout(PATIENCE)?;
        buyer.span(\"thinks\", || buyer.pause_between(0.5, 1.5));",
    "let all_looked = Barrier::new(BUYERS)?;
    let lock = Lock::new(())?;
    ten(stage, \"buyer\", |buyer| {
        all_looked.wait_timeout(PATIENCE)?;
        let _held = lock.lock()?;
        let data = shop.look()?;
        buyer.note(\"sees\", data.tickets);",
);

/// Ten look again at the same time, and then buy at the same time.
const NOT_LOCKED: Change = (
    "main.rs",
    "let _held = buyer.span(\"waits\", || lock.lock())?;
        buyer.span(\"buys\", || buy(buyer, &shop, shop.look()?))",
    "let _ = &lock;
        buyer.span(\"buys\", || {
            let data = shop.look()?;
            all_looked.wait_timeout(PATIENCE)?;
            buy(buyer, &shop, data)
        })",
);

/// Ten think at the same time.
const NOBODY_WAITS: Change = (
    "cost.rs",
    "let _held = buyer.span(\"waits\", || lock.lock())?;
        let data = shop.look()?;
        buyer.span(\"thinks with it\", || buyer.pause_between(0.5, 0.8));",
    "let data = shop.look()?;
        buyer.span(\"thinks with it\", || {
            let met = all_here.wait_timeout(PATIENCE);
            buyer.pause_between(0.5, 0.8);
            met
        })?;",
);

/// Half of the text is written to the file that others look at.
const IN_PLACE: &str = "fs::write(&self.file, half)?; aside.write_all(half)?;";

/// What each buyer who was served left, in the order in which they say so.
fn sold(events: &[Event]) -> Vec<String> {
    let values = happened(events, "bought").map(|event| &event.args["value"]);
    values.map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
}

fn at_most_one(events: &[Event], span: &str) -> bool {
    let open = open_spans(events, span);
    !open.is_empty() && open.iter().all(|&open| open <= 1)
}

/// From when to when the spans called so went on, where each ended.
fn times(events: &[Event], span: &str) -> Vec<(u64, u64)> {
    let begun = happened(events, span);
    let ends = |begin: &Event| {
        events.iter().find(|event| {
            event.name == span
                && event.ph == shared::trace::Phase::End
                && event.track == begin.track
                && event.t_ns >= begin.t_ns
        })
    };
    begun.filter_map(|begin| Some((begin.t_ns, ends(begin)?.t_ns))).collect()
}

/// A folder with a file `data.json` in it.
struct Place(TempDir);

impl Place {
    fn with(text: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("there is room"));
        fs::write(place.file(), text).expect("which can be written to");
        place
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("data.json")
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut run = Run::new(LESSON, args);
        run.command.arg("--file").arg(self.file());
        run
    }

    /// Asserts that there is this text in the file, and nothing beside it.
    fn has(&self, text: &str) {
        let found = fs::read_to_string(self.file()).expect("it is there");
        assert_eq!(found, text);
        let names = names(self.0.path());
        assert_eq!(names, ["data.json"]);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let names = entries.map(|entry| {
        let name = entry.expect("and what is in it").file_name();
        name.to_string_lossy().into_owned()
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn the_file_is_whole_whenever_a_writer_is_killed() {
    let phases = ["opened", "half-written", "written", "synced", "renamed"];
    for phase in phases {
        let place = Place::with("{\"tickets\": 5}");
        let step = ["--step", "killed_with_the_lock", "--kill-at", phase];
        let ended = place.run(&step).end().well();
        let events = ended.trace.events();
        let renamed = phase == "renamed";
        let noted = |name| noted(events, "next", name);
        assert_eq!(noted("the file says"), if renamed { 4 } else { 5 });
        assert_eq!(noted("unfinished files"), usize::from(!renamed));
        assert_eq!(noted("unfinished in the end"), 0, "{phase}");
        let said: Vec<_> =
            happened(events, "say").map(|said| &said.args["text"]).collect();
        assert_eq!(said.last(), Some(&&Value::from(phase)));
        place.has("{\"tickets\": 5}");
    }
}

#[test]
fn a_file_of_ones_own_is_used_and_put_back() {
    let text =
        "{\"b\": [2.50, \"K\\u00f6ln\"],\n  \"tickets\": 7, \"a\": 1}\n\n";
    let place = Place::with(text);
    let mode = Permissions::from_mode(0o640);
    fs::set_permissions(place.file(), mode).expect("it is ours");
    let before = fs::metadata(place.file()).expect("it is there");
    let ended = place.run(&[]).end().well();
    place.has(text);
    let after = fs::metadata(place.file()).expect("it is there");
    assert_ne!(before.ino(), after.ino(), "never written to");
    let rights = |data: &fs::Metadata| (data.mode(), data.uid(), data.gid());
    assert_eq!(rights(&before), rights(&after));
    assert_eq!(ended.trace.count("refused"), 3 + 3 + 3);
}

#[test]
fn a_link_stays_a_link() {
    let place = Place::with("{\"tickets\": 3}");
    let link = place.0.path().join("link.json");
    symlink("data.json", &link).expect("a link can be made");
    let link = link.display().to_string();
    Run::new(LESSON, &["--file", &link]).end().well();
    assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert_eq!(names(place.0.path()), ["data.json", "link.json"]);
}

#[test]
fn one_ticket_and_many() {
    for tickets in [1, 9, 10, 4_000_000_000_usize] {
        let place = Place::with(&format!("{{\"tickets\": {tickets}}}"));
        let ended = place.run(&["--kill-at", "renamed"]).end().well();
        let oversold = ended.stdout.contains("sold: more than there were");
        assert_eq!(oversold, tickets < 10, "{}", ended.stdout);
    }
}

#[test]
fn what_is_broken_off_is_put_back() {
    let text = "{\"tickets\":  4}";
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // In the middle of writing, and when some have been sold.
        for (step, awaited) in
            [("killed_with_the_lock", "opened"), ("nobody_locks", "bought")]
        {
            let place = Place::with(text);
            let run = place.run(&["--step", step, "--speed", "1"]);
            let ended = until_recorded(run, awaited, |lesson| {
                kill(lesson, signal).expect("it runs");
            });
            assert_eq!(
                (ended.code, ended.stderr.as_str()),
                (128 + signal as i32, "")
            );
            place.has(text);
        }
    }
}

/// Runs until the trace has this word in it, and then does something.
fn until_recorded(run: Run, word: &str, deed: impl FnOnce(Pid)) -> Ended {
    let trace = run.trace_path();
    run.end_after(|child| {
        testkit::until("it has happened", || {
            fs::read_to_string(&trace).is_ok_and(|text| text.contains(word))
        });
        deed(Pid::from_raw(child.id() as i32));
    })
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let place = Place::with("{\"tickets\": 3}");
    let left = place.0.path().join(".data.json.unfinished-x1y2z3");
    fs::write(left, "{\"tick").expect("it can be written");
    place.run(&["--step", "one_at_a_time"]).end().well();
    place.has("{\"tickets\": 3}");
}

#[test]
fn bad_files_are_named_and_left_alone() {
    let bad = [
        ("{\"tickets\": -3}", "it says -3, not a number of tickets, 0 or"),
        ("{\"tickets\": 3.5}", "it says 3.5, not a number of tickets"),
        ("{\"tickets\": \"3\"}", "it says \"3\", not a number of tickets"),
        ("{\"tickets\": 1e30}", "it says 1e+30, not a number of tickets"),
        ("{\"tickets\": 0}", "no ticket is left"),
        ("{\"ticket\": 3}", "missing field `tickets`"),
        ("{\"tickets\": 3", "EOF"),
        ("[3]", "expected an object"),
        ("three", "expected"),
        ("", "EOF"),
        ("\u{0}", "expected"),
    ];
    for (text, why) in bad {
        let place = Place::with(text);
        place.run(&[]).end().refused(1, &["data.json", "like", why]);
        place.has(text);
    }
}

#[test]
fn what_is_no_file_is_named() {
    let place = Place::with("{\"tickets\": 3}");
    let path = |name: &str| place.0.path().join(name).display().to_string();
    let refused = |file: &str, why: &str| {
        Run::new(LESSON, &["--file", file]).end().refused(1, &[file, why]);
    };
    refused(&path("missing.json"), "No such file or directory");
    refused(&path("data.json/below.json"), "Not a directory");
    refused(&path(""), "Is a directory");
    refused("/dev/null", "no file");
    let mode = nix::sys::stat::Mode::S_IRWXU;
    let fifo = path("fifo");
    nix::unistd::mkfifo(fifo.as_str(), mode).expect("it can be made");
    refused(&fifo, "no file");
    fs::remove_file(&fifo).expect("it is there");
    let large = path("large.json");
    let file = fs::File::create(&large).expect("it can be made");
    file.set_len(1 << 40).expect("and be empty for long");
    refused(&large, "larger than");
    fs::remove_file(&large).expect("it is there");
    fs::hard_link(place.file(), path("hard.json")).expect("it can be made");
    refused(&path("hard.json"), "other name");
    Run::new(LESSON, &["--kill-at", "never"]).end().refused(
        2,
        &["opened", "half-written", "written", "synced", "renamed"],
    );
}

#[test]
fn who_may_not_write_is_told_so() {
    // Neither to the file nor, in the second place, to its folder.
    for (file_mode, folder_mode) in [(0o444, 0o777), (0o666, 0o555)] {
        let place = Place::with("{\"tickets\": 3}");
        let (file, folder) = (place.file(), place.0.path());
        let open = tempfile::tempdir().expect("there is room");
        let binary = open.path().join("lesson");
        testkit::copy_program(LESSON.binary, &binary);
        for (path, mode) in [
            (file.as_path(), file_mode),
            (folder, folder_mode),
            (open.path(), 0o777),
        ] {
            let mode = Permissions::from_mode(mode);
            fs::set_permissions(path, mode).expect("it is ours");
        }
        let mut run = Run::other(&binary.display().to_string(), &["--file"]);
        run.command.arg(&file).env("TMPDIR", open.path()).current_dir("/");
        if Uid::effective().is_root() {
            // Permissions do not bind root.
            run.command.uid(65_534);
        }
        run.end().refused(1, &["data.json", "Permission denied"]);
        assert_eq!(names(open.path()), ["lesson"]);
        let mode = Permissions::from_mode(0o755);
        fs::set_permissions(folder, mode).expect("it is ours");
        place.has("{\"tickets\": 3}");
    }
}
