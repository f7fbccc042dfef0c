//! What every lesson has to stand, whatever it shows.

use crate::Lesson;
use crate::needs::not_run;
use crate::run::{Run, until};
use crate::screen::Screen;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use shared::lesson::Figure;
use shared::trace::{Event, Kind};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthStr;

/// Whoever had ended before a signal came is gone so soon.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The battery, a test a method; see [`battery!`](crate::battery!).
pub struct Faults(pub Lesson);

/// Tests that every lesson has: those of [`Faults`].
#[macro_export]
macro_rules! battery {
    ($lesson:expr) => {
        $crate::battery!($lesson, asks on a terminal);
        $crate::battery! { $lesson; narrow_terminal }
    };
    // One that would wait for keys there, and is tested for it by itself.
    ($lesson:expr, asks on a terminal) => {
        $crate::battery! { $lesson;
            help_tells_title_and_steps
            wrong_options_are_refused
            every_step_runs_alone
            runs_are_counted
            trace_is_whole
            trace_that_cannot_be_written
            drawings_are_well_formed
            reader_who_leaves
            signals_end_it
            no_terminal_no_walk
            walk_goes_there_and_back
            walk_fits_the_screen
            walk_ends_by_control_c
            plain_output
            no_process_to_be_had
            peer_measures_the_same
            peer_refuses_a_wrong_speed
        }
    };
    ($lesson:expr; $($test:ident)+) => {
        $(
            #[test]
            fn $test() {
                $crate::Faults($lesson).$test();
            }
        )+
    };
}

impl Faults {
    /// `--help` has the title, the question and the steps.
    pub fn help_tells_title_and_steps(self) {
        let help = Run::new(self.0, &["--help"]).end();
        assert_eq!(help.code, 0);
        let source = self.0.source();
        let title = source.lines().next().expect("a source has a first line");
        let title = title.trim_start_matches("//! ").trim_end_matches('.');
        assert!(help.stdout.contains(title), "{}", help.stdout);
        for step in self.0.steps() {
            assert!(help.stdout.contains(&step), "{}", help.stdout);
        }
    }

    /// Exit 2 and a word about what would be right.
    pub fn wrong_options_are_refused(self) {
        for speed in ["0", "-1", "x", "inf", "NaN", ""] {
            let speed = format!("--speed={speed}");
            Run::new(self.0, &[&speed]).end().refused(2, &["--speed"]);
        }
        for speed in ["0", "-1", "x"] {
            let run = Run::new(self.0, &["--speed", speed]).end();
            run.refused(2, &["give a number above 0"]);
        }
        let run = Run::new(self.0, &["--step", "nope"]).end();
        run.refused(2, &["nope"]);
        for step in self.0.steps() {
            run.refused(2, &[&step]);
        }
        Run::new(self.0, &["--seed", "-3"]).end().refused(2, &["--seed"]);
        Run::new(self.0, &["--hold", "nope"]).end().refused(2, &["--hold"]);
        Run::new(self.0, &["--nope"]).end().refused(2, &["--nope"]);
    }

    /// `--step NAME` runs that one, and the same seed chooses the same.
    pub fn every_step_runs_alone(self) {
        for step in self.0.steps() {
            let run = Run::new(self.0, &["--step", &step, "--seed", "7"])
                .end()
                .well();
            let steps = run.trace.spans_named("step").count();
            assert_eq!(steps, 1, "{step}");
            assert_eq!(run.trace.events()[0].args["seed"], 7);
        }
    }

    /// `--runs N` runs each step so often, and tells in which orders.
    pub fn runs_are_counted(self) {
        let run = Run::new(self.0, &["--runs", "2"]).end().well();
        let steps = run.trace.spans_named("step").count();
        assert_eq!(steps, 2 * self.0.steps().len());
        let told = run.stdout.lines().filter(|line| line.starts_with("2 runs"));
        assert_eq!(told.count(), self.0.steps().len(), "{}", run.stdout);
        for runs in ["0", "-1", "x", "10001"] {
            let run = Run::new(self.0, &["--runs", runs]).end();
            run.refused(2, &["give a whole number from 1 to 10000"]);
        }
        let run = Run::new(self.0, &["--runs", "2", "--walk"]).end();
        run.refused(2, &["--walk"]);
    }

