//! How many of each.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};
use std::fmt;
use std::str::FromStr;

/// More clients than these a class does not tell apart.
const MOST: usize = 32;

#[derive(Args)]
struct Given {
    /// Make the step `hybrid` (it alone) of processes x threads x coroutines,
    /// 1 to 32 in all
    #[arg(long, value_name = "PxTxC", default_value = "2x2x2")]
    #[arg(allow_hyphen_values = true)]
    mixture: Mixture,
}

pub struct Options {
    pub mixture: Mixture,
}

impl FromArgMatches for Options {
    /// Refuses a mixture that nothing would be made of.
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let Given { mixture } = Given::from_arg_matches(matches)?;
        let given = matches.value_source("mixture");
        let given = given == Some(ValueSource::CommandLine);
        let step = matches.get_one::<String>("step");
        // Who walks may come to that step later.
        let only = step.filter(|_| !matches.get_flag("walk"));
        match only.filter(|step| *step != "hybrid") {
            Some(step) if given => {
                let text = format!(
                    "--mixture is for the step `hybrid`, not for `{step}`\n"
                );
                Err(Error::raw(ErrorKind::ArgumentConflict, text))
            }
            _ => Ok(Self { mixture }),
        }
    }

    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        Given::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Given::augment_args_for_update(command)
    }
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
