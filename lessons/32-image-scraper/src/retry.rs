//! Asking again, when that may help.

use crate::gallery::Gallery;
use crate::picture::path;
use crate::robots::Robots;
use shared::Track;
use shared::client::{AsyncClient, Failure, Reply};
use std::cell::Cell;
use std::fmt;
use std::time::Duration;
use tokio::time::sleep;
use url::Url;

const ATTEMPTS: u32 = 3;
/// Who says that one is to come again later than that is not waited for.
const LONGEST: Duration = Duration::from_secs(60);
/// After so many questions in a row without any answer, no more are asked.
const IN_VAIN: u32 = 12;

/// Asks the site of a gallery for one thing after the other.
pub struct Visitor {
    client: AsyncClient,
    back_off: Duration,
    in_vain: Cell<u32>,
    /// Whether it is to be seen when it waits.
    pub seen: bool,
}

/// Why something is not to be had, and how often it was asked for.
pub struct Refusal {
    pub failure: Failure,
    attempts: u32,
}

impl Visitor {
    /// It is sent on to nowhere but where it may go: robots.txt is for the
    /// targets of redirects, too.
    pub fn new(gallery: &Gallery, robots: &Robots) -> Self {
        let (start, robots) = (gallery.start.clone(), robots.clone());
        let may_go = move |address: &str| {
            let url = Url::parse(address).ok();
            url.is_some_and(|url| same_host(&url, &start) && robots.allow(&url))
        };
        let client = AsyncClient::guided(gallery.limits, may_go);
        let (back_off, in_vain) = (gallery.back_off, Cell::new(0));
        Self { client, back_off, in_vain, seen: true }
    }

    /// What is at `address`. A failure that may pass is waited for, as long as
    /// the site says, or twice as long each time.
    pub async fn get(
        &self,
        address: &str,
        track: &Track,
    ) -> Result<Reply, Refusal> {
        let (mut attempts, mut pause) = (0, self.back_off);
        loop {
            if self.in_vain.get() >= IN_VAIN {
                let why = "not asked for, since the site has fallen silent";
                let failure = Failure::Other(why.to_owned());
                return Err(Refusal { failure, attempts });
            }
            attempts += 1;
            let args = || [("path", path(address).into())];
            let waits = self.seen.then(|| track.begin_with("waits", args()));
            let reply = self.client.get(address).await;
            drop(waits);
            self.count(&reply);
            let failure = match reply {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let told = match told_to_wait(&failure) {
                Some(told) if attempts < ATTEMPTS => told,
                _ => return Err(Refusal { failure, attempts }),
            };
            let seconds = told.as_secs().into();
            track.mark_with("asks again", [("told", seconds)]);
            let _sleeps = self.seen.then(|| track.begin("sleeps"));
            // Not all at the same moment.
            let own = pause.mul_f64(track.chosen_between(0.5, 1.5));
            sleep(told.max(own)).await;
            pause *= 2;
        }
    }

    fn count(&self, reply: &Result<Reply, Failure>) {
        let nobody = matches!(reply, Err(Failure::Timeout | Failure::Refused));
        self.in_vain.set(if nobody { self.in_vain.get() + 1 } else { 0 });
    }
}

/// How long the site wants one to wait before one asks again; none if that
/// would not help.
fn told_to_wait(failure: &Failure) -> Option<Duration> {
    let told = match failure {
        Failure::Status { status: 429 | 500..=504, retry_after, .. } => {
            Duration::from_secs(retry_after.unwrap_or(0))
        }
        Failure::Timeout | Failure::Cut | Failure::Refused => Duration::ZERO,
        _ => return None,
    };
    (told <= LONGEST).then_some(told)
}

pub fn same_host(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.failure)?;
        if let Failure::Status { retry_after: Some(s), .. } = self.failure {
            write!(f, ", again in {s} s")?;
        }
        match self.attempts {
            0 | 1 => Ok(()),
            attempts => write!(f, ", asked {attempts} times"),
        }
    }
}
