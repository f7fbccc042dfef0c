//! What a trace answers, also a damaged one, and how it is drawn.

use proptest::prelude::*;
use serde_json::{Value, json};
use shared::trace::text::Terminal;
use shared::trace::{
    Event, Fate, Kind, Phase, Recorder, Timeline, Trace, chrome, svg, text,
};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const PLAIN: Terminal = Terminal { width: 60, unicode: false, colour: false };

/// An event of a process, a millisecond after the one before it.
fn event(at: u64, track: &str, ph: Phase, name: &str, args: Value) -> Event {
    let pid = 100 + i32::from(track.as_bytes()[0]);
    let args = args.as_object().cloned().unwrap_or_default();
    let (track, name) = (track.to_owned(), name.to_owned());
    Event {
        t_ns: at * 1_000_000,
        track,
        kind: Kind::Process,
        pid,
        tid: pid,
        ph,
        name,
        args,
    }
}

/// A trace of `(track, phase, name, args)`, a millisecond apart.
fn trace(events: &[(&str, Phase, &str, Value)]) -> Trace {
    let events = (0..).zip(events);
    Trace::of(events.map(|(at, (track, ph, name, args))| {
        event(at, track, *ph, name, args.clone())
    }))
}

use Phase::{Begin as B, Counter as C, End as E, Instant as I, Measured as X};

#[test]
fn peak_counts_what_is_open_at_once() {
    let trace = trace(&[
        ("a", B, "inside", json!({})),
        ("b", B, "inside", json!({})),
        ("a", E, "inside", json!({})),
        ("c", B, "inside", json!({})),
        ("c", B, "reads", json!({})),
        ("c", E, "reads", json!({})),
        ("c", E, "inside", json!({})),
        ("b", E, "inside", json!({})),
    ]);
    assert_eq!(trace.damaged(), []);
    assert_eq!((trace.peak("inside"), trace.count("inside")), (2, 3));
    assert_eq!(trace.peak("nothing"), 0);
    assert_eq!(trace.order_of("inside"), ["a", "b", "c"]);
    assert_eq!(trace.order_on("c"), ["inside", "reads"]);
    assert!(
        trace.overlap("inside", "reads") && !trace.overlap("reads", "reads")
    );
    let millis = Duration::from_millis;
    assert_eq!(trace.extent("inside"), millis(7));
    assert_eq!(trace.total("inside"), millis(2 + 6 + 3));
    assert_eq!(trace.longest("inside"), millis(6));
    assert_eq!(trace.extent("nothing"), Duration::ZERO);
    let [a, b, c] = [0, 1, 2].map(|at| &trace.spans()[at]);
    assert!(a.overlaps(b) && b.overlaps(c) && !a.overlaps(c));
}

#[test]
fn rows_stand_in_the_order_in_which_tracks_were_told_of() {
    let told = |name| ("lesson", I, "track", json!({ "name": name }));
    let trace = trace(&[
        told("light"),
        told("car 1"),
        told("car 2"),
        told("nobody"),
        ("stranger", I, "passes", json!({})),
        ("car 2", I, "passes", json!({})),
        ("car 1", I, "passes", json!({})),
        ("light", I, "green", json!({})),
    ]);
    let timeline = Timeline::of(&trace);
    let labels: Vec<&str> =
        timeline.rows().iter().map(|row| row.label.as_str()).collect();
    assert_eq!(labels, ["light", "car 1", "car 2", "stranger"]);
}

/// When a measured span went on, in milliseconds.
fn measured(from: u64, to: u64) -> Value {
    json!({ "from_ns": from * 1_000_000, "to_ns": to * 1_000_000 })
}

