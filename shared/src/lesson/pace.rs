use rand::SeedableRng;
use rand::rngs::StdRng;
use std::hash::{DefaultHasher, Hash, Hasher};
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

    /// Whoever has this name chooses by this: the same with the same seed, in
    /// whatever order they come to choose.
    pub fn choices(&self, name: &str) -> StdRng {
        let mut hasher = DefaultHasher::new();
        (self.seed, name).hash(&mut hasher);
        StdRng::seed_from_u64(hasher.finish())
    }

    /// That many seconds at natural pace.
    pub fn time(&self, seconds: f64) -> Duration {
        let seconds = (seconds / self.speed).max(0.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn choices_follow_from_seed_and_name() {
        let first = |seed, name| {
            let pace = Pace { speed: 1.0, seed };
            pace.choices(name).random::<u64>()
        };
        assert_eq!(first(7, "anna"), first(7, "anna"));
        assert_ne!(first(7, "anna"), first(8, "anna"));
        assert_ne!(first(7, "anna"), first(7, "ben"));
    }
}
