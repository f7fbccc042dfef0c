//! What it costs.

use crate::orphan::wait_for;
use shared::process::Process;
use shared::{Stage, Track};
use std::thread::sleep;
use std::time::Duration;

/// What does a child cost, and what a parent with a daemon, until all is gone?
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 50;
    stage.measure("a child", TIMES, || {
        (0..TIMES).try_for_each(|_| Ok(Process::spawn(|| ())?.join()?))
    })?;
    let me = stage.track("me");
    stage.measure("a parent and its daemon", TIMES, || {
        (0..TIMES).try_for_each(|_| family(&me))
    })?;
    Ok(())
}

/// Longer than it will live.
const A_MINUTE: Duration = Duration::from_secs(60);

fn family(me: &Track) -> shared::Result {
    let parent = Process::spawn(|| {
        let daemon = Process::builder().daemon(true);
        daemon.spawn(|| sleep(A_MINUTE)).map(|child| child.pid())
    })?;
    wait_for(parent.join()?.cast_signed(), me)?;
    Ok(())
}
