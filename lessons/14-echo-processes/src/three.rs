//! Three processes for all clients.

use crate::echo::attend;
use crate::service::{ANY_PORT, Service};
use shared::lesson::equals;
use shared::lines::Client;
use shared::process::{Process, Queue};
use shared::{Stage, lines};
use std::collections::BTreeSet;
use std::net::TcpStream;
use std::process;

/// So many processes, made before the first client comes.
const WORKERS: usize = 3;
/// Seconds in which the fourth client could be answered.
const CHANCE: f64 = 1.0;

/// Three processes accept at one door, and four clients come. Who serves the
/// fourth, and when?
///
/// - [ ] nobody: it is refused
/// - [ ] one of the three, beside the client that it has
/// - [x] one of the three, when a client of theirs has left
pub fn three_processes(stage: &Stage) -> shared::Result {
    let worker = stage.track("worker");
    let tracks = [1, 2, 3, 4].map(|n| stage.track(format!("client {n}")));
    let service = workers(|client| attend(client, &worker))?;
    let mut here = Vec::new();
    for track in &tracks[..3] {
        here.push(service.welcome(track)?);
        track.pause(0.3);
    }
    let [_, second, _, fourth] = &tracks;
    let connected = fourth.begin("connected");
    let mut client = Client::connect(service.address)?;
    client.send(b"and i?\n")?;
    let early = fourth
        .span("waits", || client.is_answered_within(stage.time(CHANCE)))?;
    fourth.note("answered while three are here", early);
    let leaves = second.hand_over("leaves");
    drop(here.remove(1));
    fourth.note("answer", client.answer()?);
    fourth.take_over("is served", leaves);
    fourth.pause(0.5);
    drop((here, client, connected));
    service.until_left(tracks.len());
    drop(service);
    let trace = stage.trace()?;
    let begun: Vec<_> = trace.spans_named("serves").map(|s| s.begin).collect();
    let pids = begun.iter().map(|at| trace.events()[*at].pid);
    let pids = pids.collect::<BTreeSet<_>>().len();
    stage.claim("processes that served four clients", pids, equals(3));
    stage.claim("the fourth has to wait", early, equals(false));
    let leaves = trace.find("client 2", "leaves")?;
    let after = begun.last().is_some_and(|at| *at > leaves);
    stage.claim("it is served when one has left", after, equals(true));
    Ok(())
}

/// Processes that accept from one listener, which they have inherited.
pub fn workers(serve: impl Fn(&TcpStream) + Sync) -> shared::Result<Service> {
    let listener = lines::open(ANY_PORT)?;
    let address = listener.local_addr()?;
    let (mut processes, ended) = (Vec::new(), Queue::bounded(1024)?);
    for _ in 0..WORKERS {
        processes.push(Process::spawn(|| {
            // One client after the other. Those who are free sleep in accept,
            // and for each client the system wakes one of them.
            for client in listener.incoming().flatten() {
                serve(&client);
                drop(client);
                let _ = ended.try_put(&process::id());
            }
        })?);
    }
    Ok(Service { address, processes, ended })
}
