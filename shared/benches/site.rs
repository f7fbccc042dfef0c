//! How long a thousand simultaneous requests of 0.3 s take at the local site.
//! Its answers overlap: the least it can take is 0.3 s.

use anyhow::{Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use shared::site::{Plan, Site};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const REQUESTS: usize = 1000;
const LATENCY: Duration = Duration::from_millis(300);

fn main() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let site = Site::start(Plan::new().latency(LATENCY))?;
    let mut times = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        burst(&site)?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let [least, .., most] = times[..] else { unreachable!("five were taken") };
    let median = times[times.len() / 2];
    println!(
        "site: {REQUESTS} requests of {LATENCY:?} at once: median {median:.0?}, {least:.0?} to {most:.0?}"
    );
    Ok(())
}

/// Sends all requests, then reads all answers.
fn burst(site: &Site) -> Result<()> {
    let mut sockets = Vec::with_capacity(REQUESTS);
    for n in 0..REQUESTS {
        let mut socket = TcpStream::connect(site.address())?;
        write!(socket, "GET /json/8.8.4.{} HTTP/1.0\r\n\r\n", n % 256)?;
        sockets.push(socket);
    }
    for mut socket in sockets {
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        ensure!(answer.contains("\"success\""), "not answered: {answer}");
    }
    Ok(())
}
