//! In which order things happened in a run of a step.

use super::claim::{Claim, shown};
use super::show::counted;
use super::track::{CHOICE, SAY};
use crate::trace::{Event, IDLE, Phase, Trace};
use serde_json::Value;
use std::collections::BTreeMap;

/// What happened on the tracks of a step, one after the other: who began,
/// said, noted or marked what. Without times, and without what is another one
/// in every run whatever the order: numbers of processes, and noted values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order(Vec<Deed>);

/// Who did what.
type Deed = (String, String);

impl Order {
    /// The order in `trace`, which is that of one step.
    pub fn of(trace: &Trace, frame: &str) -> Self {
        let events = trace.events().iter();
        let events = events.filter(|event| event.track != frame);
        Self(events.filter_map(happened).collect())
    }
}

/// Nothing where it is an end, or a wait.
fn happened(event: &Event) -> Option<Deed> {
    let begins = matches!(event.ph, Phase::Begin | Phase::Instant);
    let idle = IDLE.contains(&event.name.as_str());
    if !begins || idle || event.name == CHOICE {
        return None;
    }
    let pid = format!(" {}", event.pid);
    let who = event.track.strip_suffix(&pid).unwrap_or(&event.track);
    let what = match event.args.get("text") {
        Some(Value::String(text)) if event.name == SAY => text,
        _ => &event.name,
    };
    Some((who.to_owned(), without_long_numbers(what)))
}

/// As a sentence: who is said once for all that is done in a row.
fn told(deeds: &[Deed]) -> String {
    let mut text = String::new();
    let mut last = None;
    for (who, what) in deeds {
        text += match last {
            None => "",
            Some(last) if last == who => ", ",
            Some(_) => "; ",
        };
        if last != Some(who) {
            text += who;
            text += " ";
        }
        text += what;
        last = Some(who);
    }
    text
}

/// Numbers of four digits and more are of processes, addresses or times.
fn without_long_numbers(text: &str) -> String {
    let mut plain = String::new();
    let mut digits = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        plain += if digits.len() < 4 { &digits } else { "#" };
        digits.clear();
        plain.extend((character != '\0').then_some(character));
    }
    plain
}

/// How often which order was seen, and what was claimed in all of them.
#[derive(Default)]
pub(super) struct Tally {
    runs: usize,
    orders: BTreeMap<Order, usize>,
    claims: Vec<Claimed>,
}

/// A claim in all runs.
struct Claimed {
    text: String,
    made: usize,
    held: usize,
    /// The first time that it did not hold, and the seed of that run.
    broken: Option<(Claim, u64)>,
    values: Vec<Value>,
}

impl Tally {
    /// A run with this seed.
    pub fn add(&mut self, seed: u64, order: Order, claims: &[Claim]) {
        self.runs += 1;
        *self.orders.entry(order).or_default() += 1;
        for claim in claims {
            let same = |known: &&mut Claimed| known.text == claim.text;
            let known = match self.claims.iter_mut().find(same) {
                Some(known) => known,
                None => {
                    self.claims.push(Claimed {
                        text: claim.text.clone(),
                        made: 0,
                        held: 0,
                        broken: None,
                        values: Vec::new(),
                    });
                    self.claims.last_mut().expect("one was just put there")
                }
            };
            known.made += 1;
            known.held += usize::from(claim.held);
            if !claim.held {
                known.broken.get_or_insert_with(|| (claim.clone(), seed));
            }
            if !known.values.contains(&claim.value) {
                known.values.push(claim.value.clone());
            }
        }
    }

    /// How many there were of what.
    pub fn headline(&self) -> String {
        let runs = counted(self.runs, "run");
        match self.orders.len() {
            1 if self.orders.contains_key(&Order(Vec::new())) => {
                format!("{runs}; nothing happens in them that has an order")
            }
            1 => format!("{runs}, one order: the same in all of them"),
            orders if orders == self.runs => {
                format!("{runs}, {orders} orders: no two the same")
            }
            orders => format!("{runs}, {orders} orders"),
        }
    }

    /// The most frequent orders, at most `most`, how often each was seen, and
    /// what they begin with, all of them.
    pub fn most_frequent(&self, most: usize) -> (String, Vec<(usize, String)>) {
        let common = match self.orders.len() {
            0 | 1 => 0,
            _ => self.common(),
        };
        let mut orders: Vec<_> = self.orders.iter().collect();
        orders.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        let rest = |order: &Order| match order.0.len() == common {
            true => "nothing more".to_owned(),
            false => told(&order.0[common..]),
        };
        let orders = orders.into_iter().take(most);
        let orders = orders.filter(|(order, _)| !order.0.is_empty());
        let orders = orders.map(|(order, times)| (*times, rest(order)));
        let first = self.orders.keys().next();
        let common =
            first.map_or(String::new(), |order| told(&order.0[..common]));
        (common, orders.collect())
    }

