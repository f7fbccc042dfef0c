//! What became of the requests.

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use shared::Stage;
use shared::trace::Trace;
use std::collections::BTreeMap;
use std::time::Duration;

/// Latencies are told apart in so many digits.
const DIGITS: u8 = 3;
const ANSWERED: &str = "answered";

/// Latencies in microseconds.
type Latencies = Histogram<u64>;

/// What became of a request.
pub struct Answer {
    pub wave: String,
    pub latency: Duration,
    /// Why there was none.
    pub failure: Option<String>,
}

/// What became of the requests, by wave and by outcome.
pub struct Tally {
    waves: Vec<Wave>,
    /// The answers, and the failures by reason.
    outcomes: BTreeMap<String, Latencies>,
}

struct Wave {
    name: String,
    answered: Latencies,
    failed: u64,
}

impl Tally {
    pub fn of<'a>(
        answers: impl IntoIterator<Item = &'a Answer>,
    ) -> shared::Result<Self> {
        let mut tally = Self { waves: Vec::new(), outcomes: BTreeMap::new() };
        for answer in answers {
            tally.add(answer)?;
        }
        Ok(tally)
    }

    fn add(&mut self, answer: &Answer) -> shared::Result {
        let micros = answer.latency.as_micros() as u64;
        let known = |wave: &Wave| wave.name == answer.wave;
        let place = match self.waves.iter().position(known) {
            Some(place) => place,
            None => {
                let name = answer.wave.clone();
                let answered = Histogram::new(DIGITS)?;
                self.waves.push(Wave { name, answered, failed: 0 });
                self.waves.len() - 1
            }
        };
        let wave = &mut self.waves[place];
        match answer.failure {
            Some(_) => wave.failed += 1,
            None => wave.answered.record(micros)?,
        }
        let outcome = answer.failure.as_deref().unwrap_or(ANSWERED).to_owned();
        let none = Histogram::new(DIGITS)?;
        self.outcomes.entry(outcome).or_insert(none).record(micros)?;
        Ok(())
    }

    /// How many had this outcome: a reason to fail, or none.
    pub fn number_of(&self, outcome: &str) -> usize {
        self.outcomes.get(outcome).map_or(0, |some| some.len() as usize)
    }

    pub fn answered(&self) -> usize {
        self.number_of(ANSWERED)
    }

    /// How many were answered or failed.
    pub fn counted(&self) -> usize {
        self.outcomes.values().map(|some| some.len() as usize).sum()
    }

    /// Reasons to fail, each with the number of requests.
    pub fn failures(&self) -> impl Iterator<Item = (&str, u64)> {
        let outcomes = self.outcomes.iter();
        let failures = outcomes.filter(|(outcome, _)| *outcome != ANSWERED);
        failures.map(|(reason, some)| (reason.as_str(), some.len()))
    }

    /// In how many seconds such a share of the answers was there; more than
    /// nothing, as a figure has to be.
    pub fn within(&self, share: f64) -> shared::Result<f64> {
        let answers = self.outcomes.get(ANSWERED);
        let answers = answers.context("none of the requests was answered")?;
        Ok(answers.value_at_quantile(share).max(1) as f64 / 1e6)
    }

    /// An error that tells the reasons, if nothing was answered.
    pub fn ensure_some_answered(&self, url: &str) -> shared::Result {
        if self.answered() > 0 {
            return Ok(());
        }
        let reasons = self.failures().map(|(why, n)| format!("{why}: {n}"));
        bail!(
            "none of {} requests to {url} was answered ({}); name a server \
             that answers by --url",
            self.counted(),
            reasons.collect::<Vec<_>>().join(", ")
        )
    }

    /// A table of waves, their latencies in milliseconds; and one of outcomes,
    /// where some have failed.
    pub fn show_waves(&self, stage: &Stage) {
        let waves = self.waves.iter();
        // Of fewer than a hundred, 99 % are all.
        if self.waves.iter().any(|wave| wave.answered.len() >= 100) {
            let header =
                ["requests", ANSWERED, "ms: 50 %", "90 %", "99 %", "all"];
            let rows = waves.map(|wave| {
                let [half, most, nearly, all] = wave.ms([0.5, 0.9, 0.99, 1.0]);
                [wave.name.clone(), wave.answered(), half, most, nearly, all]
            });
            stage.table(header, rows);
        } else {
            let header = ["requests", ANSWERED, "ms: 50 %", "90 %", "all"];
            let rows = waves.map(|wave| {
                let [half, most, all] = wave.ms([0.5, 0.9, 1.0]);
                [wave.name.clone(), wave.answered(), half, most, all]
            });
            stage.table(header, rows);
        }
        if self.answered() < self.counted() {
            self.show_outcomes(stage);
        }
    }

    /// A table of outcomes, with how long they took in milliseconds.
    pub fn show_outcomes(&self, stage: &Stage) {
        let rows = self.outcomes.iter().map(|(outcome, some)| {
            let number = some.len().to_string();
            [outcome.clone(), number, ms(some, 0.5), ms(some, 1.0)]
        });
        stage.table(["outcome", "requests", "ms: 50 %", "all"], rows);
    }
}

impl Wave {
    fn answered(&self) -> String {
        let answered = self.answered.len();
        format!("{answered} of {}", answered + self.failed)
    }

    fn ms<const N: usize>(&self, shares: [f64; N]) -> [String; N] {
        shares.map(|share| ms(&self.answered, share))
    }
}

fn ms(latencies: &Latencies, share: f64) -> String {
    let ms = latencies.value_at_quantile(share) as f64 / 1e3;
    match latencies.len() {
        0 => "-".to_owned(),
        _ if ms < 10.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// How many requests were sent before they were due.
pub fn sent_early(trace: &Trace) -> usize {
    let sent = trace.events().iter().filter(|event| event.name == "sent");
    let early = sent.filter(|sent| {
        let mut spans = trace.spans().iter();
        let own = |track: usize| trace.tracks()[track].name == sent.track;
        let due = spans.find(|span| own(span.track));
        due.is_none_or(|due| sent.t_ns < due.begin_ns)
    });
    early.count()
}
