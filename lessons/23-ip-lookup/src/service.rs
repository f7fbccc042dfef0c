//! The service that is asked: the local site, or the one of `--url`.

use crate::row::{Place, Row};
use anyhow::Context;
use serde::Deserialize;
use shared::Stage;
use shared::client::{Client, Failure, Limits};
use shared::site::{Plan, Site};
use std::path::PathBuf;
use std::time::Duration;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Ask the service at URL, such as http://ip-api.com/json/ or one like it,
    /// in place of the local site; each step asks for all addresses
    #[arg(long, value_name = "URL", value_parser = base)]
    pub url: Option<String>,
    /// Look up the addresses in FILE, one a line
    #[arg(long, value_name = "FILE")]
    pub addresses: Option<PathBuf>,
}

/// Where addresses are looked up, by one thread or by many.
pub struct Service {
    client: Client,
    /// The address is all that is missing at its end.
    base: String,
    /// Where it tells how many it was asked for at once.
    stats: Option<String>,
}

/// What the local site tells of itself.
#[derive(Deserialize)]
struct Stats {
    in_flight_peak: usize,
}

/// The local site, where the first answers wait until so many are asked for at
/// once; or, without one, the service of `--url`. The site is a process that
/// ends when it is dropped: open it before any thread.
///
/// # Errors
/// When there is no process or no port to be had.
pub fn open(
    stage: &Stage,
    meet: usize,
) -> shared::Result<(Option<Site>, Service)> {
    let Options { url, addresses } = stage.options();
    if let Some(url) = url {
        return Ok((None, Service::at(url.clone(), time_limit(stage))));
    }
    let plan = Plan::new().latency(stage.time(0.2)).meet(meet as u64);
    let site = Site::start(plan)?;
    // Nothing is to fail here, however busy the machine is.
    let patience = Duration::from_secs(20);
    let service = Service::at(site.url() + "/json/", patience);
    let known = addresses.is_none();
    let stats = known.then(|| site.url() + "/stats");
    Ok((Some(site), Service { stats, ..service }))
}

impl Service {
    /// What stands at `base`, which may take so long for an answer.
    pub fn at(base: String, limit: Duration) -> Self {
        let limits = Limits { time: limit, bytes: 1 << 16, redirects: 5 };
        let client = Client::new(limits);
        Self { client, base, stats: None }
    }

    /// Fills the row, whatever comes of it.
    pub fn look_up(&self, row: &mut Row) {
        let reply = self.client.get(&format!("{}{}", self.base, row.address));
        let reply = reply.map_err(|failure| told(&failure));
        row.place = reply.and_then(|reply| Place::read(&reply.body));
    }

    /// How many look-ups the local site had at once at most; none if another
    /// was asked, or for other addresses than the lesson's own.
    ///
    /// # Errors
    /// When it does not say.
    pub fn at_once(&self) -> shared::Result<Option<usize>> {
        let Some(url) = &self.stats else { return Ok(None) };
        let reply = self.client.get(url).context(
            "the local site does not tell its count; run the lesson again",
        )?;
        let stats: Stats = serde_json::from_slice(&reply.body)?;
        Ok(Some(stats.in_flight_peak))
    }
}

/// The longest that an answer may take: three seconds, and at any speed what a
/// busy machine needs.
pub fn time_limit(stage: &Stage) -> Duration {
    stage.time(3.0).max(Duration::from_millis(800))
}

fn told(failure: &Failure) -> String {
    match failure {
        Failure::Status { retry_after: Some(seconds), .. } => {
            format!("{failure}, again in {seconds} s")
        }
        _ => failure.to_string(),
    }
}

/// What an address can be added to.
fn base(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let port = host.rsplit_once(':').filter(|_| !host.ends_with(']'));
    let strange = |c: char| c.is_whitespace() || c.is_control();
    let wrong = host.is_empty()
        || port.is_some_and(|(_, port)| port.parse::<u16>().is_err())
        || text.contains(['?', '#'])
        || text.contains(strange);
    match wrong {
        true => Err("give the address of a service to which an IP address \
                     can be added, such as http://ip-api.com/json/"
            .to_owned()),
        false => Ok(format!("{}/", text.trim_end_matches('/'))),
    }
}
