//! What it costs to be blocked, and to be looked at.

use crate::task::Task;
use shared::Stage;
use std::io::{self, Read, Write, pipe};
use std::thread;

const TIMES: u32 = 2_000;

/// What does it cost to be blocked and woken, and what to look at a state?
pub fn price(stage: &Stage) -> shared::Result {
    stage.measure("blocked and woken", 2 * TIMES, || Ok(there_and_back()?))?;
    let task = Task::current();
    stage.measure("a look at a state", TIMES, || {
        let states = (0..TIMES).map(|_| task.state());
        Ok(states.filter(|state| *state == 'R').count())
    })?;
    Ok(())
}

/// Sends a byte to another thread, which sends it back, many times. The sum of
/// what came back.
fn there_and_back() -> io::Result<u32> {
    let (mut ping_ear, mut ping) = pipe()?;
    let (mut pong_ear, mut pong) = pipe()?;
    thread::scope(move |scope| {
        scope.spawn(move || {
            (0..TIMES).try_for_each(|_| {
                let mut byte = [0];
                ping_ear.read_exact(&mut byte)?;
                pong.write_all(&byte)
            })
        });
        (0..TIMES).try_fold(0, |sum, _| {
            let mut byte = [0];
            ping.write_all(b"!")?;
            pong_ear.read_exact(&mut byte)?;
            Ok(sum + u32::from(byte[0]))
        })
    })
}
