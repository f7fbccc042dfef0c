//! What came of running a lesson and its peer against each other.

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use serde_json::Value;
use shared::lesson::Figure;
use shared::median;

/// Waits of both sides differ by what surrounds them, not by more than this.
const ALIKE: f64 = 1.5;

/// One figure in all rounds, in both languages.
#[derive(Serialize)]
pub struct Comparison {
    pub label: String,
    /// What the work came to, on both sides.
    pub result: Value,
    /// In seconds, a round each.
    pub python: Vec<f64>,
    pub rust: Vec<f64>,
    /// The median of what the rounds say: how many times as long Python takes.
    pub ratio: f64,
    /// Whether it is a wait, as its time goes with the speed asked for.
    pub waits: bool,
}

/// The figures of one round.
pub struct Round {
    pub python: Vec<Figure>,
    pub rust: Vec<Figure>,
}

/// The rounds by figure, in the lesson's order. Before them were `slow` ones,
/// at half the speed.
///
/// # Errors
/// When a label is on one side only, or not in every round, or the two sides
/// came to different results.
pub fn compare(slow: &[Round], rounds: &[Round]) -> Result<Vec<Comparison>> {
    let first = slow.iter().chain(rounds).next();
    let first = first.map_or(&[][..], |round| &round.rust);
    for round in slow.iter().chain(rounds) {
        if let Some(label) = lonely(first, &round.rust) {
            bail!("the lesson has the figure `{label}` only now and then");
        }
        if let Some(label) = lonely(&round.rust, first) {
            bail!("the lesson has the figure `{label}` only now and then");
        }
        if let Some(label) = lonely(&round.rust, &round.python) {
            bail!("peer.py has no figure `{label}`");
        }
        if let Some(label) = lonely(&round.python, &round.rust) {
            bail!("the lesson has no figure `{label}`");
        }
        for rust in &round.rust {
            let python = find(&round.python, &rust.label);
            ensure!(
                python.result == rust.result,
                "`{}` came to {} in Python and to {} in Rust: not the same work",
                rust.label,
                python.result,
                rust.result
            );
        }
    }
    let labels = first.iter().map(|figure| figure.label.as_str());
    Ok(labels.map(|label| of_label(label, slow, rounds)).collect())
}

/// A label of the one that the other has not.
fn lonely<'a>(one: &'a [Figure], other: &[Figure]) -> Option<&'a str> {
    let mut labels = one.iter().map(|figure| figure.label.as_str());
    labels.find(|label| other.iter().all(|figure| figure.label != *label))
}

/// Each round has all labels, on both sides.
fn find<'a>(figures: &'a [Figure], label: &str) -> &'a Figure {
    let mut figures = figures.iter();
    let found = figures.find(|figure| figure.label == label);
    found.expect("it was looked for before")
}

fn of_label(label: &str, slow: &[Round], rounds: &[Round]) -> Comparison {
    type Side = fn(&Round) -> &Vec<Figure>;
    let (in_python, in_rust): (Side, Side) =
        (|round| &round.python, |round| &round.rust);
    let times = |rounds: &[Round], side: Side| -> Vec<f64> {
        let figures = rounds.iter().map(|round| find(side(round), label));
        figures.map(|figure| figure.seconds).collect()
    };
    let quickest = |side: Side| {
        times(slow, side).into_iter().fold(f64::INFINITY, f64::min)
    };
    let last = rounds.last().map(|round| find(&round.rust, label));
    let result = last.map_or(Value::Null, |figure| figure.result.clone());
    let (python, rust) = (times(rounds, in_python), times(rounds, in_rust));
    let ratios = python.iter().zip(&rust).map(|(python, rust)| python / rust);
    let ratio = middle(&ratios.collect::<Vec<_>>());
    // At half the speed a wait takes twice as long, and work as long as ever,
    // unless there is less of it. A wait takes as long in any language.
    let doubled = |slow: f64, quick: &[f64]| slow / middle(quick) > 1.6;
    let waits = doubled(quickest(in_python), &python)
        && doubled(quickest(in_rust), &rust)
        && (1.0 / ALIKE..ALIKE).contains(&ratio);
    let label = label.to_owned();
    Comparison { label, result, python, rust, ratio, waits }
}

/// The median of the times of all rounds, of which there is one at least.
pub fn middle(times: &[f64]) -> f64 {
    median(times).expect("a comparison has rounds")
}

