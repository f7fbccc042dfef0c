//! What a child costs, and a daemon.

use crate::orphan::wait_for;
use shared::process::Process;
use shared::{Stage, Track};
use std::thread::sleep;
use std::time::Duration;

/// What does a child cost, and what a parent with a daemon, until all is gone?
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 50;
    stage.measure("a child", TIMES, || {
        let child = |_| Ok(Process::spawn(|| 1_u32)?.join()?);
        (0..TIMES).map(child).sum::<shared::Result<u32>>()
    })?;
    let me = stage.track("me");
    stage.measure("a parent and its daemon", TIMES, || {
        (0..TIMES).map(|_| family(&me)).sum::<shared::Result<u32>>()
    })?;
    Ok(())
}

/// Longer than it will live.
const A_MINUTE: Duration = Duration::from_secs(60);

/// One, when the parent has ended well, and its daemon before its time.
fn family(me: &Track) -> shared::Result<u32> {
    let parent = Process::spawn(|| {
        let daemon = Process::builder().daemon(true);
        daemon.spawn(|| sleep(A_MINUTE)).map(|child| child.pid())
    })?;
    let end = wait_for(parent.join()?.cast_signed(), me)?;
    // Killed; or it began too late, and ended as it found no parent.
    Ok(u32::from(end != "exited with code 0"))
}
