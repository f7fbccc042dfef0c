//! A trace in the Chrome trace event format, which Perfetto opens.
//!
//! The format: Google, "Trace Event Format". Its thread ids here are synthetic,
//! one a track, so that a coroutine that changes threads keeps its row; the
//! real ones stand in `args`. Times are microseconds.

use super::event::{IN, OUT, Phase};
use super::reader::Trace;
use serde_json::{Value, json};

/// The whole trace as one JSON object, with the spans of a track nested and
/// hand-overs as flow arrows. A span that was killed or is still open is
/// closed where [`Trace`] closed it.
pub fn export(trace: &Trace) -> Value {
    let mut events = Vec::new();
    for (track, row) in trace.tracks.iter().enumerate() {
        let name = json!({ "name": row.name });
        events.push(json!({
            "ph": "M", "name": "thread_name", "pid": row.pid, "tid": track + 1, "args": name,
        }));
        let order = json!({ "sort_index": track });
        events.push(json!({
            "ph": "M", "name": "thread_sort_index", "pid": row.pid, "tid": track + 1,
            "args": order,
        }));
    }
    for (index, event) in trace.events.iter().enumerate() {
        let track = trace.track_of[index];
        let mut args = event.args.clone();
        args.insert("real tid".into(), event.tid.into());
        let mut line = json!({
            "ph": event.ph, "name": event.name, "cat": event.kind,
            "ts": micros(event.t_ns), "pid": event.pid, "tid": track + 1, "args": args,
        });
        match event.ph {
            // Spans follow below, whole, since some have no end of their own.
            Phase::Begin | Phase::End | Phase::Measured => continue,
            Phase::Instant => line["s"] = "t".into(),
            Phase::Counter => {
                line["args"] = json!({ &event.name: event.value() });
                line["name"] = format!("{} {}", event.track, event.name).into();
            }
        }
        events.push(line);
        for (key, ph) in [(OUT, "s"), (IN, "f")] {
            if let Some(arrow) = event.args.get(key) {
                events.push(json!({
                    "ph": ph, "bp": "e", "id": arrow, "name": "hand-over", "cat": "hand-over",
                    "ts": micros(event.t_ns), "pid": event.pid, "tid": track + 1,
                }));
            }
        }
    }
    for span in &trace.spans {
        let event = &trace.events[span.begin];
        events.push(json!({
            "ph": "X", "name": span.name, "cat": event.kind, "ts": micros(span.begin_ns),
            "dur": micros(span.end_ns - span.begin_ns),
            "pid": event.pid, "tid": span.track + 1,
            "args": { "real tid": event.tid, "fate": format!("{:?}", span.fate) },
        }));
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}

fn micros(ns: u64) -> f64 {
    ns as f64 / 1000.0
}
