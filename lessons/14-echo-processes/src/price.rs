//! What a client costs.

use crate::echo::{PATIENCE, echo};
use crate::service::Service;
use crate::three;
use shared::Stage;
use shared::lines::Client;
use std::net::TcpStream;

/// What does a client cost that gets a process of its own? And one that gets
/// a process that is there already?
pub fn price(stage: &Stage) -> shared::Result {
    const CLIENTS: u32 = 100;
    const LINES: u32 = 2_000;
    let quietly = |client: &TcpStream| _ = echo(client, PATIENCE);
    let visits = |service: &Service| {
        for _ in 0..CLIENTS {
            Client::connect(service.address)?.ask("hello")?;
        }
        Ok(())
    };
    let server = stage.track("server");
    let each = Service::start(&server, quietly)?;
    stage.measure("a client: a process each", CLIENTS, || visits(&each))?;
    each.until_left(CLIENTS as usize);
    let three = three::start(quietly)?;
    stage.measure("a client: three processes", CLIENTS, || visits(&three))?;
    let mut client = Client::connect(three.address)?;
    stage.measure("a line on one connection", LINES, || {
        for _ in 0..LINES {
            client.ask("hello")?;
        }
        Ok(())
    })?;
    Ok(())
}
