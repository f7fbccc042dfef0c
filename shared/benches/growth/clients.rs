//! More clients of one server.

use crate::curve::{Curve, Kind};
use crate::family::{Family, View};
use crate::reading::{Reading, ends_with_parent, serving_peer};
use crate::server;
use crate::unit::Unit;
use anyhow::Result;
use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit};
use shared::lines::{self, Client};
use shared::process::Process;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Instant;

const LINE: &str = "what you say comes back to you";
/// So many requests in all, and at least two from each.
const REQUESTS: u64 = 5000;
/// Descriptors for what there is besides the clients.
const OTHERS: u64 = 64;

pub fn family() -> Family {
    let work: fn(u64) -> u64 = |clients| clients * rounds(clients);
    let mut curves = vec![
        Curve::new(
            "process each",
            Kind::Ours,
            |n| rust(server::processes, n),
            work,
        ),
        Curve::new(
            "thread each",
            Kind::Other,
            |n| rust(server::threads, n),
            work,
        ),
        Curve::new("may", Kind::Other, |n| rust(server::coroutines, n), work),
        Curve::new("tokio", Kind::Other, |n| rust(server::tasks, n), work),
        Curve::new("epoll", Kind::Limit, |n| rust(server::epoll, n), work),
        Curve::new("gevent", Kind::Python, |n| python("serve_gevent", n), work),
        Curve::new(
            "asyncio",
            Kind::Python,
            |n| python("serve_asyncio", n),
            work,
        ),
    ];
    for curve in &mut curves {
        curve.refuses = no_descriptors;
    }
    Family {
        name: "clients",
        counted: "clients",
        about: format!(
            "Servers on this machine that send back a line of {} bytes. All \
             clients are one process with one thread, the same for all servers, \
             Python's too: all send, then all answers are read, again and \
             again. What is connected is connected before. The limit is a loop \
             around epoll(7) in one thread.",
            LINE.len() + 1
        ),
        points: &[1, 3, 10, 30, 100, 300, 1000],
        few: &[1, 100],
        views: vec![View {
            name: "clients",
            title: "Answers of a server with more clients",
            axis: "requests a second",
            unit: Unit::PerSecond,
            bound: None,
        }],
        curves,
    }
}

fn rounds(clients: u64) -> u64 {
    (REQUESTS / clients).max(2)
}

fn no_descriptors(clients: u64) -> Option<String> {
    let (soft, _) = getrlimit(RLIMIT_NOFILE).ok()?;
    let needed = clients + OTHERS;
    (needed > soft).then(|| {
        format!(
            "it needs {needed} descriptors, and a process may have {soft} \
             (`ulimit -n`)"
        )
    })
}

/// The server is a process of its own: threads and runtimes start there.
fn rust(serve: fn(TcpListener) -> Result<()>, clients: u64) -> Result<Reading> {
    let listener = lines::open((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = listener.local_addr()?;
    let server = Process::spawn(move || {
        ends_with_parent();
        serve(listener)
    })?;
    let reading = ask(address, clients);
    server.kill()?;
    server.wait();
    reading
}

fn python(task: &str, clients: u64) -> Result<Reading> {
    let (mut server, port) = serving_peer(task)?;
    let reading = ask((Ipv4Addr::LOCALHOST, port).into(), clients);
    server.kill()?;
    server.wait()?;
    reading
}

/// All clients ask, again and again.
fn ask(address: SocketAddr, clients: u64) -> Result<Reading> {
    let crowd = (0..clients).map(|_| Client::connect(address));
    let mut crowd = crowd.collect::<std::io::Result<Vec<_>>>()?;
    all_ask(&mut crowd)?; // the server knows them all then
    let (rounds, mut right) = (rounds(clients), 0);
    let began = Instant::now();
    for _ in 0..rounds {
        right += all_ask(&mut crowd)?;
    }
    let requests = (clients * rounds) as f64;
    let rate = requests / began.elapsed().as_secs_f64();
    Ok(Reading::new(rate, right))
}

/// How many were answered as they should be.
fn all_ask(crowd: &mut [Client]) -> std::io::Result<u64> {
    let line = format!("{LINE}\n");
    for client in &mut *crowd {
        client.send(line.as_bytes())?;
    }
    let answers = crowd.iter_mut().map(Client::answer);
    answers.map(|answer| Ok(u64::from(answer? == LINE))).sum()
}
