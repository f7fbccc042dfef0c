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
use coroutines::eight_pages;
use shared::lesson::{at_most, equals};
use shared::site::{Plan, Site};
use shared::{Stage, lesson};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

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
fn a_socket_that_blocks(stage: &Stage) -> shared::Result {
    let site = slow_site(stage)?;
    let address = site.address();
    eight_pages(stage, |path| {
        get(std::net::TcpStream::connect(address)?, path, address)
    })?;
    let trace = stage.trace()?;
    let peak = trace.peak("waits for a page");
    stage.claim("that wait at once: one", peak, equals(1));
    let asked: u64 = at_once(&site)?;
    stage.claim("requests at the site at once: one", asked, equals(1));
    Ok(())
}

/// The same function, the same eight coroutines, over the sockets of may.
/// How many wait now?
fn a_socket_that_yields(stage: &Stage) -> shared::Result {
    let site = slow_site(stage)?;
    let address = site.address();
    eight_pages(stage, |path| {
        get(may::net::TcpStream::connect(address)?, path, address)
    })?;
    let trace = stage.trace()?;
    let peak = trace.peak("waits for a page");
    stage.claim("that wait at once: all eight", peak, equals(PAGES));
    let threads = trace.threads_of("waits for a page");
    stage.claim("threads that carried them", threads, equals(1));
    let (all, sum) =
        (trace.extent("waits for a page"), trace.total("waits for a page"));
    let parts = all.div_duration_f64(sum);
    stage.claim("all the time, of the sum of the waits", parts, at_most(0.5));
    Ok(())
}

/// The page at `path`: one question and its answer, over whatever can be
/// written to and read from. It cannot tell which kind of socket it has.
fn get(
    mut socket: impl Read + Write,
    path: &str,
    host: SocketAddr,
) -> shared::Result<String> {
    write!(socket, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let parts = answer.split_once("\r\n\r\n");
    let (head, page) = parts.with_context(|| format!("{path}: no page"))?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.0 200 "), "{path}: {status}");
    Ok(page.to_owned())
}

/// A site on this machine that takes its time for a page.
fn slow_site(stage: &Stage) -> shared::Result<Site> {
    Ok(Site::start(Plan::new().latency(stage.time(0.3)))?)
}

/// How many requests the site had to answer at once at most.
fn at_once(site: &Site) -> shared::Result<u64> {
    let socket = std::net::TcpStream::connect(site.address())?;
    let stats = get(socket, "/stats", site.address())?;
    let stats: serde_json::Value = serde_json::from_str(&stats)?;
    stats["in_flight_peak"].as_u64().context("the site counts")
}