    /// With how many events all orders begin.
    fn common(&self) -> usize {
        let mut orders = self.orders.keys();
        let Some(Order(first)) = orders.next() else { return 0 };
        let shared = |other: &Order| {
            let pairs = first.iter().zip(&other.0);
            pairs.take_while(|(one, other)| one == other).count()
        };
        orders.map(shared).min().unwrap_or(first.len())
    }

    /// The claims: whether each held wherever it was made, and with which
    /// values.
    pub fn claims(&self) -> Vec<(bool, String)> {
        let told = self.claims.iter().map(|claim| {
            let all = claim.held == claim.made;
            let values = values(&claim.values);
            let often = match all {
                true => String::new(),
                false => format!(": held in {} of {}", claim.held, claim.made),
            };
            (all, format!("{}{often}{values}", claim.text))
        });
        told.collect()
    }

    /// The first claim that did not hold, and the seed of that run.
    pub fn broken(&self) -> Option<&(Claim, u64)> {
        self.claims.iter().find_map(|claim| claim.broken.as_ref())
    }
}

/// The values that were seen: the one, all of a few, or from where to where.
fn values(values: &[Value]) -> String {
    let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    match (values, numbers) {
        ([] | [Value::Bool(_)], _) => String::new(),
        ([one], _) => format!(" ({})", shown(one)),
        (_, Some(numbers)) => {
            let order = |a: &&Value, b: &&Value| {
                let number = |value: &Value| value.as_f64().unwrap_or(0.0);
                number(a).total_cmp(&number(b))
            };
            let least = values.iter().min_by(order).map(shown);
            let most = values.iter().max_by(order).map(shown);
            let [least, most] = [least, most].map(Option::unwrap_or_default);
            let different = numbers.len();
            format!(" (from {least} to {most}, {different} values)")
        }
        _ => format!(" ({} values)", values.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(events: &[&str]) -> Order {
        let deeds = events.iter().map(|event| event.split_once(' '));
        let deeds = deeds.flatten();
        Order(deeds.map(|(who, what)| (who.into(), what.into())).collect())
    }

    fn claim(value: Value, held: bool) -> Claim {
        let (text, expected) = ("sold".to_owned(), "3".to_owned());
        Claim { text, held, value, expected }
    }

    #[test]
    fn orders_are_counted_and_told_without_what_they_have_in_common() {
        let mut tally = Tally::default();
        for last in ["ben", "anna", "ben"] {
            let events = ["anna reads", &format!("{last} writes")];
            tally.add(7, order(&events), &[]);
        }
        assert_eq!(tally.headline(), "3 runs, 2 orders");
        let (common, orders) = tally.most_frequent(9);
        assert_eq!(common, "anna reads");
        let expected = [(2, "ben writes"), (1, "anna writes")];
        assert_eq!(orders, expected.map(|(n, text)| (n, text.to_owned())));
        assert_eq!(tally.most_frequent(1).1.len(), 1);
    }

    #[test]
    fn one_order_is_told_whole() {
        let mut tally = Tally::default();
        tally.add(7, order(&["anna reads"]), &[claim(json!(3), true)]);
        tally.add(7, order(&["anna reads"]), &[claim(json!(3), true)]);
        assert_eq!(
            tally.headline(),
            "2 runs, one order: the same in all of them"
        );
        assert_eq!(tally.most_frequent(9).1, [(2, "anna reads".to_owned())]);
        assert_eq!(tally.claims(), [(true, "sold (3)".to_owned())]);
        assert!(tally.broken().is_none());
    }

    #[test]
    fn a_claim_that_fails_once_is_told() {
        let mut tally = Tally::default();
        for (value, held) in [(3, true), (5, false), (4, false)] {
            let events = [format!("sold {value}")];
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            tally.add(7, order(&events), &[claim(json!(value), held)]);
        }
        assert_eq!(tally.headline(), "3 runs, 3 orders: no two the same");
        let told = "sold: held in 1 of 3 (from 3 to 5, 3 values)";
        assert_eq!(tally.claims(), [(false, told.to_owned())]);
        let broken =
            tally.broken().map(|(claim, seed)| (claim.value.clone(), *seed));
        assert_eq!(broken, Some((json!(5), 7)));
    }

    #[test]
    fn who_is_said_once_for_all_in_a_row() {
        let Order(deeds) =
            order(&["anna reads", "anna thinks", "ben reads", "anna writes"]);
        assert_eq!(told(&deeds), "anna reads, thinks; ben reads; anna writes");
        let mut tally = Tally::default();
        tally.add(7, order(&[]), &[]);
        assert!(tally.headline().contains("nothing happens"));
        assert!(tally.most_frequent(9).1.is_empty());
    }

    #[test]
    fn numbers_of_processes_make_no_other_order() {
        assert_eq!(without_long_numbers("pid 12345, 3 of 5"), "pid #, 3 of 5");
        assert_eq!(without_long_numbers("8080"), "#");
    }
}
