//! Lesson 5: globals are not shared.

use shared::trace::Event;
use testkit::{Change, Check, Lesson, noted};

const LESSON: Lesson = Lesson {
    package: "isolation",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_isolation"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "a_number",
            claim: "each child sees its own change only",
            proven: |events| seen(events) == ["101", "110", "200"],
            broken: THREADS,
        },
        Check {
            step: "a_number",
            claim: "the parent sees none",
            proven: |events| noted(events, "parent", "sees") == 100,
            broken: THREADS,
        },
        Check {
            step: "a_list",
            claim: "each child sees its own gift only",
            proven: |events| seen(events) == ["[1]", "[10]", "[100]"],
            broken: THREADS,
        },
        Check {
            step: "a_list",
            claim: "gifts that the parent sees",
            proven: |events| noted(events, "parent", "sees") == "[]",
            broken: THREADS,
        },
        Check {
            step: "shared_memory",
            claim: "each child sees the changes of all",
            proven: |events| seen(events) == ["211", "211", "211"],
            broken: COPIED,
        },
        Check {
            step: "shared_memory",
            claim: "the parent sees the sum of all",
            proven: |events| noted(events, "parent", "sees") == 211,
            broken: COPIED,
        },
        Check {
            step: "a_pipe",
            claim: "hears what the child has",
            proven: |events| {
                let sent = noted(events, "child", "sends").to_string();
                noted(events, "parent", "hears") == sent
            },
            broken: (
                "message.rs",
                "io::read_to_string(ear)",
                "io::read_to_string(ear)\
                 .map(|_| MONEY.load(Relaxed).to_string())",
            ),
        },
    ]);
}

/// What each of the children saw.
fn seen(events: &[Event]) -> [String; 3] {
    [1, 10, 100].map(|gift| {
        let seen = noted(events, &format!("+{gift}"), "sees");
        seen.as_str().unwrap_or_default().to_owned()
    })
}

/// The children are threads, which have the globals of this process.
const THREADS: Change = (
    "main.rs",
    "    for gift in [1, 10, 100] {
        let child = stage.track(format!(\"+{gift}\"));
        children.push(Process::spawn(|| {",
    "    struct Process<T>(std::thread::JoinHandle<T>);
    impl<T: Send + 'static> Process<T> {
        /// All that is borrowed lives until the threads are joined.
        fn spawn<'a>(
            body: impl FnOnce() -> T + Send + 'a,
        ) -> anyhow::Result<Self> {
            let body: Box<dyn FnOnce() -> T + Send + 'a> = Box::new(body);
            let body: Box<dyn FnOnce() -> T + Send> =
                unsafe { std::mem::transmute(body) };
            Ok(Self(std::thread::spawn(body)))
        }
        fn join(self) -> T {
            self.0.join().unwrap()
        }
    }
    let (all_have, change, look) = (&all_have, &change, &look);
    for gift in [1, 10, 100] {
        let child = stage.track(format!(\"+{gift}\"));
        children.push(Process::spawn(move || {",
);

/// The mapping is copied by fork, as all other memory is.
const COPIED: Change =
    ("main.rs", "MapFlags::MAP_SHARED", "MapFlags::MAP_PRIVATE");
