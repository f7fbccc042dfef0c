//! How many of each.

use clap::Args;
use std::fmt;
use std::str::FromStr;

/// More clients than these a class does not tell apart.
const MOST: usize = 32;

#[derive(Args)]
pub struct Options {
    /// What the step `hybrid` is made of: processes x threads x coroutines
    #[arg(long, value_name = "PxTxC", default_value = "2x2x2")]
    pub mixture: Mixture,
}

/// Processes, threads in each, and coroutines on each of those.
#[derive(Clone, Copy)]
pub struct Mixture {
    pub processes: usize,
    pub threads: usize,
    pub coroutines: usize,
}

impl Mixture {
    pub fn new(processes: usize, threads: usize, coroutines: usize) -> Self {
        Self { processes, threads, coroutines }
    }

    /// How many clients can be served at once.
    pub fn places(&self) -> usize {
        self.processes * self.threads * self.coroutines
    }

    /// The name of a place, by its number from 0: `p1 t2 c1`.
    pub fn name(&self, place: usize) -> String {
        let thread = place / self.coroutines;
        let process = 1 + thread / self.threads;
        let thread = 1 + thread % self.threads;
        let coroutine = 1 + place % self.coroutines;
        format!("p{process} t{thread} c{coroutine}")
    }
}

impl FromStr for Mixture {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split('x').map(|n| n.parse::<usize>().ok());
        let numbers: Option<Vec<usize>> = numbers.collect();
        let places = |numbers: &[usize]| {
            numbers.iter().try_fold(1_usize, |all, n| all.checked_mul(*n))
        };
        match numbers.as_deref() {
            Some(numbers @ &[p, t, c])
                if places(numbers).is_some_and(|n| (1..=MOST).contains(&n)) =>
            {
                Ok(Self::new(p, t, c))
            }
            _ => Err(format!(
                "give three whole numbers, such as 2x2x2, whose product is \
                 from 1 to {MOST}"
            )),
        }
    }
}

impl fmt::Display for Mixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.processes, self.threads, self.coroutines)
    }
}
