//! One question to a site and its answer, in both ways.

use anyhow::{Context, ensure};
use shared::site::{Plan, Site};
use shared::{Stage, Track};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Longer than the site takes for any page.
const PATIENCE: Duration = Duration::from_secs(10);

/// The page at `path`. Who calls this waits on the line.
pub fn page_on_the_line(
    site: SocketAddr,
    path: &str,
) -> shared::Result<String> {
    let mut socket = std::net::TcpStream::connect(site)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(question(path).as_bytes())?;
    let mut answer = String::new();
    let read = socket.read_to_string(&mut answer);
    read.with_context(|| format!("{path}: no answer"))?;
    page_in(&answer, path)
}

/// The same. Who awaits this is called back: each `await` gives the thread
/// away until there is something to go on with.
pub async fn page_called_back(
    site: SocketAddr,
    path: &str,
) -> shared::Result<String> {
    let mut socket = tokio::net::TcpStream::connect(site).await?;
    socket.write_all(question(path).as_bytes()).await?;
    let mut answer = String::new();
    let read = timeout(PATIENCE, socket.read_to_string(&mut answer)).await;
    read.with_context(|| format!("{path}: no answer"))??;
    page_in(&answer, path)
}

fn question(path: &str) -> String {
    format!("GET {path} HTTP/1.0\r\n\r\n")
}

/// The page in an answer, if it is one.
fn page_in(answer: &str, path: &str) -> shared::Result<String> {
    let parts = answer.split_once("\r\n\r\n");
    let (head, page) = parts.with_context(|| format!("{path}: no page"))?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.0 200 "), "{path}: {status}");
    Ok(page.to_owned())
}

/// Asks for the page that the request is named after, and records from when
/// to when it was on its way, as `how`.
pub async fn ask(
    site: SocketAddr,
    request: &Track,
    how: &str,
) -> shared::Result<String> {
    let _until_it_is_answered = request.begin(how);
    page_called_back(site, request.name()).await
}

/// A site on this machine that takes its time for a page.
pub fn slow_site(stage: &Stage, seconds: f64) -> shared::Result<Site> {
    Ok(Site::start(Plan::new().latency(stage.time(seconds)))?)
}
