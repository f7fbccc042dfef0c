//! The same five seats for guests that are processes.

use crate::{GUESTS, SEATS, guests};
use shared::Stage;
use shared::lesson::{at_most, equals};
use shared::process::{Process, Semaphore};

/// Twenty processes want one of five permits, each with a memory of its own.
/// Where are the permits?
pub fn five_processes(stage: &Stage) -> shared::Result {
    let seats = Semaphore::new(SEATS)?;
    let mut running = Vec::new();
    for guest in guests(stage) {
        let process = Process::spawn(|| {
            let _permit = guest.span("waits", || seats.acquire())?;
            guest.span("inside", || {
                guest.say("takes a seat");
                guest.pause_between(0.5, 1.5);
            });
            anyhow::Ok(()) // the permit goes back here
        });
        running.push(process?);
    }
    running.into_iter().try_for_each(Process::join)?;
    let host = stage.track("host");
    host.note("free permits", seats.available());
    let trace = stage.trace()?;
    let (peak, served) = (trace.peak("inside"), trace.count("inside"));
    stage.claim("inside at once: never more than five", peak, at_most(SEATS));
    stage.claim("inside in the end: all twenty", served, equals(GUESTS));
    let free: usize = host.noted("free permits")?;
    stage.claim("permits in the end: five again", free, equals(SEATS));
    Ok(())
}