/// The mean of the ratios that are of no waits, if there are any: twice as long
/// and half as long make as long.
pub fn mean_ratio(comparisons: &[Comparison]) -> Option<f64> {
    let work = comparisons.iter().filter(|comparison| !comparison.waits);
    let logs: Vec<f64> = work.map(|comparison| comparison.ratio.ln()).collect();
    let sum = logs.iter().sum::<f64>();
    (!logs.is_empty()).then(|| (sum / logs.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(times: &[(&str, f64, i64)]) -> Vec<Figure> {
        let figures = times.iter().map(|(label, seconds, result)| Figure {
            label: (*label).to_owned(),
            seconds: *seconds,
            result: (*result).into(),
        });
        figures.collect()
    }

    fn round(python: &[(&str, f64, i64)], rust: &[(&str, f64, i64)]) -> Round {
        Round { python: figures(python), rust: figures(rust) }
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds() {
        let slow = round(&[("add", 8.0, 3)], &[("add", 1.0, 3)]);
        let rounds =
            [(8.0, 1.0), (9.0, 3.0), (40.0, 4.0)].map(|(one, other)| {
                round(&[("add", one, 3)], &[("add", other, 3)])
            });
        let compared =
            compare(&[slow], &rounds).expect("the labels are the same");
        assert_eq!(compared.len(), 1);
        assert_eq!(compared[0].ratio, 8.0);
        assert_eq!(compared[0].python, [8.0, 9.0, 40.0]);
        assert!(!compared[0].waits);
    }

    #[test]
    fn a_wait_takes_twice_as_long_at_half_the_speed() {
        let slow = round(
            &[("sleep", 0.2, 1), ("add", 0.1, 1), ("add more", 0.8, 1)],
            &[("sleep", 0.21, 1), ("add", 0.2, 1), ("add more", 0.2, 1)],
        );
        let quick = round(
            &[("sleep", 0.1, 1), ("add", 0.1, 1), ("add more", 0.4, 1)],
            &[("sleep", 0.1, 1), ("add", 0.1, 1), ("add more", 0.1, 1)],
        );
        let compared = compare(&[slow], &[quick]).expect("the labels fit");
        let waits: Vec<bool> = compared.iter().map(|one| one.waits).collect();
        assert_eq!(waits, [true, false, false]);
        // Of 1 and 4.
        assert_eq!(mean_ratio(&compared), Some(2.0));
        assert_eq!(mean_ratio(&compared[..1]), None);
    }

    #[test]
    fn a_label_on_one_side_only_is_named() {
        let one = [("add", 1.0, 3)];
        let two = [("add", 1.0, 3), ("b", 1.0, 3)];
        let wrong = |slow: Round, quick: Round| {
            let compared = compare(&[slow], &[quick]);
            compared.err().map_or(String::new(), |why| why.to_string())
        };
        let rust_has_more = || round(&one, &two);
        assert_eq!(
            wrong(rust_has_more(), rust_has_more()),
            "peer.py has no figure `b`"
        );
        assert_eq!(
            wrong(round(&one, &one), round(&two, &one)),
            "the lesson has no figure `b`"
        );
        let now_and_then = "the lesson has the figure `b` only now and then";
        assert_eq!(wrong(round(&two, &two), round(&one, &one)), now_and_then);
        assert_eq!(wrong(round(&one, &one), round(&two, &two)), now_and_then);
    }

    #[test]
    fn other_results_are_other_work() {
        let same = || round(&[("add", 1.0, 3)], &[("add", 1.0, 3)]);
        let other = || round(&[("add", 1.0, 4)], &[("add", 1.0, 3)]);
        for (slow, quick) in [(same(), other()), (other(), same())] {
            let complaint =
                compare(&[slow], &[quick]).err().map(|why| why.to_string());
            assert!(complaint.is_some_and(|why| why.contains("4 in Python")));
        }
    }

    #[test]
    fn half_and_twice_make_one() {
        let of = |ratio| Comparison {
            label: String::new(),
            result: Value::Null,
            python: vec![],
            rust: vec![],
            ratio,
            waits: false,
        };
        let mean = mean_ratio(&[of(0.5), of(2.0)]);
        assert!(mean.is_some_and(|mean| (mean - 1.0).abs() < 1e-9));
    }
}
