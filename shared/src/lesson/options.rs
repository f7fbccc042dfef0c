use clap::Parser;
use std::path::PathBuf;

/// The options that every lesson has.
#[derive(Clone, Debug, Parser)]
// A lesson's own options may have the name `Options` too.
#[group(skip)]
#[command(
    disable_version_flag = true,
    after_help = "Exit status: 0 every claim held, 1 one did not or something failed, 2 usage."
)]
pub(super) struct Options {
    /// Divide every pause by X: 1 is natural pace
    #[arg(long, value_name = "X", value_parser = speed, allow_negative_numbers = true)]
    speed: Option<f64>,

    /// Stop before and after each step, for a class
    #[arg(long)]
    pub walk: bool,

    /// Run this step only; with --walk, begin there
    #[arg(long, value_name = "NAME")]
    pub step: Option<String>,

    /// Run each step N times, quickly and in silence, and tell which orders
    /// there were
    #[arg(long, value_name = "N", value_parser = runs, allow_negative_numbers = true, conflicts_with_all = ["walk", "hold", "svg", "perfetto", "no_timeline"])]
    pub runs: Option<u32>,

    /// Stop whoever comes to POINT until Enter is pressed, or, as in `anna: POINT`,
    /// one of them; may be given several times
    #[arg(long, value_name = "POINT")]
    pub hold: Vec<String>,

    /// Make the same choices as another run with this number
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,

    /// Write the trace to FILE, a line of JSON an event
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Draw the timelines of all steps into FILE
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,

    /// Write the trace to FILE for https://ui.perfetto.dev
    #[arg(long, value_name = "FILE")]
    pub perfetto: Option<PathBuf>,

    /// Draw no timelines in the terminal
    #[arg(long)]
    pub no_timeline: bool,
}

impl Options {
    /// How quickly it is to go: at natural pace, unless it goes many times.
    pub fn speed(&self) -> f64 {
        let usual = if self.runs.is_some() { 50.0 } else { 1.0 };
        self.speed.unwrap_or(usual)
    }

    /// Whether one of them says what is to become of the steps.
    pub fn are_about_steps(&self) -> bool {
        let file = [&self.trace, &self.svg, &self.perfetto];
        let file = file.into_iter().any(Option::is_some);
        let way = self.walk || self.runs.is_some() || !self.hold.is_empty();
        file || way || self.step.is_some() || self.no_timeline
    }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok();
    let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| {
        "give a number above 0: 1 is natural pace, 20 is quick".to_owned()
    })
}

fn runs(text: &str) -> Result<u32, String> {
    let runs = text.parse().ok().filter(|runs| (1..=10_000).contains(runs));
    runs.ok_or_else(|| "give a whole number from 1 to 10000".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    let advice = "give a whole number, as the last line of a run names one";
    text.parse().map_err(|_| advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_options_are_about_the_steps() {
        let about = |args: &[&str]| {
            let args = ["lesson"].iter().chain(args);
            Options::parse_from(args).are_about_steps()
        };
        assert!(!about(&[]) && !about(&["--speed", "2", "--seed", "1"]));
        for args in [
            &["--walk"][..],
            &["--step", "x"],
            &["--runs", "2"],
            &["--hold", "x"],
            &["--trace", "x"],
            &["--svg", "x"],
            &["--perfetto", "x"],
            &["--no-timeline"],
        ] {
            assert!(about(args), "{args:?}");
        }
    }
}
