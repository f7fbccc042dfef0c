//! Four operations, a thread for each.

use crate::numbers::{Options, why};
use anyhow::bail;
use rust_decimal::Decimal;
use shared::Stage;
use shared::lesson::equals;
use std::thread;

/// Two numbers, four operations, a thread for each. How do the results come
/// back? (`--numbers A B` takes others.)
///
/// - [ ] through a queue or a pipe, as from a process
/// - [ ] not at all: a thread can only print what it has
/// - [x] join returns what the thread has returned
pub fn four_operations(stage: &Stage) -> shared::Result {
    let [a, b] = stage.options::<Options>().both();
    let (results, failed) = calculate(stage, a, b);
    if let Some(failed) = failed.first() {
        bail!("{failed}; give other numbers with --numbers A B");
    }
    let alone = OPERATIONS.map(|(.., operation)| shown(operation(a, b)));
    stage.claim("main alone gets the same", results, equals(alone.to_vec()));
    let threads = stage.trace()?.threads_of("calculates");
    stage.claim("threads that calculated", threads, equals(4));
    Ok(())
}

type Operation = fn(Decimal, Decimal) -> Decimal;

const OPERATIONS: [(&str, char, Operation); 4] = [
    ("add", '+', |a, b| a + b),
    ("subtract", '-', |a, b| a - b),
    ("multiply", '*', |a, b| a * b),
    ("divide", '/', divide),
];

fn divide(a: Decimal, b: Decimal) -> Decimal {
    assert!(!b.is_zero(), "division by zero");
    a / b
}

fn shown(result: Decimal) -> String {
    result.normalize().to_string()
}

/// The results, and what failed with the reason for it.
fn calculate(
    stage: &Stage,
    a: Decimal,
    b: Decimal,
) -> (Vec<String>, Vec<String>) {
    let (mut results, mut failed) = (vec![], vec![]);
    let main = stage.track("main");
    thread::scope(|scope| {
        let threads = OPERATIONS.map(|(name, sign, operation)| {
            let track = stage.track(name);
            let thread = scope.spawn(move || {
                track.span("calculates", || {
                    track.pause(1.0);
                    operation(a, b)
                })
            });
            (format!("{a} {sign} {b}"), thread)
        });
        for (sum, thread) in threads {
            match thread.join() {
                Ok(result) => {
                    main.note(&sum, shown(result));
                    results.push(shown(result));
                }
                Err(panic) => {
                    main.note(&sum, why(&*panic));
                    failed.push(format!("{sum}: {}", why(&*panic)));
                }
            }
        }
    });
    (results, failed)
}

/// The same with 0 as the second number. Which of the four threads fail, and
/// who is told?
///
/// - [x] the one that divides; whoever joins it is told
/// - [ ] all: a panic ends the program
/// - [ ] the one that divides; nobody is told
pub fn one_fails(stage: &Stage) -> shared::Result {
    let [a, _] = stage.options::<Options>().both();
    let (results, failed) = calculate(stage, a, Decimal::ZERO);
    stage.claim(
        "join reports one failure",
        failed,
        equals(vec![format!("{a} / 0: division by zero")]),
    );
    stage.claim("and three results", results.len(), equals(3));
    Ok(())
}
