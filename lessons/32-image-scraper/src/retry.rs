//! Asking again, when that may help.

use crate::gallery::Gallery;
use crate::picture::path;
use crate::robots::{NAME, Robots};
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
pub struct Visitor<'a> {
    client: AsyncClient,
    gallery: &'a Gallery,
    in_vain: Cell<u32>,
    /// Whether it is to be seen when it waits.
    pub seen: bool,
}

/// Why something is not to be had, and how often it was asked for.
pub struct Refusal {
    pub failure: Failure,
    attempts: u32,
}

impl<'a> Visitor<'a> {
    /// It is sent on to nowhere but where it may go: robots.txt is for the
    /// targets of redirects, too.
    pub fn new(gallery: &'a Gallery, robots: &Robots) -> Self {
        let (start, robots) = (gallery.start.clone(), robots.clone());
        let may_go = move |address: &str| {
            let url = Url::parse(address).ok();
            url.is_some_and(|url| same_host(&url, &start) && robots.allow(&url))
        };
        let client = AsyncClient::guided(gallery.limits, NAME, may_go);
        Self { client, gallery, in_vain: Cell::new(0), seen: true }
    }

    /// What is at `address`. A failure that may pass is waited for, twice as
    /// long each time; and when the site says how long nobody asks.
    pub async fn get(
        &self,
        address: &str,
        track: &Track,
    ) -> Result<Reply, Refusal> {
        let (mut attempts, mut pause) = (0, self.gallery.back_off);
        let mut own = Duration::ZERO;
        loop {
            if let Err(failure) = self.rest(own, track).await {
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
            let told = told_to_wait(&failure);
            let may_pass = told.is_some_and(|told| told <= LONGEST);
            let again = may_pass && attempts < ATTEMPTS;
            if again {
                let seconds = told.unwrap_or_default().as_secs().into();
                track.mark_with("asks again", [("told", seconds)]);
            }
            // Its word holds for all who ask, not for this one alone.
            let kept = self.gallery.quiet.keep(told.unwrap_or_default(), track);
            if kept.is_err() || !again {
                return Err(Refusal { failure, attempts });
            }
            // Not all at the same moment.
            own = pause.mul_f64(track.chosen_between(0.5, 1.5));
            pause *= 2;
        }
    }

    /// Until the site wants to be asked, and for `own` at least.
    async fn rest(&self, own: Duration, track: &Track) -> Result<(), Failure> {
        let not = |why: String| Failure::Other(format!("not asked for, {why}"));
        let mut own = own;
        loop {
            if self.in_vain.get() >= IN_VAIN {
                return Err(not("since the site has fallen silent".to_owned()));
            }
            let left = self.gallery.quiet.left(track);
            let left = left.map_err(|error| not(error.to_string()))?;
            if left > LONGEST {
                let seconds = left.as_secs();
                let why =
                    format!("since the site wants nobody for {seconds} s");
                return Err(not(why));
            }
            let time = own.max(left);
            if time.is_zero() {
                return Ok(());
            }
            let _sleeps = self.seen.then(|| track.begin("sleeps"));
            sleep(time).await;
            own = Duration::ZERO;
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
    match failure {
        Failure::Status { status: 429 | 500..=504, retry_after, .. } => {
            Some(Duration::from_secs(retry_after.unwrap_or(0)))
        }
        Failure::Timeout | Failure::Cut | Failure::Refused => {
            Some(Duration::ZERO)
        }
        _ => None,
    }
}

pub fn same_host(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure.told())?;
        match self.attempts {
            0 | 1 => Ok(()),
            attempts => write!(f, ", asked {attempts} times"),
        }
    }
}
