//! Many clients, all of them on one thread.

use crate::descriptors;
use crate::listen::Options;
use crate::service::{Serve, Service};
use shared::lesson::{at_most, equals};
use shared::lines::Client;
use shared::{Stage, Track};
use std::io;
use std::net::SocketAddr;

/// As many threads as a hand has fingers.
const HANDFUL: usize = 5;

/// All clients are here at once, and each is answered.
pub fn all_at_once(stage: &Stage, serve: Serve) -> shared::Result {
    let number = stage.options::<Options>().clients;
    if let Some(why) = descriptors::for_clients(number) {
        stage.cannot_show(&format!("{number} clients"), &why);
        return Ok(());
    }
    let clients = stage.track("clients");
    let service = Service::start(stage, "server", serve)?;
    let connected = clients.begin("connected");
    let mut crowd = Crowd::connect(service.address, number)?;
    clients.note("connected", number);
    clients.pause(0.5);
    let answered = clients.span("all ask at once", || crowd.all_ask("hello"));
    clients.note("answered", answered);
    let threads = service.threads();
    if let Ok(threads) = threads {
        clients.note("threads of the server", threads);
    }
    clients.pause(0.5);
    drop((crowd, connected));
    let empty = service.hall.is_empty_soon();
    clients.pause(0.5);
    stage.claim("answered in upper case: all", answered, equals(number));
    let most = most_here(stage)?;
    stage.claim("served at the same time: all", most, equals(number));
    match threads {
        Ok(threads) => {
            let text = "threads of the server: a handful";
            stage.claim(text, threads, at_most(HANDFUL));
        }
        Err(error) => {
            stage.cannot_show("the server's threads", &error.to_string());
        }
    }
    stage.claim("none is left when all have gone", empty, equals(true));
    Ok(())
}

/// How many clients were here at once at most.
fn most_here(stage: &Stage) -> shared::Result<usize> {
    let trace = stage.trace()?;
    let here = trace.events().iter().filter(|event| event.name == "here");
    let here = here.filter_map(|event| event.args["value"].as_u64());
    Ok(here.max().unwrap_or(0) as usize)
}

/// Asks after a moment; whether the answer is right.
pub fn is_answered(track: &Track, client: &mut Client) -> bool {
    track.pause(0.05);
    let answer = track.span("asks", || client.ask("and i?"));
    let answer = answer.unwrap_or_else(|error| error.to_string());
    track.record("answer", answer.as_str());
    answer == "AND I?"
}

/// Clients that stay.
#[derive(Default)]
pub struct Crowd(Vec<Client>);

impl Crowd {
    pub fn connect(server: SocketAddr, number: usize) -> io::Result<Self> {
        let clients = (0..number).map(|_| Client::connect(server));
        Ok(Self(clients.collect::<io::Result<_>>()?))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All send a line, and only then the answers are read. How many of them
    /// were right.
    pub fn all_ask(&mut self, line: &str) -> usize {
        let expected = line.to_uppercase();
        let line = format!("{line}\n");
        let send = |client: &mut Client| client.send(line.as_bytes()).ok();
        let asked =
            self.0.iter_mut().map(|client| send(client).map(|()| client));
        // From the first that is not answered on, nobody waits.
        let asked: Vec<_> = asked.map_while(|client| client).collect();
        let answers = asked.into_iter().map_while(|it| it.answer().ok());
        answers.filter(|answer| *answer == expected).count()
    }
}
