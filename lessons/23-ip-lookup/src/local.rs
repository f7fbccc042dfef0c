//! The local site, and what it counts.

use crate::options::Options;
use crate::service::Service;
use anyhow::Context;
use serde::Deserialize;
use shared::Stage;
use shared::site::{Plan, Site};
use std::time::Duration;

/// The local site gives its first answers when so many look-ups have come. On
/// a busy machine the first might else be over before the last has begun.
pub struct Meet(pub usize);

/// What the local site tells of itself.
#[derive(Deserialize)]
struct Stats {
    in_flight_peak: usize,
}

/// The local site; or, without one, the service of `--url`. The site is a
/// process that ends when it is dropped: open it before any thread.
///
/// # Errors
/// When there is no process or no port to be had.
pub fn open(
    stage: &Stage,
    Meet(meet): Meet,
) -> shared::Result<(Option<Site>, Service)> {
    let Options { url, addresses } = stage.options();
    if let Some(url) = url {
        return Ok((None, Service::at(url.clone(), time_limit(stage))));
    }
    let late = Plan::new().latency(stage.time(0.2)).meet(meet as u64);
    let site = Site::start(late)?;
    // Nothing is to fail here, however busy the machine is.
    let patience = Duration::from_secs(20);
    let mut service = Service::at(site.url() + "/json/", patience);
    if addresses.is_none() {
        service.stats = Some(site.url() + "/stats");
    }
    Ok((Some(site), service))
}

impl Service {
    /// How many look-ups the local site had at once at most; none if another
    /// was asked, or for other addresses than the lesson's own.
    ///
    /// # Errors
    /// When it does not say.
    pub fn at_once(&self) -> shared::Result<Option<usize>> {
        let Some(url) = &self.stats else { return Ok(None) };
        let reply = self.client.get(url).context(
            "cannot ask the local site what it has counted; run the lesson \
             again",
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