#[test]
fn measured_spans_are_compared_by_their_times() {
    let trace = trace(&[
        ("b", B, "waits", json!({})),
        ("b", E, "waits", json!({})),
        ("b", X, "runs", measured(2, 4)),
        ("b", X, "runs", measured(6, 7)),
        ("a", X, "runs", measured(0, 2)),
        ("a", X, "runs", measured(4, 6)),
    ]);
    assert_eq!(trace.damaged(), []);
    assert_eq!((trace.peak("runs"), trace.count("runs")), (1, 4));
    assert_eq!(trace.order_of("runs"), ["a", "b", "a", "b"]);
    let begins: Vec<_> =
        trace.spans_named("runs").map(|span| span.begin_ns).collect();
    assert!(begins.is_sorted(), "{begins:?}");
    assert!(!trace.overlap("runs", "runs") && trace.overlap("runs", "waits"));
    let millis = Duration::from_millis;
    assert_eq!(trace.extent("runs"), millis(7));
    assert_eq!(trace.covered(&["runs"]), trace.total("runs"));
    assert_eq!(trace.covered(&["runs", "waits"]), millis(7));
    assert_eq!(trace.covered(&["nothing"]), Duration::ZERO);
    assert_eq!(Timeline::of(&trace).to_ns(), 7_000_000);
}

#[test]
fn measured_spans_that_overlap_are_counted_at_once_and_covered_once() {
    let trace = trace(&[
        ("a", X, "runs", measured(0, 10)),
        ("b", X, "runs", measured(5, 15)),
        ("c", X, "runs", measured(7, 8)),
        ("c", X, "runs", measured(20, 21)),
    ]);
    assert_eq!(trace.peak("runs"), 3);
    assert_eq!(trace.covered(&["runs"]), Duration::from_millis(16));
    assert_eq!(trace.total("runs"), Duration::from_millis(22));
}

#[test]
fn a_span_can_be_recorded_when_it_is_over() {
    let recorder = Recorder::in_memory().unwrap();
    let track = recorder.track("a");
    let (from, to) = (Instant::now(), Instant::now());
    track.span("writes", || track.span_at("runs", from, to));
    track.span_at("backwards", to, from - Duration::from_secs(3600));
    let trace = Trace::parse(&recorder.lines_since(0).unwrap());
    assert_eq!(trace.damaged(), []);
    assert_eq!(trace.total("runs"), to - from);
    assert_eq!(trace.total("backwards"), Duration::ZERO);
    let names: Vec<_> =
        trace.spans().iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["runs", "backwards", "writes"]);
}

#[test]
fn peak_does_not_depend_on_clocks() {
    // Two spans that touch: the second begins where the first has ended.
    let mut events = vec![
        event(0, "a", B, "inside", json!({})),
        event(1, "a", E, "inside", json!({})),
        event(1, "b", B, "inside", json!({})),
        event(2, "b", E, "inside", json!({})),
    ];
    assert_eq!(Trace::of(events.clone()).peak("inside"), 1);
    events.swap(1, 2);
    assert_eq!(Trace::of(events).peak("inside"), 2);
}

#[test]
fn killed_process_ends_its_spans_where_its_death_was_known() {
    let killed = json!({ "pid": 198, "signal": "SIGKILL" });
    let trace = trace(&[
        ("a", B, "waits", json!({})),
        ("b", B, "works", json!({})),
        ("b", B, "writes", json!({})),
        ("a", I, "reaped", killed),
        ("a", E, "waits", json!({})),
        ("a", B, "rests", json!({})),
    ]);
    let fates: Vec<_> =
        trace.spans().iter().map(|span| span.fate.clone()).collect();
    let killed = Fate::Killed("SIGKILL".to_owned());
    assert_eq!(fates, [Fate::Ended, killed.clone(), killed, Fate::Open]);
    assert_eq!(trace.spans()[1].end_ns, 3_000_000);
    assert_eq!(trace.killed("works"), 1);
    let drawn = text::draw(&Timeline::of(&trace), PLAIN, 10);
    assert!(
        drawn.lines().nth(1).is_some_and(|row| row.trim_end().ends_with('X')),
        "{drawn}"
    );
    assert!(drawn.contains("X killed"), "{drawn}");
    let svg = svg::draw(&[("one".to_owned(), Timeline::of(&trace))]);
    assert!(svg.contains("SIGKILL"));
}

