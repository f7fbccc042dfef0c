//! Any sequence of operations does to the real thing what it does to a model.
//!
//! Not run by the usual harness, whose threads would forbid a fork. Arguments
//! choose models by name.

mod queue;

use std::process::ExitCode;
use std::time::Instant;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// A model: its name, and a function that says what differs.
type Model = (&'static str, fn() -> Result<(), String>);

const MODELS: &[Model] = &[
    ("queue", queue::against_vec_deque),
    ("joinable_queue", queue::joinable_against_counters),
];

fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let chosen: Vec<&Model> = MODELS
        .iter()
        .filter(|(name, _)| {
            filters.is_empty() || filters.iter().any(|f| name.contains(f))
        })
        .collect();
    let began = Instant::now();
    println!("\nrunning {} tests", chosen.len());
    let mut failed = 0;
    for (name, compare) in &chosen {
        match compare() {
            Ok(()) => println!("test {name} ... ok"),
            Err(difference) => {
                failed += 1;
                println!("test {name} ... FAILED\n{difference}");
            }
        }
    }
    println!(
        "\ntest result: {}. {} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; \
         finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        chosen.len() - failed,
        MODELS.len() - chosen.len(),
        began.elapsed().as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Makes up inputs and compares; the smallest input that differs is named.
fn for_all<S: proptest::strategy::Strategy>(
    inputs: &S,
    compare: impl Fn(S::Value) -> Result<(), TestCaseError>,
) -> Result<(), String>
where
    S::Value: std::fmt::Debug,
{
    let config =
        Config { cases: 300, failure_persistence: None, ..Config::default() };
    match TestRunner::new(config).run(inputs, compare) {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, input)) => {
            Err(format!("{reason}\nfor {input:#?}"))
        }
        Err(TestError::Abort(reason)) => Err(format!("given up: {reason}")),
    }
}
