//! What a page costs when nobody has to wait for it.

use crate::coroutines::{STACK, no_page, on_one_thread};
use crate::{PAGES, get};
use anyhow::Context;
use shared::Stage;
use shared::process::Process;
use shared::site::{Plan, Site};
use std::time::Instant;

/// The site answers at once. What does a page cost over each kind of socket?
pub fn price(stage: &Stage) -> shared::Result {
    let site = Site::start(Plan::new())?;
    let address = site.address();
    measure(stage, "a page, blocking socket", |path| {
        get(std::net::TcpStream::connect(address)?, path, address)
    })?;
    measure(stage, "a page, yielding socket", |path| {
        get(may::net::TcpStream::connect(address)?, path, address)
    })
}

/// What one of many pages costs eight coroutines, without what it costs to
/// make them.
fn measure<G>(stage: &Stage, label: &str, get: G) -> shared::Result
where
    G: Fn(&str) -> shared::Result<String> + Sync + Send,
{
    const EACH: usize = 50;
    let clock = Instant::now();
    let running = Process::spawn(|| {
        on_one_thread(PAGES, STACK, |n| {
            let path = format!("/pages/{}", n + 1);
            let begun = clock.elapsed();
            let lengths = (0..EACH).map(|_| Ok(get(&path)?.len()));
            let bytes = lengths.sum::<shared::Result<usize>>();
            let bytes = bytes.with_context(|| no_page(&path))?;
            Ok((begun, clock.elapsed(), bytes))
        })
    })?;
    let askers = running.join()?;
    let begun = askers.iter().map(|(begun, ..)| *begun).min();
    let ended = askers.iter().map(|(_, ended, _)| *ended).max();
    let all = ended.unwrap_or_default() - begun.unwrap_or_default();
    let bytes: usize = askers.iter().map(|(.., bytes)| bytes).sum();
    let each = all.as_secs_f64() / (PAGES * EACH) as f64;
    stage.figure_of(bytes, label, each)
}
