//! What became of the requests.

use crate::Answer;
use hdrhistogram::Histogram;
use shared::Stage;
use shared::trace::Trace;
use std::collections::BTreeMap;

/// Latencies are told apart in three digits.
const DIGITS: u8 = 3;

/// What became of the requests of one wave, or of all.
pub struct Tally {
    waves: Vec<(String, Wave)>,
    all: Wave,
}

struct Wave {
    /// Of those that were answered, in microseconds.
    latencies: Histogram<u64>,
    failures: BTreeMap<String, usize>,
}

impl Wave {
    fn new() -> shared::Result<Self> {
        let latencies = Histogram::new(DIGITS)?;
        Ok(Self { latencies, failures: BTreeMap::new() })
    }

    fn add(&mut self, answer: &Answer) -> shared::Result {
        match &answer.failure {
            None => {
                let micros = answer.latency.as_micros() as u64;
                self.latencies.record(micros)?;
            }
            Some(failure) => {
                *self.failures.entry(failure.to_string()).or_default() += 1;
            }
        }
        Ok(())
    }

    fn failed(&self) -> usize {
        self.failures.values().sum()
    }

    /// So much of the answers took no longer than that, in seconds.
    fn within(&self, share: f64) -> f64 {
        self.latencies.value_at_quantile(share).max(1) as f64 / 1e6
    }

    fn row(&self, name: &str) -> [String; 7] {
        let answered = self.latencies.len();
        let within = |share| match answered {
            0 => "-".to_owned(),
            _ => format!("{:.1}", self.within(share) * 1e3),
        };
        [
            name.to_owned(),
            answered.to_string(),
            self.failed().to_string(),
            within(0.5),
            within(0.9),
            within(0.99),
            within(1.0),
        ]
    }
}

impl Tally {
    pub fn of(answers: &[Answer]) -> shared::Result<Self> {
        let mut tally = Self { waves: Vec::new(), all: Wave::new()? };
        for answer in answers {
            tally.all.add(answer)?;
            if tally.waves.last().is_none_or(|(name, _)| *name != answer.wave) {
                tally.waves.push((answer.wave.clone(), Wave::new()?));
            }
            if let Some((_, wave)) = tally.waves.last_mut() {
                wave.add(answer)?;
            }
        }
        Ok(tally)
    }

    pub fn answered(&self) -> usize {
        self.all.latencies.len() as usize
    }

    pub fn counted(&self) -> usize {
        self.answered() + self.all.failed()
    }

    pub fn failures(&self) -> &BTreeMap<String, usize> {
        &self.all.failures
    }

    /// So much of the answers took no longer than that, in seconds.
    pub fn within(&self, share: f64) -> f64 {
        self.all.within(share)
    }

    /// `reason: number`, one after the other.
    pub fn reasons(&self) -> String {
        let reasons = self.all.failures.iter();
        let reasons = reasons.map(|(why, number)| format!("{why}: {number}"));
        reasons.collect::<Vec<_>>().join(", ")
    }

    /// Records how long half of the answers took at most, and most of them.
    pub fn measure(&self, stage: &Stage) -> shared::Result {
        if self.answered() > 0 {
            stage.figure("50 % within", self.within(0.5))?;
            stage.figure("90 % within", self.within(0.9))?;
            stage.figure("99 % within", self.within(0.99))?;
        }
        Ok(())
    }

    /// As tables: the latencies in milliseconds, and the failures.
    pub fn show(&self, stage: &Stage) {
        let mut rows: Vec<_> =
            self.waves.iter().map(|(name, wave)| wave.row(name)).collect();
        if rows.len() > 1 {
            rows.push(self.all.row("all"));
        }
        let header =
            ["due", "answered", "failed", "50 %", "90 %", "99 %", "100 % (ms)"];
        stage.table(header, rows);
        if !self.all.failures.is_empty() {
            let rows = self.all.failures.iter();
            let rows =
                rows.map(|(why, number)| [why.clone(), number.to_string()]);
            stage.table(["failed, since", "requests"], rows);
        }
    }
}

/// How many requests were sent before they were due.
pub fn sent_early(trace: &Trace) -> usize {
    let sent = trace.events().iter().filter(|event| event.name == "sent");
    let early = sent.filter(|sent| {
        let due = trace
            .spans()
            .iter()
            .find(|span| trace.tracks()[span.track].name == sent.track);
        due.is_none_or(|due| sent.t_ns < due.begin_ns)
    });
    early.count()
}
