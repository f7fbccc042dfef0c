//! How many numbers are looked at.

use std::time::Duration;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Look for the primes below N, a number from 1000 to 200000; how_many_pay
    /// looks for more
    #[arg(long, value_name = "N", default_value = "20000")]
    #[arg(value_parser = limit, allow_negative_numbers = true)]
    pub limit: u32,
}

/// With 200000 a busy machine takes minutes.
pub fn longer(options: &Options) -> Duration {
    Duration::from_secs(u64::from(options.limit) / 1000)
}

fn limit(text: &str) -> Result<u32, String> {
    let limit = text.parse().ok();
    let limit = limit.filter(|limit| (1_000..=200_000).contains(limit));
    limit.ok_or_else(|| "give a whole number from 1000 to 200000".to_owned())
}
