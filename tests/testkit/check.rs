use crate::Lesson;
use crate::mutant::{Change, Mutant};
use crate::run::Run;
use serde_json::Value;
use shared::lesson::Claim;
use shared::trace::{Event, Phase, Trace};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// A claim, proven again from the trace by other arithmetic than the lesson's
/// own, and what has to be changed in the lesson's source to make it fail.
pub struct Check {
    /// The step in which it is made.
    pub step: &'static str,
    /// Its text.
    pub claim: &'static str,
    /// Whether the events of the step prove it.
    pub proven: fn(&[Event]) -> bool,
    /// The change that takes its mechanism out.
    pub broken: Change,
}

impl Lesson {
    /// Runs the lesson and proves all its claims; then makes each of them
    /// fail. Proves them also from the run of which the pictures are.
    ///
    /// # Panics
    /// When a claim has no check or a check no claim, when one does not hold
    /// or is not proven, and when one still holds without its mechanism.
    pub fn prove(self, checks: &[Check]) {
        self.judge(&self.recorded(), checks).unwrap_or_else(|why| {
            let name = self.package;
            panic!("recorded.jsonl: {why}; `just pictures {name}` draws anew")
        });
        let trace = Run::new(self, &[]).end().well().trace;
        let mut made = BTreeSet::new();
        for step in self.steps() {
            let events = events_of(&trace, &step);
            for claim in Claim::all(&Trace::of(events.clone())) {
                assert!(claim.held, "{step}: {claim}");
                assert!(
                    made.insert((step.clone(), claim.text.clone())),
                    "twice: {claim}"
                );
            }
            for check in checks.iter().filter(|check| check.step == step) {
                let (claim, proven) = (check.claim, (check.proven)(&events));
                assert!(
                    proven,
                    "{step}: `{claim}` is not proven by {events:#?}"
                );
            }
        }
        let checked = checks
            .iter()
            .map(|check| (check.step.to_owned(), check.claim.to_owned()));
        assert_eq!(made, checked.collect(), "claims and checks");
        self.break_each(checks);
    }

    fn break_each(self, checks: &[Check]) {
        // One build and one run for all claims that the same change breaks.
        let mut groups: Vec<Vec<&Check>> = Vec::new();
        for check in checks {
            let same = |group: &&mut Vec<&Check>| {
                (group[0].step, group[0].broken) == (check.step, check.broken)
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.push(check),
                None => groups.push(vec![check]),
            }
        }
        let changes: Vec<_> =
            groups.iter().map(|group| group[0].broken).collect();
        let mutants = Mutant::build_all(self, &changes);
        // Most of what they do is waiting.
        let left = &Mutex::new(mutants.into_iter().zip(groups));
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(move || {
                    while let Some((mutant, group)) = next(left) {
                        let args = ["--step", group[0].step];
                        fails(Run::built(mutant, &args), &group);
                    }
                });
            }
        });
    }
}

/// So many changed copies of a lesson run at a time.
const AT_ONCE: usize = 3;

/// Taken from a list that several have.
fn next<T>(list: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    list.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// Asserts that the claims of these checks do not hold in this run, and cannot
/// be proven from its trace.
fn fails(run: Run, checks: &[&Check]) {
    let run = run.end();
    let (step, change) = (checks[0].step, checks[0].broken);
    let events = events_of(&run.trace, step);
    let claims = Claim::all(&Trace::of(events.clone()));
    for check in checks {
        let text = check.claim;
        let claim = claims.iter().find(|claim| claim.text == text);
        let claim = claim.unwrap_or_else(|| {
            panic!(
                "{change:?}: no claim `{text}`: {}{}",
                run.stdout, run.stderr
            )
        });
        assert!(!claim.held, "{change:?}: still holds: {claim}");
        assert!(!(check.proven)(&events), "{change:?}: still proven: {claim}");
    }
    run.refused(1, &["did not hold"]);
}

/// The events between the beginning and the end of a step.
pub(crate) fn events_of(trace: &Trace, step: &str) -> Vec<Event> {
    let named = |event: &Event| {
        event.name == "step"
            && event.args.get("name").and_then(|name| name.as_str())
                == Some(step)
    };
    let events =
        trace.events().iter().skip_while(|event| !named(event)).skip(1);
    let events = events.take_while(|event| event.name != "step");
    events.cloned().collect()
}

/// The events called `name`; of a span, its beginning.
pub fn happened<'a>(
    events: &'a [Event],
    name: &'a str,
) -> impl Iterator<Item = &'a Event> {
    let begins =
        move |event: &&Event| event.name == name && event.ph != Phase::End;
    events.iter().filter(begins)
}

/// The value noted as `name` on `track`; null if there is none.
pub fn noted(events: &[Event], track: &str, name: &str) -> Value {
    let mut named = happened(events, name).filter(|event| event.track == track);
    let value = named.next().and_then(|event| event.args.get("value"));
    value.cloned().unwrap_or_default()
}

/// The process of a track.
///
/// # Panics
/// When nothing happened on it.
pub fn pid_of(events: &[Event], track: &str) -> i32 {
    let mut events = events.iter().filter(|event| event.track == track);
    events.next().expect("the track did something").pid
}

/// The signal that ended the process of a track; null if none did, or nobody
/// waited for it.
pub fn signal_of(events: &[Event], track: &str) -> Value {
    let pid = i64::from(pid_of(events, track));
    let mut reaped = happened(events, "reaped");
    let reaped = reaped.find(|event| event.args["pid"] == pid);
    reaped.map_or(Value::Null, |event| event.args["signal"].clone())
}

/// How many spans called `name` were open after each of their beginnings and
/// ends; of those that were recorded as they went on.
pub fn open_spans(events: &[Event], name: &str) -> Vec<usize> {
    let mut open = 0;
    let named = events.iter().filter(|event| event.name == name);
    let opened = named.map(|event| {
        match event.ph {
            Phase::Begin => open += 1,
            Phase::End => open -= 1,
            Phase::Instant | Phase::Counter | Phase::Measured => {}
        }
        open
    });
    opened.collect()
}
