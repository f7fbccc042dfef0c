//! The server that is asked.

use crate::rule::Options;
use shared::Stage;
use shared::client::Limits;
use shared::site::{Plan, Site};
use std::thread;
use std::time::{Duration, Instant};

/// What is asked for at the local site.
const PAGE: &str = "/pages/1";

/// How long one waits for what is to come, however busy this machine is.
const PATIENCE: Duration = Duration::from_secs(20);

/// The local site, or the server that --url names.
pub struct Target {
    site: Option<Site>,
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
    pub fn most_at_once(&self, stage: &Stage) -> shared::Result<Option<usize>> {
        let Some(site) = &self.site else { return Ok(None) };
        let most = site.counted()?.at_once;
        stage.track("server").record("most at once", most);
        Ok(Some(most))
    }
}

/// The local site, and the address of a page. None, said aloud, where another
/// server is named: `what` is only done to one's own.
pub fn own_site(
    stage: &Stage,
    what: &str,
    plan: Plan,
) -> shared::Result<Option<(Site, String)>> {
    let options: &Options = stage.options();
    if options.url.is_some() {
        stage.cannot_show(what, "its server is not ours");
        return Ok(None);
    }
    let site = Site::start(plan)?;
    let url = site.url() + PAGE;
    Ok(Some((site, url)))
}

/// Limits of a request that is to be answered after so long.
pub fn patient(latency: Duration) -> Limits {
    Limits { time: PATIENCE + 2 * latency, ..Limits::default() }
}

/// Waits until the site has had so many requests.
pub fn await_requests(site: &Site, number: usize) -> shared::Result {
    let begin = Instant::now();
    // If they do not come, what is claimed of them will not hold.
    while site.counted()?.requests < number && begin.elapsed() < PATIENCE / 2 {
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
