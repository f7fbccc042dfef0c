//! What a client costs, and what a request.

use crate::crowd::Crowd;
use crate::descriptors;
use crate::service::{BOTH, Service};
use anyhow::ensure;
use shared::Stage;
use std::time::Instant;

/// At least so many requests are measured at a time.
const REQUESTS: usize = 300;
/// The best of so many times counts: others use the machine too.
const TRIES: usize = 3;

/// What does a request cost when ten clients are here, a hundred, a thousand?
pub fn a_request(stage: &Stage) -> shared::Result {
    for (name, serve) in BOTH {
        for clients in [10, 100, 1000] {
            if let Some(why) = descriptors::for_clients(clients) {
                stage.cannot_show(&format!("{clients} clients"), &why);
                continue;
            }
            let server = format!("{clients} clients, {name}");
            let service = Service::start(stage, &server, serve)?;
            let mut crowd = Crowd::connect(service.address, clients)?;
            all_ask(&mut crowd, 1)?; // all have been accepted then
            let tries = (0..TRIES).map(|_| cost(&service, &mut crowd));
            let tries: Vec<_> = tries.collect::<shared::Result<_>>()?;
            let best = |one: fn(&Cost) -> f64| {
                tries.iter().map(one).fold(f64::INFINITY, f64::min)
            };
            let answers = tries[0].answers;
            stage.figure_of(answers, &server, best(|it| it.time))?;
            let server = format!("{server}: CPU");
            stage.figure_of(answers, &server, best(|it| it.cpu))?;
            drop(crowd);
            service.hall.is_empty_soon();
        }
    }
    Ok(())
}

/// What a request costs, in seconds.
struct Cost {
    /// So many were measured, and answered.
    answers: usize,
    /// Until its answer is there, divided by how many were under way.
    time: f64,
    /// Those that the server computes.
    cpu: f64,
}

fn cost(service: &Service, crowd: &mut Crowd) -> shared::Result<Cost> {
    let (start, before) = (Instant::now(), service.cpu()?);
    let answers = all_ask(crowd, REQUESTS.div_ceil(crowd.len()))?;
    let time = start.elapsed().as_secs_f64() / answers as f64;
    let cpu = (service.cpu()? - before) / answers as f64;
    Ok(Cost { answers, time, cpu })
}

/// How many answers there are: one to each, each time.
fn all_ask(crowd: &mut Crowd, times: usize) -> shared::Result<usize> {
    for _ in 0..times {
        let answered = crowd.all_ask("hello");
        let clients = crowd.len();
        ensure!(
            answered == clients,
            "cannot measure a request; run the lesson again: {answered} of \
             {clients} clients were answered"
        );
    }
    Ok(times * crowd.len())
}

/// A thousand clients come and stay. What does each of them cost, in time
/// until it has its first answer, and in memory of the server?
pub fn a_client(stage: &Stage) -> shared::Result {
    if let Some(why) = descriptors::for_clients(1000) {
        stage.cannot_show("1000 clients", &why);
        return Ok(());
    }
    let mut rows = Vec::new();
    for (name, serve) in BOTH {
        let service = Service::start(stage, name, serve)?;
        all_ask(&mut Crowd::connect(service.address, 1)?, 1)?; // it is ready
        service.hall.is_empty_soon();
        let before = service.memory();
        let mut crowd = Crowd::default();
        stage.measure(&format!("a new client, {name}"), 1000, || {
            crowd = Crowd::connect(service.address, 1000)?;
            all_ask(&mut crowd, 1)
        })?;
        let after = service.memory();
        let each = before.zip(after).map(|(b, a)| a.saturating_sub(b) / 1000);
        let each = each.map_or("?".to_owned(), |kib| kib.to_string());
        rows.push([name.to_owned(), each]);
        drop(crowd);
        service.hall.is_empty_soon();
    }
    stage.table(["server", "KiB a client"], rows);
    Ok(())
}
