//! The server that is asked.

use anyhow::Context;
use serde_json::Value;
use shared::client::{Client, Limits};
use shared::site::{Plan, Site};

/// What is asked for at the local site.
const PAGE: &str = "/pages/1";

/// The local site, or the server that --url names.
pub struct Target {
    pub site: Option<Site>,
    pub url: String,
}

impl Target {
    /// Starts the site, if no other server is named.
    pub fn of(url: Option<&str>, plan: Plan) -> shared::Result<Self> {
        if let Some(url) = url {
            return Ok(Self { site: None, url: url.to_owned() });
        }
        let site = Site::start(plan)?;
        let url = site.url() + PAGE;
        Ok(Self { site: Some(site), url })
    }

    /// How many requests the site had at once at most; other servers do not
    /// tell.
    pub fn most_at_once(&self) -> shared::Result<Option<usize>> {
        let Some(site) = &self.site else { return Ok(None) };
        let url = site.url() + "/stats";
        let stats = Client::new(Limits::default()).get(&url);
        let stats = stats.with_context(|| format!("cannot ask {url}"))?;
        let stats: Value = serde_json::from_slice(&stats.body)?;
        let most = stats["in_flight_peak"].as_u64().unwrap_or(0);
        Ok(Some(most as usize))
    }
}
