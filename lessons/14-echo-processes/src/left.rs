//! What a client leaves behind.

use crate::echo::attend;
use crate::service::Service;
use shared::lesson::equals;
use shared::lines::Client;
use shared::{Stage, Track};
use std::net::SocketAddr;
use std::{fs, io};

const CLIENTS: usize = 3;

/// Three clients come and go, and the server goes on. What is left of them?
///
/// - [ ] three zombies, until the server ends
/// - [ ] their sockets, until the server ends
/// - [x] no process, and no socket but the one that listens
pub fn nothing_is_left(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let client = stage.track("clients");
    let service = Service::start(&server, |client| attend(client, &child))?;
    let (pid, port) = (service.processes[0].pid(), service.address.port());
    let connected = client.begin("connected");
    let here = three_clients(service.address)?;
    let Ok(before) = Look::at(pid, port) else {
        drop(here);
        service.until_left(CLIENTS);
        stage.cannot_show("what is left", "/proc is not there");
        return Ok(());
    };
    client.pause(1.0);
    drop((here, connected));
    service.until_left(CLIENTS);
    let after = Look::at(pid, port)?;
    client.pause(0.5);
    drop(service);
    let end = Look::at(pid, port)?;
    Look::tell(stage, &server, [&before, &after, &end]);
    let left = after.children + after.zombies;
    stage.claim("children of the server: none", left, equals(0));
    let text = "its sockets: the one that listens";
    stage.claim(text, after.sockets, equals(1));
    stage.claim("without the server: none", end.sockets, equals(0));
    Ok(())
}

/// Each has been answered once, and stays.
fn three_clients(server: SocketAddr) -> io::Result<Vec<Client>> {
    let clients = (0..CLIENTS).map(|_| {
        let mut client = Client::connect(server)?;
        client.ask("hello")?;
        Ok(client)
    });
    clients.collect()
}

/// What the system knows of a server, proc(5).
struct Look {
    children: usize,
    zombies: usize,
    /// The sockets of its port that a process has.
    sockets: usize,
    /// The connections that only the system remembers.
    time_wait: usize,
}

impl Look {
    fn at(server: u32, port: u16) -> io::Result<Self> {
        let (mut children, mut zombies) = (0, 0);
        for entry in fs::read_dir("/proc")? {
            // Most entries are no process, and a process may end meanwhile.
            let stat = fs::read_to_string(entry?.path().join("stat"));
            let stat = stat.unwrap_or_default();
            // pid (command) state parent ...
            let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            let mut rest = rest.split(' ');
            let (state, parent) = (rest.next(), rest.next());
            if parent == Some(server.to_string().as_str()) {
                let dead = state == Some("Z");
                zombies += usize::from(dead);
                children += usize::from(!dead);
            }
        }
        let (mut sockets, mut time_wait) = (0, 0);
        for line in fs::read_to_string("/proc/net/tcp")?.lines().skip(1) {
            let fields: Vec<_> = line.split_whitespace().collect();
            // slot local remote state queues timer retries user timeout inode
            let [_, local, remote, state, _, _, _, _, _, inode, ..] =
                fields[..]
            else {
                continue;
            };
            let port = format!(":{port:04X}");
            sockets += usize::from(local.ends_with(&port) && inode != "0");
            let both = [local, remote];
            let ours = both.iter().any(|end| end.ends_with(&port));
            time_wait += usize::from(ours && state == "06");
        }
        Ok(Self { children, zombies, sockets, time_wait })
    }

    /// Prints and records what was seen at three moments.
    fn tell(stage: &Stage, server: &Track, looks: [&Self; 3]) {
        let moments = ["clients here", "clients gone", "server ended"];
        let rows = moments.into_iter().zip(looks).map(|(moment, look)| {
            let Self { children, zombies, sockets, .. } = look;
            let [a, b, c] =
                [children, zombies, sockets].map(ToString::to_string);
            [moment.to_owned(), a, b, c]
        });
        let header = ["", "its children", "its zombies", "its sockets"];
        stage.table(header, rows);
        let text = "closed, and remembered for a minute (TIME_WAIT)";
        server.note(text, looks[2].time_wait);
        server.record("sockets while three are here", looks[0].sockets);
        server.record("sockets", looks[1].sockets);
        server.record("sockets in the end", looks[2].sockets);
    }
}