#[test]
fn signal_at_the_end_has_room_in_a_drawing() {
    let trace = trace(&[
        ("b", B, "works", json!({})),
        ("a", I, "reaped", json!({ "pid": 198, "signal": "SIGKILL" })),
    ]);
    let svg = svg::draw(&[("one".to_owned(), Timeline::of(&trace))]);
    let signal = svg.lines().find(|line| line.contains(">SIGKILL<"));
    let at = signal.and_then(|line| line.split('"').nth(1)?.parse().ok());
    let end = at.map(|at: f64| at + 7.0 * 7.9);
    assert!(end.is_some_and(|end| end <= 900.0), "cut off: {signal:?}");
}

#[test]
fn process_that_exits_inside_a_span_ends_it() {
    let exited = json!({ "pid": 198, "signal": null });
    let trace =
        trace(&[("b", B, "works", json!({})), ("a", I, "reaped", exited)]);
    assert_eq!(trace.spans()[0].fate, Fate::Ended);
}

#[test]
fn happened_before_follows_hand_overs_and_waits_and_nothing_else() {
    let trace = trace(&[
        ("a", I, "forks", json!({ "out": 1 })),
        ("b", I, "alone", json!({})),
        ("c", I, "born", json!({ "in": 1 })),
        ("a", I, "goes on", json!({})),
        ("c", I, "works", json!({})),
        ("a", I, "reaped", json!({ "pid": 199, "signal": null })),
        ("a", I, "after", json!({})),
    ]);
    let at = |(track, name): (&str, &str)| trace.find(track, name).unwrap();
    let before = |one: (&str, &str), other: (&str, &str)| {
        trace.happened_before(at(one), at(other))
    };
    assert!(before(("a", "forks"), ("c", "works")));
    assert!(before(("c", "works"), ("a", "after")));
    assert!(!before(("c", "born"), ("a", "goes on")));
    assert!(!before(("a", "goes on"), ("c", "works")));
    assert!(!before(("b", "alone"), ("a", "after")));
    assert!(!before(("a", "after"), ("a", "forks")));
    assert!(!before(("a", "forks"), ("a", "forks")));
    assert_eq!(trace.arrows(), [(0, 2)]);
}

#[test]
fn one_thread_is_in_order_whatever_its_tracks_and_two_are_not() {
    let mut events = vec![
        event(0, "a", I, "first", json!({})),
        event(1, "a", I, "second", json!({})),
        event(2, "b", I, "third", json!({})),
    ];
    (events[1].tid, events[2].pid, events[2].tid) =
        (7, events[0].pid, events[0].tid);
    let trace = Trace::of(events);
    assert!(!trace.happened_before(0, 1) && trace.happened_before(0, 2));
}

#[test]
fn a_coroutine_is_in_order_on_whichever_thread() {
    let mut events = [0, 1].map(|at| event(at, "a", I, "goes", json!({})));
    events[1].tid = 7;
    let apart = Trace::of(events.clone());
    assert!(!apart.happened_before(0, 1));
    let coroutine =
        events.map(|event| Event { kind: Kind::Coroutine, ..event });
    assert!(Trace::of(coroutine).happened_before(0, 1));
}

#[test]
fn noted_values_are_typed() {
    let trace = trace(&[("a", I, "pid", json!({ "value": 7 }))]);
    assert_eq!(trace.noted::<i32>("a", "pid"), Ok(7));
    let missing = trace.noted::<String>("a", "pid").unwrap_err().to_string();
    assert_eq!(missing, "the trace has no `pid` on the track `a`");
}

