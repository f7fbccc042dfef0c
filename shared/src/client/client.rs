//! A client with limits.

use super::failure::Failure;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use ureq::Agent;
use ureq::ResponseExt;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ureq::unversioned::resolver::{
    DefaultResolver, ResolvedSocketAddrs, Resolver,
};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// How long and how much a client takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For all of an answer, from the call to its last byte.
    pub time: Duration,
    /// Of an answer's body.
    pub bytes: u64,
    /// How often it lets itself be sent on.
    pub redirects: u32,
}

impl Default for Limits {
    /// 5 s, 1 MiB, 5 redirects.
    fn default() -> Self {
        Self { time: Duration::from_secs(5), bytes: 1 << 20, redirects: 5 }
    }
}

/// A client for `http://`. It starts no thread for an address in numbers, goes
/// through no proxy, and keeps connections for the next question. For one
/// thread or for many; make it after the last fork.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    limits: Limits,
}

/// An answer that is as it should be: its status is 200, or another of 2xx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Where it was found; where the server sent the client, if it did.
    pub url: String,
    /// What it says that it is, as in `text/html; charset=utf-8`.
    pub kind: String,
    /// Its body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client that takes no more than that.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let config = Config::builder()
            .timeout_global(Some(limits.time))
            .max_redirects(limits.redirects)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        let connector = DefaultConnector::default();
        let agent = Agent::with_parts(config, connector, Numbers::default());
        Self { agent, limits }
    }

    /// What is to be had at `url`.
    ///
    /// # Errors
    /// [`Failure`], also for an answer that is not 2xx.
    pub fn get(&self, url: &str) -> Result<Reply, Failure> {
        if !url.starts_with("http://") {
            return Err(Failure::Url(url.to_owned()));
        }
        let failed = |error| Failure::of(error, url);
        let mut answer = self.agent.get(url).call().map_err(failed)?;
        let header = |name| answer.headers().get(name)?.to_str().ok();
        if !answer.status().is_success() {
            let wait = header(RETRY_AFTER);
            return Err(Failure::status(answer.status(), wait));
        }
        let kind = header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let found = answer.get_uri().to_string();
        let body = answer.body_mut().with_config().limit(self.limits.bytes);
        Ok(Reply {
            url: found,
            kind,
            body: body.read_to_vec().map_err(failed)?,
        })
    }
}

/// Takes addresses in numbers as they are, and none for https. The usual resolver starts a thread
/// for every question that has a time limit.
#[derive(Debug, Default)]
struct Numbers(DefaultResolver);

impl Resolver for Numbers {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if uri.scheme_str() == Some("https") {
            // Nobody is to be connected to in vain.
            return Err(ureq::Error::TlsRequired);
        }
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(address) = host.parse::<IpAddr>() else {
            return self.0.resolve(uri, config, timeout);
        };
        let mut found = self.empty();
        found.push(SocketAddr::new(address, uri.port_u16().unwrap_or(80)));
        Ok(found)
    }
}
