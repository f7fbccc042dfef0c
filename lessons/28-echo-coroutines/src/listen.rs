//! Serving whoever comes.

use crate::hall::Hall;
use crate::service::Serve;
use crate::{descriptors, serve, tasks};
use anyhow::Context;
use clap::Args;
use shared::lines::PATIENCE;
use shared::{Stage, lines};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

#[derive(Args)]
pub struct Options {
    /// Serve at ADDR, such as 127.0.0.1:4000, until Ctrl-C: try it with nc
    #[arg(long, value_name = "ADDR", value_parser = address)]
    #[arg(conflicts_with_all = ["step", "walk", "runs", "svg", "perfetto"])]
    #[arg(conflicts_with_all = ["no_timeline", "clients"])]
    listen: Option<SocketAddr>,
    /// Serve there by tasks of tokio, not by coroutines of `may`
    #[arg(long, requires = "listen")]
    tokio: bool,
    /// Have N clients at once in the first two steps, 1 to 10000
    #[arg(long, value_name = "N", default_value = "1000")]
    #[arg(value_parser = number, allow_negative_numbers = true)]
    pub clients: usize,
}

impl Options {
    pub fn listens(&self) -> bool {
        self.listen.is_some()
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    let advice = "give an address and a port, such as 127.0.0.1:4000";
    found.ok_or_else(|| advice.to_owned())
}

fn number(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=10_000).contains(n));
    number.ok_or_else(|| "give a whole number from 1 to 10000".to_owned())
}

/// Takes the place of the steps.
pub fn until_control_c(stage: &Stage) -> shared::Result {
    let options = stage.options::<Options>();
    let address = options.listen.context("no address")?;
    let server = stage.track("server");
    let listener = lines::open(address)?;
    let here = listener.local_addr()?;
    server.say(format!("listens on {here}; Ctrl-C ends it"));
    server.say(format!("a client: nc {} {}", here.ip(), here.port()));
    descriptors::for_all();
    let hall = Hall::new(server, PATIENCE)?;
    let serve: Serve = if options.tokio { tasks::serve } else { serve };
    serve(listener, Arc::new(hall))
}
