use std::thread;
use std::time::Duration;

/// How quickly a run goes and what it chooses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Every pause is divided by it.
    pub speed: f64,
    /// All choices follow from it.
    pub seed: u64,
}

impl Pace {
    /// Waits that many seconds at natural pace.
    pub fn pause(&self, seconds: f64) {
        thread::sleep(self.time(seconds));
    }

    /// That many seconds at natural pace.
    pub fn time(&self, seconds: f64) -> Duration {
        let seconds = (seconds / self.speed).max(0.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}
