//! The service that is asked: the local site, or the one of `--url`.

use crate::row::{Place, Row};
use shared::Track;
use shared::client::{Client, Limits};
use std::time::Duration;

/// Where addresses are looked up, by one thread or by many.
pub struct Service {
    pub client: Client,
    /// The address is all that is missing at its end.
    pub base: String,
    /// Where it tells how many it was asked for at once.
    pub stats: Option<String>,
}

impl Service {
    /// What stands at `base`, which may take so long for an answer.
    pub fn at(base: String, limit: Duration) -> Self {
        let limits = Limits { time: limit, bytes: 1 << 16, redirects: 5 };
        Self { client: Client::new(limits), base, stats: None }
    }

    /// Fills the row, whatever comes of it.
    pub fn look_up(&self, row: &mut Row) {
        let reply = self.client.get(&format!("{}{}", self.base, row.address));
        let reply = reply.map_err(|failure| failure.told());
        row.place = reply.and_then(|reply| Place::read(&reply.body));
    }
}

/// Fills the row, and records how long that took and what came of it.
pub fn ask(track: &Track, service: &Service, row: &mut Row) {
    track.span("waits", || service.look_up(row));
    track.mark_with("filled", [("row", row.to_string().into())]);
}
