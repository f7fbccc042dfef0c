use crate::trace::{Event, Trace};
use serde::Serialize;
use serde_json::{Value, json};

/// What a claim demands of a measured value.
pub struct Condition<'a, T> {
    demand: String,
    holds: Box<dyn Fn(&T) -> bool + 'a>,
}

impl<'a, T> Condition<'a, T> {
    /// Something to demand, said in words that continue "expected …".
    pub fn new(
        demand: impl Into<String>,
        holds: impl Fn(&T) -> bool + 'a,
    ) -> Self {
        Self { demand: demand.into(), holds: Box::new(holds) }
    }
}

/// The value is this one.
pub fn equals<'a, T: PartialEq + Serialize + 'a>(
    expected: T,
) -> Condition<'a, T> {
    Condition::new(shown(&json(&expected)), move |value| *value == expected)
}

/// The value is another one.
pub fn differs_from<'a, T: PartialEq + Serialize + 'a>(
    other: T,
) -> Condition<'a, T> {
    let demand = format!("anything but {}", shown(&json(&other)));
    Condition::new(demand, move |value| *value != other)
}

/// The value is not above this one.
pub fn at_most<'a, T: PartialOrd + Serialize + 'a>(
    limit: T,
) -> Condition<'a, T> {
    let demand = format!("at most {}", shown(&json(&limit)));
    Condition::new(demand, move |value| *value <= limit)
}

/// The value is not below this one.
pub fn at_least<'a, T: PartialOrd + Serialize + 'a>(
    limit: T,
) -> Condition<'a, T> {
    let demand = format!("at least {}", shown(&json(&limit)));
    Condition::new(demand, move |value| *value >= limit)
}

/// The value is less than this one.
pub fn below<'a, T: PartialOrd + Serialize + 'a>(limit: T) -> Condition<'a, T> {
    let demand = format!("less than {}", shown(&json(&limit)));
    Condition::new(demand, move |value| *value < limit)
}

/// The value is neither below the one nor above the other.
pub fn between<'a, T: PartialOrd + Serialize + 'a>(
    least: T,
    most: T,
) -> Condition<'a, T> {
    let (from, to) = (shown(&json(&least)), shown(&json(&most)));
    let demand = format!("between {from} and {to}");
    Condition::new(demand, move |value| (&least..=&most).contains(&value))
}

/// A claim that was checked, as the trace has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// What was claimed.
    pub text: String,
    /// Whether it held.
    pub held: bool,
    /// What was measured.
    pub value: Value,
    /// What it had to be.
    pub expected: String,
}

impl Claim {
    pub(super) fn check<T: Serialize>(
        text: &str,
        value: &T,
        condition: &Condition<'_, T>,
    ) -> Self {
        Self {
            text: text.to_owned(),
            held: (condition.holds)(value),
            value: json(value),
            expected: condition.demand.clone(),
        }
    }

    /// The name of the instant that records a claim.
    pub(super) const NAME: &'static str = "claim";

    pub(super) fn args(&self) -> [(&'static str, Value); 4] {
        [
            ("text", json!(self.text)),
            ("held", json!(self.held)),
            ("value", self.value.clone()),
            ("expected", json!(self.expected)),
        ]
    }

    /// The claims that were checked in a run, in order.
    pub fn all(trace: &Trace) -> Vec<Self> {
        let claims =
            trace.events().iter().filter(|event| event.name == Self::NAME);
        claims.filter_map(Self::of).collect()
    }

    fn of(event: &Event) -> Option<Self> {
        Some(Self {
            text: event.args.get("text")?.as_str()?.to_owned(),
            held: event.args.get("held")?.as_bool()?,
            value: event.args.get("value")?.clone(),
            expected: event.args.get("expected")?.as_str()?.to_owned(),
        })
    }
}

impl std::fmt::Display for Claim {
    /// `never more than five inside (5)`; of one that did not hold also what
    /// was expected.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (value, expected) = (shown(&self.value), &self.expected);
        match (self.held, &self.value) {
            (true, Value::Bool(_)) => f.write_str(&self.text),
            (true, _) => write!(f, "{} ({value})", self.text),
            (false, _) => {
                write!(f, "{} (found {value}, expected {expected})", self.text)
            }
        }
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A value as a class reads it: no quotes, lists joined by commas.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => {
            values.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let digits = if number.abs() < 10.0 { 2 } else { 0 };
            format!("{number:.digits$}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim<T: Serialize>(
        value: T,
        condition: Condition<'_, T>,
    ) -> (bool, String) {
        let claim = Claim::check("so it is", &value, &condition);
        (claim.held, claim.to_string())
    }

    #[test]
    fn conditions_hold_and_fail() {
        assert_eq!(claim(5, at_most(5)), (true, "so it is (5)".into()));
        let (held, text) = claim(6, at_most(5));
        assert!(!held);
        assert_eq!(text, "so it is (found 6, expected at most 5)");
        assert!(claim(5, at_least(5)).0 && !claim(4, at_least(5)).0);
        assert!(claim(4, below(5)).0 && !claim(5, below(5)).0);
        assert!(claim(5, between(4, 5)).0 && !claim(3, between(4, 5)).0);
        assert!(claim('Z', equals('Z')).0 && !claim('R', equals('Z')).0);
        assert!(claim(1, differs_from(2)).0 && !claim(2, differs_from(2)).0);
    }

    #[test]
    fn values_are_shown_as_a_class_reads_them() {
        let (_, text) = claim(vec!["anna", "ben"], equals(vec!["anna", "ben"]));
        assert_eq!(text, "so it is (anna, ben)");
        let nobody = Vec::<u8>::new();
        assert_eq!(claim(nobody, equals(vec![])).1, "so it is (none)");
        assert_eq!(claim(true, equals(true)).1, "so it is");
        assert_eq!(claim(1.23456, at_most(2.0)).1, "so it is (1.23)");
        assert_eq!(claim(167.743, at_least(2.0)).1, "so it is (168)");
    }
}
