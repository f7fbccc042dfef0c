//! The service that is asked: the local site, or the one of `--url`.

use crate::options::Options;
use crate::place::Place;
use crate::store::{Found, Missing};
use crate::told;
use shared::client::{AsyncClient, Limits};
use shared::site::{Plan, Site};
use shared::{Stage, Track};
use std::net::IpAddr;
use std::time::Duration;

/// Where addresses are looked up; a copy asks the same.
#[derive(Clone)]
pub struct Service {
    client: AsyncClient,
    /// The address is all that is missing at its end.
    base: String,
    /// The local site takes longer for some than for others: for which so many
    /// milliseconds?
    late: Vec<(IpAddr, u128)>,
}

impl Service {
    /// Where that address is; or why nobody knows.
    ///
    /// # Errors
    /// [`Missing`]
    pub async fn look_up(
        &self,
        track: &Track,
        ip: IpAddr,
    ) -> Result<Found, Missing> {
        let open = track.begin("looks up");
        let place = self.ask(ip).await;
        drop(open);
        told::looked_up(track, &place);
        match place {
            Ok(place) => Ok(Found { ip, place }),
            Err(why) => Err(Missing { ip, why }),
        }
    }

    /// The same, without a word.
    ///
    /// # Errors
    /// In a few words, why nobody knows.
    pub async fn ask(&self, ip: IpAddr) -> Result<Place, String> {
        let late = self.late.iter().find(|(late, _)| *late == ip);
        let late = late.map(|(_, ms)| format!("?ms={ms}"));
        let late = late.unwrap_or_default();
        let reply = self.client.get(&format!("{}{ip}{late}", self.base)).await;
        Place::read(&reply.map_err(|failure| failure.told())?.body)
    }
}

/// The local site, which answers to one sooner and to another later, but to
/// nobody until all have asked; or, without a site, the service of `--url`.
/// The site is a process that ends when it is dropped: open it before any
/// thread or runtime.
///
/// # Errors
/// When there is no process or no port to be had.
pub fn late_site(
    stage: &Stage,
    addresses: &[IpAddr],
) -> shared::Result<(Option<Site>, Service)> {
    if let Some(url) = &stage.options::<Options>().url {
        let limit = stage.time(3.0).max(Duration::from_millis(800));
        return Ok((None, service(url.clone(), limit)));
    }
    let all = Plan::new().meet(addresses.len() as u64);
    let (site, mut service) = site(all)?;
    let ms = |n: usize| stage.time(0.3 + 0.1 * (n % 10) as f64).as_millis();
    let late = addresses.iter().enumerate().map(|(n, &ip)| (ip, ms(n)));
    service.late = late.collect();
    Ok((Some(site), service))
}

/// A site of this machine with that plan.
///
/// # Errors
/// When there is no process or no port to be had.
pub fn site(plan: Plan) -> shared::Result<(Site, Service)> {
    let site = Site::start(plan)?;
    // Nothing is to fail by being late, however busy the machine is.
    let patience = Duration::from_secs(20);
    let service = service(site.url() + "/json/", patience);
    Ok((site, service))
}

fn service(base: String, time: Duration) -> Service {
    let limits = Limits { time, bytes: 1 << 16, redirects: 5 };
    Service { client: AsyncClient::new(limits), base, late: Vec::new() }
}