    /// Each line is an event, times do not run backwards within a coroutine or
    /// within what a thread records on one track (several threads on one track
    /// have no order), and every process was waited for.
    pub fn trace_is_whole(self) {
        let trace = Run::new(self.0, &[]).end().well().trace;
        let steps: Vec<_> = trace.spans_named("step").collect();
        assert_eq!(steps.len(), self.0.steps().len());
        let mut last = HashMap::new();
        for event in trace.events() {
            // A coroutine is one, whichever threads carry it.
            let thread = match event.kind {
                Kind::Coroutine => None,
                Kind::Process | Kind::Thread => Some(event.tid),
            };
            let row = (&event.track, event.pid, thread);
            let before = last.insert(row, event.t_ns);
            assert!(
                before.is_none_or(|before| before <= event.t_ns),
                "{event:?}"
            );
        }
        let own = trace.events()[0].pid;
        let reaped: Vec<Option<i64>> = trace
            .events()
            .iter()
            .filter(|event| event.name == "reaped")
            .map(|event| event.args.get("pid").and_then(Value::as_i64))
            .collect();
        let other = |event: &&Event| event.pid != own;
        for event in trace.events().iter().filter(other) {
            assert!(
                reaped.contains(&Some(event.pid.into())),
                "not waited for: {event:?}"
            );
        }
    }

    /// One line that names the file, and exit 1.
    pub fn trace_that_cannot_be_written(self) {
        let missing = "/there/is/no/such/folder/t.jsonl";
        for option in ["--trace", "--svg", "--perfetto"] {
            let run = Run::new(self.0, &[option, missing]).end();
            run.refused(
                1,
                &[missing, "No such file or directory", "name a file"],
            );
            // A folder that nobody may write to, not even root.
            let run = Run::new(self.0, &[option, "/proc/t.jsonl"]).end();
            run.refused(1, &["/proc/t.jsonl"]);
            let run = Run::new(self.0, &[option, "/dev/full"]).end();
            run.refused(1, &["No space left on device"]);
        }
        // What cannot be read back proves nothing.
        let run = Run::new(self.0, &["--trace", "/dev/null"]).end();
        run.refused(1, &["/dev/null", "read back"]);
    }

