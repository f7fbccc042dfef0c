//! The same five seats for guests that are processes.

use crate::{GUESTS, SEATS, guests};
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Barrier, Lock, Process, Semaphore};
use std::time::Duration;

/// Five have entered in less time, unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Twenty processes want one of five permits, each with a memory of its own.
/// Where are the permits?
///
/// - [ ] each process has five of its own
/// - [x] in memory that all of them share
/// - [ ] each guest has its own, and gives it to the next one
pub fn five_processes(stage: &Stage) -> shared::Result {
    let seats = Semaphore::new(SEATS)?;
    let (entered, first) = (Lock::new(0)?, Barrier::new(SEATS)?);
    let mut running = Vec::new();
    for guest in guests(stage) {
        let process = Process::spawn(|| {
            let _permit = guest.span("waits", || seats.acquire())?;
            let _inside = guest.begin("inside");
            guest.say("takes a seat");
            if one_more(&entered)? <= SEATS {
                first.wait_timeout(PATIENCE)?; // until five have entered
            }
            guest.pause_between(0.5, 1.5);
            anyhow::Ok(()) // the permit goes back here
        });
        running.push(process?);
    }
    running.into_iter().try_for_each(Process::join)?;
    let host = stage.track("host");
    host.note("free permits", seats.available());
    let trace = stage.trace()?;
    let (peak, served) = (trace.peak("inside"), trace.count("inside"));
    stage.claim("inside at once: five, never more", peak, equals(SEATS));
    stage.claim("inside in the end: all twenty", served, equals(GUESTS));
    let free: usize = host.noted("free permits")?;
    stage.claim("permits in the end: five again", free, equals(SEATS));
    Ok(())
}

/// Counts one more; how many that makes.
fn one_more(count: &Lock<usize>) -> shared::Result<usize> {
    let mut count = count.lock()?;
    *count += 1;
    Ok(*count)
}
