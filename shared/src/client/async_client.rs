//! The client with limits for coroutines of tokio.

use super::client::{Limits, Reply};
use super::failure::Failure;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::{Attempt, Policy};
use std::error::Error;
use std::io;
use tokio::time::timeout;

/// A client for `http://` that gives its thread away while it waits. Like
/// [`Client`](super::Client) it goes through no proxy, keeps connections for
/// the next question, and starts no thread for an address in numbers. Make it
/// in the process that uses it. A copy shares the connections.
#[derive(Clone, Debug)]
pub struct AsyncClient {
    agent: reqwest::Client,
    limits: Limits,
}

impl AsyncClient {
    /// A client that takes no more than that.
    ///
    /// # Panics
    /// If the system gives no random numbers.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::of(reqwest::Client::builder(), limits, |_| true)
    }

    /// The same with a name, which each request tells (User-Agent); and when a
    /// server sends it on, it goes only where `may_go` says yes to the address.
    ///
    /// # Panics
    /// Like [`AsyncClient::new`]; and for a name that no header can have.
    #[must_use]
    pub fn guided(
        limits: Limits,
        name: &str,
        may_go: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::of(reqwest::Client::builder().user_agent(name), limits, may_go)
    }

    fn of(
        builder: reqwest::ClientBuilder,
        limits: Limits,
        may_go: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let redirects = limits.redirects as usize;
        let agent = builder
            .no_proxy()
            .redirect(Policy::custom(move |attempt| {
                sent_on(attempt, redirects, &may_go)
            }))
            .build();
        Self { agent: agent.expect("it is of parts that fit"), limits }
    }

    /// What is to be had at `url`. In a runtime of tokio that has its timers
    /// and its sockets enabled.
    ///
    /// # Errors
    /// [`Failure`], also for an answer that is not 2xx.
    pub async fn get(&self, url: &str) -> Result<Reply, Failure> {
        let parsed = reqwest::Url::parse(url).ok();
        let parsed = parsed.filter(|parsed| parsed.scheme() == "http");
        let Some(parsed) = parsed else {
            return Err(Failure::Url(url.to_owned()));
        };
        let answer = timeout(self.limits.time, self.answer(parsed)).await;
        answer.unwrap_or(Err(Failure::Timeout))
    }

    async fn answer(&self, url: reqwest::Url) -> Result<Reply, Failure> {
        let mut answer = self.agent.get(url).send().await.map_err(failure)?;
        let header = |name| answer.headers().get(name)?.to_str().ok();
        if !answer.status().is_success() {
            let wait = header(RETRY_AFTER);
            return Err(Failure::status(answer.status(), wait));
        }
        let kind = header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let url = answer.url().to_string();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failure)? {
            if (body.len() + chunk.len()) as u64 > self.limits.bytes {
                return Err(Failure::TooLarge(self.limits.bytes));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { url, kind, body })
    }
}

/// Whether to go where the server sends the client.
fn sent_on(
    attempt: Attempt,
    limit: usize,
    may_go: &impl Fn(&str) -> bool,
) -> reqwest::redirect::Action {
    if attempt.url().scheme() != "http" {
        // Nobody is to be connected to in vain.
        return attempt.error(Failure::Https);
    }
    if !may_go(attempt.url().as_str()) {
        let astray = Failure::Astray(attempt.url().to_string());
        return attempt.error(astray);
    }
    match attempt.previous().len() > limit {
        true => attempt.error(Failure::Redirects),
        false => attempt.follow(),
    }
}

/// The innermost error that says what it was.
fn failure(error: reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Failure::of_system(error);
        }
        if error.to_string() == "dns error" {
            return Failure::Host;
        }
        cause = error.source();
    }
    // What came over a connection that was there, and ended in no error of
    // the system's, was no whole answer.
    match error.is_builder() || error.is_connect() {
        true => Failure::Other(error.without_url().to_string()),
        false => Failure::Cut,
    }
}
