//! What becomes of the requests of a process that is killed.

use crate::clients::{Crowd, PATIENCE};
use crate::mixture::Mixture;
use crate::server::{Server, answered_once, processes_that_answered, tracks};
use anyhow::ensure;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::lesson::equals;
use shared::process::{Process, Queue};
use shared::{Stage, Track};
use std::net::SocketAddr;

const MIXTURE: Mixture = Mixture { processes: 2, threads: 2, coroutines: 2 };
/// More would mean that they cannot live.
const REPLACEMENTS: usize = 8;

/// Eight requests are in the hands of two processes, and one of those is
/// killed. Who answers which request?
///
/// - [ ] the other one all eight
/// - [ ] the other one its own; the rest is lost
/// - [x] the other one its own; a new one the rest
pub fn one_is_killed(stage: &Stage) -> shared::Result {
    let clients = stage.track("clients");
    let tracks = tracks(stage, MIXTURE);
    let mut server = Server::start(stage, MIXTURE, &tracks)?;
    let (address, replaced) = (server.address, Queue::bounded(REPLACEMENTS)?);
    let asking = Process::spawn(|| ask(address, &clients, &replaced))?;
    keep(&mut server, &asking, &replaced)?;
    asking.join()?;
    drop(server);
    let trace = stage.trace()?;
    let killed = trace.killed("waits");
    stage.claim("requests in the hands of the dead", killed, equals(4));
    let from = trace.find("clients", "kills")?;
    let to = trace.find("clients", "asks again")?;
    let meanwhile = &trace.events()[from..to];
    let others = meanwhile.iter().filter(|event| event.name == "answers");
    stage.claim("the other answers meanwhile", others.count(), equals(8));
    let once = answered_once(&trace);
    stage.claim("answered exactly once: all twelve", once, equals(12));
    let processes = processes_that_answered(&trace);
    stage.claim("by the other and a new one", processes, equals(2));
    Ok(())
}

/// Starts a new process for each that has ended, until the clients are done.
fn keep(
    server: &mut Server,
    clients: &Process<()>,
    replaced: &Queue<u32>,
) -> shared::Result {
    let mut replacements = 0;
    while clients.is_alive() {
        let all = server.processes.iter().chain([clients]);
        let ends = all.filter_map(Process::pidfd);
        let ends = ends.map(|end| PollFd::new(end, PollFlags::POLLIN));
        match poll(&mut ends.collect::<Vec<_>>(), PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        for number in 0..server.processes.len() {
            if server.processes[number].is_alive() {
                continue;
            }
            let how = server.processes[number].wait();
            ensure!(replacements < REPLACEMENTS, "a process {how} once more");
            replacements += 1;
            server.processes[number] = server.fork(number)?;
            replaced.put(&server.processes[number].pid())?;
        }
    }
    Ok(())
}

/// The clients, in a process of their own.
fn ask(
    server: SocketAddr,
    clients: &Track,
    replaced: &Queue<u32>,
) -> shared::Result {
    let mut crowd = Crowd::default();
    crowd.fill(server, MIXTURE.places())?;
    crowd.wait(1..=8)?;
    clients.note("wait", crowd.by_process());
    clients.pause(0.5);
    let victim = crowd.pids()[0];
    clients.say(format!("kills process {victim}"));
    clients.mark("kills");
    kill(Pid::from_raw(victim), Signal::SIGKILL)?;
    let lost = crowd.release();
    clients.note("lost with their connections", lost.as_slice());
    // Those who are still connected go on asking.
    crowd.wait(9..=12)?;
    let new = replaced.get_timeout(PATIENCE)?;
    clients.note("replaced by", new);
    clients.pause(0.5);
    crowd.release();
    clients.mark("asks again");
    let mut again = Crowd::default();
    again.fill(server, lost.len())?;
    again.wait(lost)?;
    clients.pause(0.5);
    again.release();
    Ok(())
}
