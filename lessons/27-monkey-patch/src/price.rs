//! What a page costs when nobody has to wait for it.

use crate::coroutines::{STACK, on_one_thread};
use crate::{PAGES, get};
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
            (0..EACH).try_for_each(|_| get(&path).map(drop))?;
            Ok((begun, clock.elapsed()))
        })
    })?;
    let times = running.join()?;
    let begun = times.iter().map(|(begun, _)| *begun).min();
    let ended = times.iter().map(|(_, ended)| *ended).max();
    let all = ended.unwrap_or_default() - begun.unwrap_or_default();
    stage.figure(label, all.as_secs_f64() / (PAGES * EACH) as f64)
}
