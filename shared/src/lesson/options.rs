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
    /// Divide every pause by X
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed, allow_negative_numbers = true)]
    pub speed: f64,

    /// Stop before and after each step, for a class
    #[arg(long)]
    pub walk: bool,

    /// Run this step only; with --walk, begin there
    #[arg(long, value_name = "NAME")]
    pub step: Option<String>,

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

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok();
    let speed = speed.filter(|speed| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| {
        "give a number above 0: 1 is natural pace, 20 is quick".to_owned()
    })
}

fn seed(text: &str) -> Result<u64, String> {
    let advice = "give a whole number, as the last line of a run names one";
    text.parse().map_err(|_| advice.to_owned())
}
