//! Lesson 8: what one process puts, another gets.

use serde_json::{Value, json};
use shared::trace::Event;
use testkit::{Change, Check, Lesson, happened, noted};

const LESSON: Lesson = Lesson {
    package: "queue",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_queue"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "first_in_first_out",
            claim: "got in the order of the puts",
            proven: |events| {
                let gets = values(events, "gets");
                gets == values(events, "puts")
                    && gets == ["soup", "rice", "tea"]
            },
            // Last in, first out.
            broken: (
                "main.rs",
                "for dish in &orders {",
                "for dish in orders.iter().collect::<Vec<_>>()\
                 .into_iter().rev() {",
            ),
        },
        Check {
            step: "empty_and_full",
            claim: "kept: the first two",
            proven: |events| noted(events, "me", "kept") == json!([1, 2]),
            // The third pushes the first one out.
            broken: (
                "main.rs",
                "let third = orders.try_put(&3);",
                "let _ = orders.try_get();\n    let third = orders.try_put(&3);",
            ),
        },
        Check {
            step: "empty_and_full",
            claim: "the empty queue says Empty",
            proven: |events| text(events, "try_get").starts_with("Err(Empty"),
            broken: (
                "main.rs",
                "let none = orders.try_get();",
                "orders.put(&9)?;\n    let none = orders.try_get();",
            ),
        },
        Check {
            step: "empty_and_full",
            claim: "the full one says Full",
            proven: |events| text(events, "try_put").starts_with("Err(Full"),
            broken: ROOM_FOR_THREE,
        },
        Check {
            step: "timeouts",
            claim: "get waits no less than the timeout",
            proven: |events| {
                waited(events, "get") >= timeout(events, "get_timeout")
            },
            broken: (
                "patience.rs",
                "orders.get_timeout(timeout)",
                "orders.try_get()",
            ),
        },
        Check {
            step: "timeouts",
            claim: "put waits no less than the timeout",
            proven: |events| {
                waited(events, "put") >= timeout(events, "put_timeout")
            },
            broken: (
                "patience.rs",
                "orders.put_timeout(&2, timeout)",
                "orders.try_put(&2)",
            ),
        },
        Check {
            step: "in_time",
            claim: "the cook gets order",
            proven: |events| values(events, "gets") == [7],
            broken: NOT_AWAITED,
        },
        Check {
            step: "each_once",
            claim: "cooked, each once",
            proven: |events| {
                let lists = values(events, "cooked");
                let lists = lists.iter().filter_map(Value::as_array);
                let orders = lists.flatten().filter_map(Value::as_u64);
                let mut times = [0; 25];
                orders.for_each(|order| times[order as usize] += 1);
                times[0] == 0 && times[1..].iter().all(|&times| times == 1)
            },
            // A list that each cook has a copy of, in place of the queue.
            broken: (
                "main.rs",
                "for order in &orders {",
                "for order in 1..=ORDERS {
                let _ = orders.get();",
            ),
        },
        Check {
            step: "on_the_wire",
            claim: "bytes, as the queue counts",
            proven: |events| {
                // A byte for the table, one for the length of "rice", its
                // four letters, and 300 in groups of seven bits.
                noted(events, "me", "the queue counts") == 1 + 1 + 4 + 2
            },
            broken: (
                "wire.rs",
                "tiny.put(&order)",
                "tiny.put(&(&order, 1_u8))",
            ),
        },
        Check {
            step: "on_the_wire",
            claim: "they make an equal order",
            proven: |events| {
                let again = noted(events, "me", "read back");
                again == "Order { table: 7, dish: \"rice\", cents: 300 }"
            },
            broken: (
                "wire.rs",
                "let bytes = postcard::to_stdvec(&order)?;",
                "let mut bytes = postcard::to_stdvec(&order)?;
    bytes[0] += 1;",
            ),
        },
    ]);
}

/// The cook does not wait, and the order comes when he has gone.
const NOT_AWAITED: Change = (
    "patience.rs",
    "orders.get_timeout(hour)).ok();
        cook.note(\"gets\", order);
        order
    })?;
    waiter.span(\"asks\", || waiter.pause(1.0));
",
    "orders.get_timeout(hour / u32::MAX)).ok();
        cook.note(\"gets\", order);
        order
    })?;
    kitchen.wait();
",
);

const ROOM_FOR_THREE: Change = (
    "main.rs",
    "let orders = Queue::bounded(2)?;",
    "let orders = Queue::bounded(3)?;",
);

/// What was noted as `name`, on all tracks.
fn values(events: &[Event], name: &str) -> Vec<Value> {
    let noted = happened(events, name);
    noted.filter_map(|event| event.args.get("value").cloned()).collect()
}

fn text(events: &[Event], name: &str) -> String {
    noted(events, "me", name).as_str().unwrap_or_default().to_owned()
}

/// Nanoseconds from the beginning of the span to its end.
fn waited(events: &[Event], name: &str) -> u64 {
    let mut ends = events.iter().filter(|event| event.name == name);
    let (begin, end) = (ends.next(), ends.next());
    begin.zip(end).map_or(0, |(begin, end)| end.t_ns - begin.t_ns)
}

/// The timeout at `--speed 20`, in nanoseconds, if the call says that it is
/// over.
fn timeout(events: &[Event], name: &str) -> u64 {
    let says = text(events, name);
    if says.contains("(waited 50ms)") || says.contains("waited: 50ms") {
        50_000_000
    } else {
        u64::MAX
    }
}
