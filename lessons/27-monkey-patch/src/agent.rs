//! ureq, a client that somebody else wrote, and the socket that it is given.

use crate::coroutines::eight_pages;
use crate::yielding::Yielding;
use crate::{PAGES, at_once, latency, slow_site};
use shared::Stage;
use shared::lesson::equals;
use std::time::Duration;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, TcpConnector};

/// A whole client, ureq, which connects as std does. How many of its eight
/// callers wait at the same time?
///
/// - [x] one
/// - [ ] all eight: a good client lets others run while it waits
/// - [ ] all eight: it has a thread for each request
pub fn a_client_that_blocks(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, 1)?;
    let url = site.url();
    eight_pages(stage, |path| {
        fetch(&agent(stage, TcpConnector::default()), &format!("{url}{path}"))
    })?;
    let peak = stage.trace()?.peak("waits");
    stage.claim("waiting at once: one", peak, equals(1));
    let asked = at_once(stage, &site)?;
    stage.claim("requests at the site at once: one", asked, equals(1));
    Ok(())
}

/// The same client is told to connect as `may` does. How many wait now?
///
/// - [ ] one, as before: its code is the same
/// - [x] all eight
/// - [ ] none: it was not made for that, and fails
pub fn a_client_that_yields(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, PAGES)?;
    let url = site.url();
    eight_pages(stage, |path| {
        fetch(&agent(stage, Yielding), &format!("{url}{path}"))
    })?;
    let trace = stage.trace()?;
    stage.claim("waiting at once: all", trace.peak("waits"), equals(PAGES));
    let asked = at_once(stage, &site)?;
    stage.claim("requests at the site at once: all", asked, equals(PAGES));
    let threads = trace.threads_of("waits");
    stage.claim("threads that carried them", threads, equals(1));
    Ok(())
}

/// A client with this kind of socket.
pub fn agent(stage: &Stage, connector: impl Connector) -> Agent {
    // On a busy machine an answer takes longer than the site does.
    let limit = latency(stage).saturating_add(Duration::from_secs(10));
    // A time limit for the look-up of a name would start a thread for it.
    let config = Config::builder().proxy(None);
    let config = config.timeout_recv_response(Some(limit)).build();
    Agent::with_parts(config, connector, DefaultResolver::default())
}

/// The page at `url`.
pub fn fetch(agent: &Agent, url: &str) -> shared::Result<String> {
    Ok(agent.get(url).call()?.into_body().read_to_string()?)
}
