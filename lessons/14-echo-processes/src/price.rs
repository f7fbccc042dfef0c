//! What a client costs.

use crate::echo::{PATIENCE, echo};
use crate::service::Service;
use crate::three;
use shared::Stage;
use shared::lines::Client;
use std::net::TcpStream;
use std::time::Instant;

/// What does a client cost that gets a process of its own? And one that gets
/// a process that is there already?
pub fn price(stage: &Stage) -> shared::Result {
    const CLIENTS: u32 = 20;
    const LINES: u32 = 400;
    let quietly = |client: &TcpStream| _ = echo(client, PATIENCE);
    let visits = |service: &Service| {
        for _ in 0..CLIENTS {
            Client::connect(service.address)?.ask("hello")?;
        }
        Ok(())
    };
    let server = stage.track("server");
    let each = Service::start(&server, quietly)?;
    best(stage, "a client: a process each", CLIENTS, || visits(&each))?;
    each.until_left((ROUNDS * CLIENTS) as usize);
    let three = three::workers(quietly)?;
    best(stage, "a client: three processes", CLIENTS, || visits(&three))?;
    let mut client = Client::connect(three.address)?;
    best(stage, "a line on one connection", LINES, || {
        for _ in 0..LINES {
            client.ask("hello")?;
        }
        Ok(())
    })
}

/// Others may hold up some of them, but not all.
const ROUNDS: u32 = 5;

/// Records how long one of `times` takes in the best round.
fn best(
    stage: &Stage,
    label: &str,
    times: u32,
    mut body: impl FnMut() -> shared::Result,
) -> shared::Result {
    let mut seconds = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        body()?;
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    stage.figure(label, seconds / f64::from(times))
}