#[test]
fn damage_is_reported_by_line_and_the_rest_is_read() {
    let line = |ph, name| {
        serde_json::to_string(&event(1, "a", ph, name, json!({})))
            .expect("an event is JSON")
    };
    let good = [line(B, "works"), line(E, "works")];
    let text = format!(
        "{}\nnot JSON\n{}\n{{\"t_ns\":1}}\n{}",
        good[0],
        good[1],
        &good[0][..40]
    );
    let trace = Trace::parse(text.as_bytes());
    assert_eq!(trace.count("works"), 1);
    assert_eq!(trace.spans()[0].fate, Fate::Ended);
    let lines: Vec<_> =
        trace.damaged().iter().map(|damage| damage.line).collect();
    assert_eq!(lines, [2, 4, 5]);
    assert!(
        trace.damaged()[0].to_string().starts_with("line 2: not an event: ")
    );
}

#[test]
fn what_does_not_fit_is_damage() {
    let ended = trace(&[("a", E, "works", json!({}))]);
    assert_eq!(ended.damaged().len(), 1);
    let crossed = trace(&[
        ("a", B, "outer", json!({})),
        ("a", B, "inner", json!({})),
        ("a", E, "outer", json!({})),
    ]);
    assert_eq!(crossed.damaged()[0].line, 3);
    let timeless = trace(&[
        ("a", X, "runs", json!({ "from_ns": 1 })),
        ("a", X, "runs", measured(2, 1)),
    ]);
    assert_eq!(timeless.damaged().len(), 2);
    let from_nowhere = trace(&[("a", I, "born", json!({ "in": 9 }))]);
    assert_eq!(from_nowhere.damaged()[0].line, 1);
}

#[test]
fn many_writers_tear_nothing_and_lose_nothing() {
    let recorder = Recorder::in_memory().unwrap();
    thread::scope(|scope| {
        for n in 0..8 {
            let track = recorder.track(format!("writer {n}"));
            scope.spawn(move || {
                (0..1000)
                    .for_each(|n| track.span("writes", || track.note("n", n)))
            });
        }
    });
    let trace = Trace::parse(&recorder.lines_since(0).unwrap());
    assert_eq!(trace.damaged(), []);
    assert_eq!((trace.count("writes"), trace.count("n")), (8000, 8000));
    assert_eq!(trace.threads_of("n"), 8);
    assert!(trace.tracks().iter().all(|track| track.kind == Kind::Thread));
}

#[test]
fn nothing_is_recorded_while_muted() {
    let recorder = Recorder::in_memory().unwrap();
    let track = recorder.track("a");
    recorder.muted(|| track.mark("unseen"));
    track.mark("seen");
    let trace = Trace::parse(&recorder.lines_since(0).unwrap());
    assert_eq!((trace.count("unseen"), trace.count("seen")), (0, 1));
}

#[test]
fn what_cannot_be_read_back_is_refused() {
    let refused = |path| Recorder::to_file(Path::new(path)).err().unwrap();
    let full = refused("/dev/full");
    assert_eq!(full.raw_os_error(), Some(nix::libc::ENOSPC));
    assert!(refused("/dev/null").to_string().contains("read back"));
}

#[test]
fn rows_are_folded() {
    let names: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let events =
        names.iter().map(|name| (name.as_str(), I, "comes", json!({})));
    let timeline = Timeline::of(&trace(&events.collect::<Vec<_>>()));
    assert_eq!(timeline.rows().len(), 100);
    let drawn = text::draw(&timeline, PLAIN, 12);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines.len(), 8 + 1 + 4 + 2, "{drawn}");
    assert!(lines[0].contains("000") && lines[12].contains("099"), "{drawn}");
    assert_eq!(lines[8].trim(), "(88 more)");
}