    /// The SVG is XML; in the Chrome trace spans nest and arrows have two
    /// ends.
    pub fn drawings_are_well_formed(self) {
        let place =
            tempfile::tempdir().expect("a temporary folder can be made");
        let path = |name: &str| place.path().join(name).display().to_string();
        let (svg, json) = (path("t.svg"), path("t.json"));
        Run::new(self.0, &["--svg", &svg, "--perfetto", &json]).end().well();
        let svg = fs::read_to_string(svg).expect("the drawing is there");
        let svg = roxmltree::Document::parse(&svg).expect("the drawing is XML");
        assert!(svg.descendants().any(|node| node.has_tag_name("rect")));

        let json = fs::read(json).expect("the export is there");
        let json: Value =
            serde_json::from_slice(&json).expect("the export is JSON");
        let events =
            json["traceEvents"].as_array().expect("with a list of events");
        let of = |ph: &'static str| {
            events.iter().filter(move |event| event["ph"] == ph)
        };
        let ids =
            |ph| of(ph).map(|event| event["id"].as_u64()).collect::<Vec<_>>();
        for end in ids("f") {
            assert!(ids("s").contains(&end), "arrow {end:?} has no start");
        }
        let spans: Vec<_> = of("X")
            .map(|span| {
                // Whole again, since sums of fractions are not exact.
                let ns = |key: &str| {
                    let micros = span[key].as_f64().expect("a number");
                    (micros * 1000.0).round() as u64
                };
                (span["tid"].clone(), ns("ts"), ns("ts") + ns("dur"))
            })
            .collect();
        assert!(!spans.is_empty());
        for (row, begin, end) in &spans {
            for (_, other, other_end) in
                spans.iter().filter(|span| span.0 == *row)
            {
                let crossing = begin < other && other < end && end < other_end;
                assert!(!crossing, "spans cross on {row}");
            }
        }
    }

    /// `| head -1` ends it, without a word.
    pub fn reader_who_leaves(self) {
        let run = Run::new(self.0, &[]).end_after(|child| {
            let stdout = child.stdout.take().expect("its output is a pipe");
            let mut line = String::new();
            BufReader::new(stdout)
                .read_line(&mut line)
                .expect("it says something");
            assert!(!line.is_empty());
        });
        assert_eq!(run.stderr, "");
        assert_eq!(run.code, 128 + Signal::SIGPIPE as i32);
    }

    /// Ctrl-C and SIGTERM in the middle of every step.
    pub fn signals_end_it(self) {
        for step in self.0.steps() {
            for signal in [Signal::SIGINT, Signal::SIGTERM] {
                let run =
                    Run::new(self.0, &["--step", &step, "--speed", "0.05"]);
                let trace = run.trace_path();
                let mut asked = None;
                let ended = run.end_after(|child| {
                    until("the step begins", || {
                        let trace =
                            fs::read_to_string(&trace).unwrap_or_default();
                        let mut lines = trace
                            .lines()
                            .skip_while(|line| !line.contains("step"));
                        lines.nth(2).is_some()
                            || child
                                .try_wait()
                                .is_ok_and(|ended| ended.is_some())
                    });
                    if child.try_wait().is_ok_and(|ended| ended.is_none()) {
                        let pid = Pid::from_raw(child.id() as i32);
                        kill(pid, signal).expect("it can be asked to end");
                        asked = Some(Instant::now());
                    }
                });
                // A step without a pause may have been quicker than the signal.
                let at_once = asked.is_none_or(|at| at.elapsed() < AT_ONCE);
                let quick = at_once
                    && ended.code == 0
                    && ended.trace.count("step") == 1;
                assert!(
                    quick || ended.code == 128 + signal as i32,
                    "{step}: {}",
                    ended.code
                );
                assert_eq!(ended.stderr, "", "{step}");
            }
        }
    }

    /// Exit 2, since there is nobody to press a key.
    pub fn no_terminal_no_walk(self) {
        Run::new(self.0, &["--walk"]).end().refused(2, &["--walk", "terminal"]);
    }

    /// Enter runs a step, `r` runs it again, `b` goes back, `q` ends.
    pub fn walk_goes_there_and_back(self) {
        let step = &self.0.steps()[0];
        let keys = [
            ("Enter: begin", "\r"),
            ("Enter: run", "\r"),
            ("r: run again", "r"),
            ("r: run again", "\r"),
            ("Enter: run", "b"),
            ("Enter: run", "\r"),
            ("r: run again", "q"),
        ];
        // So high that no code fills more than one screen.
        let screen = Screen::on(self.0, (200, 80), &["--walk"], &keys);
        assert_eq!(screen.code, Some(0), "{}", screen.text());
        let source = format!("fn {step}(");
        assert_eq!(
            screen.text().matches(&source).count(),
            2,
            "{}",
            screen.text()
        );
        assert!(screen.raw.contains("\u{1b}["), "no colour");
        assert!(screen.restored, "keys are not shown any more");
    }

    /// Nothing scrolls away that is to be read before a step runs, or of what
    /// came of it. What it tells while it runs may be longer.
    pub fn walk_fits_the_screen(self) {
        for (rows, columns) in [(24, 80), (40, 120)] {
            let screen = Screen::walked(self.0, (rows, columns));
            assert_eq!(screen.code, Some(0), "{}", screen.text());
            let mut asked = 0;
            for view in screen.views() {
                // A bar is drawn over, again and again.
                let widest = |line: &str| {
                    line.split('\r').map(UnicodeWidthStr::width).max()
                };
                let lines = view.lines().filter_map(widest);
                let folded = lines.map(|width| width.div_ceil(columns.into()));
                let used: usize = folded.map(|rows| rows.max(1)).sum();
                let runs = view.contains("Enter: run");
                asked += usize::from(runs);
                let may_scroll = view.contains("Enter: what came of it");
                assert!(
                    may_scroll || used <= rows.into(),
                    "{used} rows of {rows}:\n{view}"
                );
            }
            assert_eq!(asked, self.0.steps().len());
        }
    }

    /// Ctrl-C typed at a question of walk mode.
    pub fn walk_ends_by_control_c(self) {
        let keys = [("Enter: begin", "\u{3}")];
        let screen = Screen::of(self.0, 80, &["--walk"], &keys);
        assert_eq!(screen.code, Some(130), "{}", screen.text());
        assert!(screen.restored, "keys are not shown any more");
    }

    /// No colour where none is wanted; ASCII where the locale knows no more.
    pub fn plain_output(self) {
        let piped = Run::new(self.0, &[]).end().well();
        assert!(!piped.stdout.contains('\u{1b}'));
        let mut forced = Run::new(self.0, &[]);
        forced.command.env("CLICOLOR_FORCE", "1");
        assert!(forced.end().well().stdout.contains('\u{1b}'));
        let step = self.0.steps()[0].clone();
        let args = ["--step", step.as_str()];
        assert!(Screen::of(self.0, 80, &args, &[]).raw.contains('\u{1b}'));
        let screen = |env| Screen::with(self.0, 80, &args, &[], Some(env)).raw;
        let dumb = screen(("TERM", "dumb"));
        assert!(!dumb.contains('\u{1b}'), "{dumb:?}");
        // A bar that is drawn over moves the cursor, which is no colour.
        let colourless = screen(("NO_COLOR", "1"));
        let mut commands = colourless.split("\u{1b}[").skip(1);
        let coloured = |command: &str| {
            let end = command.find(|c: char| c.is_ascii_alphabetic());
            end.is_some_and(|end| command[end..].starts_with('m'))
        };
        assert!(!commands.any(coloured), "{colourless:?}");
        let mut run = Run::new(self.0, &[]);
        run.command.env("LC_ALL", "C");
        let ascii = run.end().well().stdout;
        let foreign: Vec<_> =
            ascii.lines().filter(|line| !line.is_ascii()).collect();
        assert!(foreign.is_empty(), "not ASCII: {foreign:?}");
    }

    /// Forty columns are enough.
    pub fn narrow_terminal(self) {
        for columns in [40, 80] {
            let screen = Screen::of(self.0, columns, &[], &[]);
            assert_eq!(screen.code, Some(0), "{}", screen.text());
            let width = screen.width();
            assert!(
                width <= columns.into(),
                "{width} columns:\n{}",
                screen.text()
            );
        }
    }

    /// The limit on processes is reached before the lesson begins.
    pub fn no_process_to_be_had(self) {
        let run = Run::of_few(self.0, 1, &[]);
        run.end().refused(1, &["ulimit -u", "EAGAIN"]);
    }

    /// The same exercise in Python prints figures with the same labels, and
    /// what it measured came to the same.
    pub fn peer_measures_the_same(self) {
        let trace = Run::new(self.0, &[]).end().well().trace;
        let figures = Figure::all(&trace).into_iter();
        let figures: BTreeMap<String, Value> =
            figures.map(|figure| (figure.label, figure.result)).collect();
        assert_eq!(figures.len(), trace.count("figure"), "labels are unique");
        for (label, result) in &figures {
            assert!(!result.is_null(), "`{label}` does not tell its result");
        }
        let peer = self.peer();
        let Some(python) = python(&peer) else { return };
        build_what_starts(&peer);
        let ended = Run::other(&python, &[&peer, "--speed", "20"]).end();
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (0, ""),
            "{}",
            ended.stdout
        );
        let lines = ended.stdout.lines();
        let mut found = BTreeMap::new();
        for line in lines.filter_map(|line| line.strip_prefix("figure\t")) {
            let parts: Vec<&str> = line.split('\t').collect();
            let [label, seconds, result] = parts[..] else {
                panic!("a figure has a label, seconds and a result: {line}")
            };
            let seconds: f64 = seconds.parse().expect("seconds are a number");
            assert!(seconds > 0.0 && seconds < 60.0, "{line}");
            let result = serde_json::from_str(result);
            let result = result.unwrap_or_else(|_| parts[2].into());
            let before = found.insert(label.to_owned(), result);
            assert_eq!(before, None, "labels are unique");
        }
        assert_eq!(found, figures);
    }

    /// Like the lesson's own: exit 2, a word about what would be right.
    pub fn peer_refuses_a_wrong_speed(self) {
        let peer = self.peer();
        let Some(python) = python(&peer) else { return };
        for speed in ["0", "-1", "x"] {
            let run = Run::other(&python, &[&peer, "--speed", speed]).end();
            run.refused(2, &["--speed", "give a number above 0"]);
            assert_eq!(run.stdout, "");
        }
    }

    fn peer(self) -> String {
        format!("{}/peer.py", self.0.folder)
    }
}

/// Builds the local site, if `peer` starts it by cargo: a run has a deadline,
/// and a build that is killed by it can leave half of a file behind.
fn build_what_starts(peer: &str) {
    let source = fs::read_to_string(peer).expect("a lesson has a peer.py");
    if !source.contains("from local_site import") {
        return;
    }
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "shared"])
        .args(["--features", "site", "--bin", "site"])
        .current_dir(top)
        .status();
    assert!(built.is_ok_and(|status| status.success()), "no site is built");
}

/// The Python that has what `peer` imports; none, said aloud, where there is
/// no such Python.
fn python(peer: &str) -> Option<String> {
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let venv = format!("{top}/target/python/bin/python3");
    let missing = format!("{top}/lessons/missing.py");
    let works = |python: &String| {
        let run = Command::new(python).args([&missing, peer]).output();
        run.is_ok_and(|run| {
            run.status.success() && run.stdout.trim_ascii().is_empty()
        })
    };
    let found = [venv, "python3".to_owned()].into_iter().find(works);
    if found.is_none() {
        let why = "no python3 has what it imports; `just python` installs it";
        not_run(peer, why);
    }
    found
}
