//! What a client costs.

use crate::echo::{PATIENCE, echo};
use crate::service::Service;
use crate::three;
use shared::Stage;
use shared::lines::Client;
use std::io;
use std::net::TcpStream;
use std::time::Instant;

/// What does a client cost that gets a process of its own? And one that gets
/// a process that is there already?
///
/// - [x] more with a process of its own
/// - [ ] the same: what costs is the connection
pub fn price(stage: &Stage) -> shared::Result {
    const CLIENTS: u32 = 20;
    const LINES: u32 = 400;
    let quietly = |client: &TcpStream| _ = echo(client, PATIENCE);
    let server = stage.track("server");
    let each = Service::start(&server, quietly)?;
    let visit = |service: &Service| {
        let mut client = Client::connect(service.address)?;
        client.ask("hello")
    };
    let (answers, seconds) = best(CLIENTS, || visit(&each))?;
    let ended = each.until_left(answers);
    let result = format!("{answers} answers, {ended} processes ended");
    stage.figure_of(result, "a client: a process each", seconds)?;
    let three = three::workers(quietly)?;
    let (answers, seconds) = best(CLIENTS, || visit(&three))?;
    stage.figure_of(answers, "a client: three processes", seconds)?;
    let mut client = Client::connect(three.address)?;
    let (answers, seconds) = best(LINES, || client.ask("hello"))?;
    stage.figure_of(answers, "a line on one connection", seconds)
}

/// Others may hold up some of them, but not all.
const ROUNDS: u32 = 5;

/// How many right answers there were in all rounds of `times`, and how many
/// seconds one of them took in the best round.
fn best(
    times: u32,
    mut ask: impl FnMut() -> io::Result<String>,
) -> shared::Result<(usize, f64)> {
    let (mut answers, mut seconds) = (0, f64::INFINITY);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..times {
            answers += usize::from(ask()? == "HELLO");
        }
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    Ok((answers, seconds / f64::from(times)))
}
