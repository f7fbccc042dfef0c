//! Echo with processes: one for each client.
//!
//! A client may stay for hours, and the next is at the door already. Who
//! serves it?

mod door;
mod echo;
mod left;
mod limit;
mod listen;
mod odd;
mod price;
mod service;
mod three;

use echo::attend;
use listen::Options;
use service::{Service, serving};
use shared::lesson::equals;
use shared::lines::Client;
use shared::process::{Process, Queue};
use shared::{Stage, Track, lesson};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;

/// The answer to a client that nobody can serve.
const NO_PROCESS: &str = "error: no process is left, come again later\n";

fn main() -> ExitCode {
    lesson![
        a_process_each,
        left::nothing_is_left,
        odd::odd_lines,
        odd::odd_ends,
        limit::process_limit,
        three::three_processes,
        price::price;
        service, echo,
    ]
    .with::<Options>()
    .instead(Options::listens, listen::until_control_c)
    .run()
}

/// Some clients connect, one after the other, and all of them stay. Who
/// answers the last one?
///
/// - [x] a process of its own
/// - [ ] nobody, until one of the others has left
/// - [ ] the one that answers all of them in turn
fn a_process_each(stage: &Stage) -> shared::Result {
    let number = stage.options::<Options>().clients;
    let (server, child) = (stage.track("server"), stage.track("child"));
    let names = (1..=number).map(|n| format!("client {n}"));
    let tracks: Vec<Track> = names.map(|name| stage.track(name)).collect();
    let attend = if number > 10 { echo::unheard } else { attend };
    let service = Service::start(&server, |client| attend(client, &child))?;
    let (mut here, mut answers) = (Vec::new(), 0);
    for (n, track) in tracks.iter().enumerate() {
        let connected = track.begin("connected");
        let mut client = Client::connect(service.address)?;
        let answer = client.ask(&format!("i am {}", track.name()))?;
        echo::heard(track, &answer, n % number.div_ceil(10) == 0);
        answers += usize::from(answer.starts_with("I AM CLIENT "));
        here.push((connected, client));
        track.pause(1.5 / number as f64);
    }
    let serve = serving(&stage.trace()?).len();
    for (track, left) in tracks.iter().zip(here) {
        drop(left);
        track.pause(1.0 / number as f64);
    }
    service.until_left(number);
    stage.claim("answers in upper case: all", answers, equals(number));
    let text = "processes that serve when all are here";
    stage.claim(text, serve, equals(number));
    Ok(())
}

/// A server with a process for each client.
struct Server<'a, F> {
    /// None in a child: it closes its copy, and a file that is owned is
    /// closed by dropping it.
    listener: Option<TcpListener>,
    children: Vec<Process<()>>,
    /// What a child does for its client.
    serve: F,
    /// How many clients there was no process for.
    refused: usize,
    track: &'a Track,
    /// The pids of the children that have ended, for whoever wants to know.
    ended: &'a Queue<u32>,
}

impl<F: Fn(&TcpStream) + Sync> Server<'_, F> {
    fn serve(&mut self) -> shared::Result {
        loop {
            self.turn()?;
        }
    }

    /// Waits until a client comes or a child ends.
    fn turn(&mut self) -> shared::Result {
        door::wait(&self.listener, &self.children)?;
        // To ask whether it lives reaps a child that does not.
        for child in self.children.extract_if(.., |child| !child.is_alive()) {
            let _ = self.ended.try_put(&child.pid());
        }
        let Some(mut client) = door::accept(&self.listener)? else {
            return Ok(());
        };
        let child = Process::spawn(|| {
            // Its copy: while one is open, the port stays taken.
            drop(self.listener.take());
            (self.serve)(&client);
        });
        match child {
            Ok(child) => self.children.push(child),
            Err(error) => {
                self.refused += 1;
                self.track.say(error.to_string());
                let _ = client.write_all(NO_PROCESS.as_bytes());
            }
        }
        drop(client); // its copy: the child keeps its own
        Ok(())
    }
}
