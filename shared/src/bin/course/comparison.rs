//! What came of running a lesson and its peer against each other.

use anyhow::{Result, ensure};
use serde::Serialize;
use serde_json::Value;
use shared::lesson::Figure;

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
/// When a label is on one side only, or the two sides came to different
/// results.
pub fn compare(slow: &[Round], rounds: &[Round]) -> Result<Vec<Comparison>> {
    for round in slow.iter().chain(rounds) {
        let labels = |figures: &[Figure]| -> Vec<String> {
            figures.iter().map(|figure| figure.label.clone()).collect()
        };
        let (python, rust) = (labels(&round.python), labels(&round.rust));
        let lonely = |one: &[String], other: &[String]| {
            one.iter().find(|label| !other.contains(label)).cloned()
        };
        if let Some(label) = lonely(&rust, &python) {
            anyhow::bail!("peer.py has no figure `{label}`");
        }
        if let Some(label) = lonely(&python, &rust) {
            anyhow::bail!("the lesson has no figure `{label}`");
        }
    }
    let labels = slow.iter().take(1).flat_map(|round| &round.rust);
    let labels = labels.map(|figure| figure.label.as_str());
    labels.map(|label| of_label(label, slow, rounds)).collect()
}

fn of_label(
    label: &str,
    slow: &[Round],
    rounds: &[Round],
) -> Result<Comparison> {
    let find = |figures: &[Figure]| -> Figure {
        let mut figures = figures.iter();
        let found = figures.find(|figure| figure.label == label);
        found.cloned().expect("both sides have all labels")
    };
    let (mut both, mut result) = ((Vec::new(), Vec::new()), Value::Null);
    let quickest = |side: fn(&Round) -> &Vec<Figure>| {
        let times = slow.iter().map(|round| find(side(round)).seconds);
        times.fold(f64::INFINITY, f64::min)
    };
    for round in rounds {
        let (python, rust) = (find(&round.python), find(&round.rust));
        ensure!(
            python.result == rust.result,
            "`{label}` came to {} in Python and to {} in Rust: not the same work",
            python.result,
            rust.result
        );
        both.0.push(python.seconds);
        both.1.push(rust.seconds);
        result = rust.result;
    }
    let (python, times) = both;
    let ratios = python.iter().zip(&times).map(|(python, rust)| python / rust);
    let ratio = median(&ratios.collect::<Vec<_>>());
    // At half the speed a wait takes twice as long, and work as long as ever,
    // unless there is less of it. A wait takes as long in any language.
    let doubled = |slow: f64, quick: &[f64]| slow / median(quick) > 1.6;
    let waits = doubled(quickest(|round| &round.python), &python)
        && doubled(quickest(|round| &round.rust), &times)
        && (1.0 / ALIKE..ALIKE).contains(&ratio);
    Ok(Comparison {
        label: label.to_owned(),
        result,
        python,
        rust: times,
        ratio,
        waits,
    })
}

/// The one in the middle; of an even number the mean of the two there.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// The mean of ratios: twice as long and half as long make as long.
pub fn mean_ratio(comparisons: &[Comparison]) -> f64 {
    let work = comparisons.iter().filter(|comparison| !comparison.waits);
    let logs: Vec<f64> = work.map(|comparison| comparison.ratio.ln()).collect();
    match logs.len() {
        0 => 1.0,
        number => (logs.iter().sum::<f64>() / number as f64).exp(),
    }
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
        assert_eq!(mean_ratio(&compared), 2.0);
    }

    #[test]
    fn a_label_on_one_side_only_is_named() {
        let both = || round(&[("add", 1.0, 3)], &[("add", 1.0, 3)]);
        let more = round(&[("add", 1.0, 3)], &[("add", 1.0, 3), ("b", 1.0, 3)]);
        let complaint =
            compare(&[both()], &[more]).err().map(|why| why.to_string());
        assert_eq!(complaint.as_deref(), Some("peer.py has no figure `b`"));
        let more = round(&[("add", 1.0, 3), ("c", 1.0, 3)], &[("add", 1.0, 3)]);
        let complaint =
            compare(&[more], &[both()]).err().map(|why| why.to_string());
        assert_eq!(complaint.as_deref(), Some("the lesson has no figure `c`"));
    }

    #[test]
    fn other_results_are_other_work() {
        let slow = round(&[("add", 1.0, 3)], &[("add", 1.0, 3)]);
        let other = round(&[("add", 1.0, 4)], &[("add", 1.0, 3)]);
        let complaint =
            compare(&[slow], &[other]).err().map(|why| why.to_string());
        assert!(complaint.is_some_and(|why| why.contains("4 in Python")));
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
        assert!((mean_ratio(&[of(0.5), of(2.0)]) - 1.0).abs() < 1e-9);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
