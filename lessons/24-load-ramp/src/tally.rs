//! What became of the requests.

use anyhow::bail;
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

    /// How many had this outcome: a reason to fail.
    pub fn failed(&self, reason: &str) -> usize {
        self.outcomes.get(reason).map_or(0, |some| some.len() as usize)
    }

    pub fn answered(&self) -> usize {
        self.failed(ANSWERED)
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
    pub fn within(&self, share: f64) -> f64 {
        let answers = self.outcomes.get(ANSWERED);
        let micros = answers.map_or(0, |some| some.value_at_quantile(share));
        micros.max(1) as f64 / 1e6
    }

    /// An error that tells the reasons, if nothing was answered.
    pub fn or_nobody(&self, url: &str) -> shared::Result {
        if self.answered() > 0 {
            return Ok(());
        }
        let reasons = self.failures().map(|(why, n)| format!("{why}: {n}"));
        bail!(
            "none of {} requests to {url} was answered ({}); start a server \
             there, or name another by --url",
            self.counted(),
            reasons.collect::<Vec<_>>().join(", ")
        )
    }

    /// Records the times in which half of the answers were there, and most.
    pub fn measure(&self, stage: &Stage) -> shared::Result {
        stage.figure("50 % within", self.within(0.5))?;
        stage.figure("90 % within", self.within(0.9))?;
        stage.figure("99 % within", self.within(0.99))
    }

    /// A table of waves, their latencies in milliseconds; and one of outcomes,
    /// where some have failed.
    pub fn show_waves(&self, stage: &Stage) {
        let rows = self.waves.iter().map(|wave| {
            let [half, most, nearly, all] =
                [0.5, 0.9, 0.99, 1.0].map(|share| ms(&wave.answered, share));
            let answered = wave.answered.len();
            let of = answered + wave.failed;
            let answered = format!("{answered} of {of}");
            [wave.name.clone(), answered, half, most, nearly, all]
        });
        let header = ["due", ANSWERED, "ms: 50 %", "90 %", "99 %", "100 %"];
        stage.table(header, rows);
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
        stage.table(["outcome", "requests", "ms: 50 %", "100 %"], rows);
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
