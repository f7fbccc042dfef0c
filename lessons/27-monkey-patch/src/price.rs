//! What a page costs when nobody has to wait for it.

use crate::coroutines::{STACK, on_one_thread};
use crate::{PAGES, get};
use shared::Stage;
use shared::process::Process;
use shared::site::{Plan, Site};

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

/// What one of many pages costs eight coroutines.
fn measure<G>(stage: &Stage, label: &str, get: G) -> shared::Result
where
    G: Fn(&str) -> shared::Result<String> + Sync + Send,
{
    const EACH: usize = 50;
    stage.measure(label, (PAGES * EACH) as u32, || {
        let running = Process::spawn(|| {
            on_one_thread(PAGES, STACK, |n| {
                let path = format!("/pages/{}", n + 1);
                (0..EACH).map(|_| get(&path)).collect()
            })
        })?;
        running.join()?;
        Ok(())
    })?;
    Ok(())
}
