//! Serving whoever comes.

use crate::{Server, attend};
use anyhow::Context;
use clap::Args;
use shared::process::Queue;
use shared::{Stage, lines};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};

#[derive(Args)]
pub struct Options {
    /// Serve at ADDR, such as 127.0.0.1:4000, until Ctrl-C: try it with nc
    #[arg(long, value_name = "ADDR", value_parser = address)]
    #[arg(conflicts_with_all = ["step", "walk", "runs", "no_timeline"])]
    #[arg(conflicts_with_all = ["svg", "perfetto", "clients"])]
    listen: Option<SocketAddr>,
    /// Have N clients in a_process_each, 1 to 400
    #[arg(long, value_name = "N", default_value = "5")]
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
    let number = text.parse().ok().filter(|n| (1..=400).contains(n));
    number.ok_or_else(|| "give a whole number from 1 to 400".to_owned())
}

/// Takes the place of the steps.
pub fn until_control_c(stage: &Stage) -> shared::Result {
    let address = stage.options::<Options>().listen.context("no address")?;
    let (server, child) = (stage.track("server"), stage.track("child"));
    let listener = lines::open(address)?;
    let here = listener.local_addr()?;
    server.say(format!("listens on {here}; Ctrl-C ends it"));
    server.say(format!("a client: nc {} {}", here.ip(), here.port()));
    let ended = Queue::bounded(1)?;
    let serve = |client: &TcpStream| attend(client, &child);
    Server::new(listener, &server, serve, &ended)?.serve()
}