#[test]
fn a_counter_is_a_curve() {
    let trace = trace(&[
        ("a", C, "length", json!({ "value": 0 })),
        ("a", C, "length", json!({ "value": 4 })),
        ("a", C, "length", json!({ "value": 2 })),
        ("a", I, "ends", json!({})),
    ]);
    let timeline = Timeline::of(&trace);
    assert_eq!(timeline.rows()[0].curve.len(), 3);
    let drawn = text::draw(&timeline, PLAIN, 9);
    let row = drawn.lines().next().unwrap();
    assert!(
        row.contains('_') && row.contains('#') && row.contains('='),
        "{drawn}"
    );
    let chrome = chrome::export(&trace).to_string();
    assert!(chrome.contains("\"ph\":\"C\""), "{chrome}");
}

#[test]
fn chrome_has_one_row_a_track_and_arrows_with_two_ends() {
    let trace = trace(&[
        ("a", B, "works", json!({})),
        ("a", I, "sends", json!({ "out": 1 })),
        ("b", I, "gets", json!({ "in": 1 })),
        ("a", E, "works", json!({})),
    ]);
    let export = chrome::export(&trace);
    let events = export["traceEvents"].as_array().unwrap();
    let of = |ph: &str| {
        events.iter().filter(|event| event["ph"] == ph).collect::<Vec<_>>()
    };
    let rows: Vec<_> =
        of("M").iter().map(|event| event["tid"].as_u64()).collect();
    assert_eq!(rows, [Some(1), Some(1), Some(2), Some(2)]);
    let span = of("X")[0];
    assert_eq!((&span["ts"], &span["dur"]), (&json!(0.0), &json!(3000.0)));
    assert_eq!(of("s")[0]["id"], of("f")[0]["id"]);
    assert_eq!(
        (&of("s")[0]["tid"], &of("f")[0]["tid"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn nothing_to_draw_draws_nothing() {
    assert_eq!(text::draw(&Timeline::of(&Trace::default()), PLAIN, 9), "");
}

fn any_event() -> impl Strategy<Value = Event> {
    let phases = prop_oneof![Just(B), Just(E), Just(I), Just(C), Just(X)];
    let names = prop_oneof![Just("x"), Just("y"), Just("reaped"), Just("step")];
    let args = prop_oneof![
        Just(json!({})),
        Just(json!({ "value": 3 })),
        Just(json!({ "in": 1 })),
        Just(json!({ "out": 1 })),
        Just(json!({ "pid": 197, "signal": "SIGTERM" })),
        (0_u64..50, 0_u64..50).prop_map(|(from, to)| measured(from, to)),
    ];
    let tracks = prop_oneof![Just("a"), Just("b")];
    (0_u64..50, tracks, phases, names, args).prop_map(
        |(at, track, ph, name, args)| event(at, track, ph, name, args),
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let trace = Trace::parse(&bytes);
        let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        prop_assert_eq!(trace.damaged().len() + trace.events().len(), lines.count());
    }

    #[test]
    fn any_events_can_be_questioned_and_drawn(
        events in proptest::collection::vec(any_event(), 0..40),
        width in 40_usize..120,
    ) {
        let trace = Trace::of(events);
        let timeline = Timeline::of(&trace);
        let terminal = Terminal { width, ..PLAIN };
        let drawn = text::draw(&timeline, terminal, 9);
        prop_assert!(drawn.lines().all(|line| line.is_ascii() && line.len() <= width), "{}", drawn);
        prop_assert!(trace.peak("x") <= trace.count("x"));
        let depths = trace.spans().iter().filter(|span| span.name == "x").count();
        prop_assert!(trace.peak("x") <= depths);
        let events = trace.events();
        for (first, second) in (1..events.len()).map(|at| (at - 1, at)) {
            if (&events[first].track, events[first].pid) == (&events[second].track, events[second].pid) {
                prop_assert!(trace.happened_before(first, second));
            }
        }
        let export = chrome::export(&trace);
        let spans = export["traceEvents"].as_array().map_or(0, |events| {
            events.iter().filter(|event| event["ph"] == "X").count()
        });
        prop_assert_eq!(spans, trace.spans().len());
        prop_assert!(svg::draw(&[("all".to_owned(), timeline)]).ends_with("</svg>\n"));
    }
}
