//! Monkey patch: the same blocking client, made to yield.
//!
//! Eight coroutines share one thread, and each waits for a page. Can they all
//! wait at once?

mod agent;
mod coroutines;
mod price;
mod stack;
mod yielding;

use anyhow::{Context, ensure};
use coroutines::{eight_pages, show};
use shared::lesson::{at_least, equals};
use shared::site::{Plan, Site};
use shared::{Stage, lesson};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

const PAGES: usize = 8;

fn main() -> ExitCode {
    lesson![
        a_socket_that_blocks,
        a_socket_that_yields,
        agent::a_client_that_blocks,
        agent::a_client_that_yields,
        stack::two_stacks,
        price::price;
        coroutines, yielding,
    ]
    .run()
}

/// Eight coroutines on one thread ask for a page each, over the sockets of
/// std. How many of them wait at the same time?
///
/// - [ ] all eight: they are coroutines
/// - [x] one
/// - [ ] seven: all but the one that runs
fn a_socket_that_blocks(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, 1)?;
    let address = site.address();
    let pages = eight_pages(stage, |path| {
        get(std::net::TcpStream::connect(address)?, path, address)
    })?;
    show(stage, &pages);
    let trace = stage.trace()?;
    stage.claim("waiting at once: one", trace.peak("waits"), equals(1));
    let asked = at_once(stage, &site)?;
    stage.claim("requests at the site at once: one", asked, equals(1));
    let pages = trace.extent("waits").div_duration_f64(latency(stage));
    let text = "all took, in times of one page: at least 8";
    stage.claim(text, pages, at_least(8.0));
    Ok(())
}

/// The same function, the same eight coroutines, over the sockets of the crate
/// `may`. How many wait now?
///
/// - [ ] one, as before: it is the same function
/// - [ ] seven: one of them has the thread
/// - [x] all eight
fn a_socket_that_yields(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, PAGES)?;
    let address = site.address();
    eight_pages(stage, |path| {
        get(may::net::TcpStream::connect(address)?, path, address)
    })?;
    let trace = stage.trace()?;
    stage.claim("waiting at once: all", trace.peak("waits"), equals(PAGES));
    let asked = at_once(stage, &site)?;
    stage.claim("requests at the site at once: all", asked, equals(PAGES));
    let threads = trace.threads_of("waits");
    stage.claim("threads that carried them", threads, equals(1));
    Ok(())
}

/// The page at `path`: one question and its answer, over whatever can be
/// written to and read from. It cannot tell which kind of socket it has.
fn get(
    mut socket: impl Read + Write,
    path: &str,
    host: SocketAddr,
) -> shared::Result<String> {
    let question = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    socket.write_all(question.as_bytes())?; // at once: `write!` sends in parts
    let mut answer = String::with_capacity(4096);
    socket.read_to_string(&mut answer)?;
    let parts = answer.split_once("\r\n\r\n");
    let (head, page) = parts.context("there is no page in its answer")?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.0 200 "), "it answers {status}");
    Ok(page.to_owned())
}

/// A site on this machine that takes its time for a page, and answers nobody
/// before so many have asked.
fn slow_site(stage: &Stage, asked: usize) -> shared::Result<Site> {
    let plan = Plan::new().latency(latency(stage)).meet(asked as u64);
    Ok(Site::start(plan)?)
}

/// What it takes for a page, at least.
fn latency(stage: &Stage) -> Duration {
    stage.time(0.3)
}

/// How many requests the site had to answer at once at most.
fn at_once(stage: &Stage, site: &Site) -> shared::Result<usize> {
    let at_once = site.counted()?.at_once;
    stage.track("site").record("requests at once", at_once);
    Ok(at_once)
}
