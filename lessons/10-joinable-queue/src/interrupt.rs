//! Ctrl-C in the middle of the work.

use crate::crew::{Crew, Desk, MOMENT};
use crate::list::List;
use crate::{fetch_all, join};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use shared::Stage;
use shared::lesson::equals;
use shared::process::{self, Event, Process};
use shared::site::{Fault, PAGES};
use std::process::exit;

/// So many pages come; then the site falls silent.
const COME: usize = 4;

/// A program has fetched a few pages; then the site falls silent, and somebody
/// presses Ctrl-C. What becomes of the pages that it has?
pub fn interrupted(stage: &Stage) -> shared::Result {
    let later = COME + 1..=PAGES;
    let silent = later.map(|n| (format!("/pages/{n}"), Fault::Silent));
    let (_site, list) = List::read(stage, silent)?;
    if !list.ours || list.addresses.len() <= COME {
        let why = "for that it takes the local site, and some more pages";
        stage.cannot_show("Ctrl-C in the middle", why);
        return Ok(());
    }
    let (somebody, program) = (stage.track("somebody"), stage.track("program"));
    let (worker, some_done) = (stage.track("worker"), Event::new()?);
    let (come, never) = list.addresses.split_at(COME);
    let running = Process::builder().name("the program").spawn(|| {
        let desk = Desk::new(&list)?;
        for address in come {
            desk.pages.put(address)?;
        }
        let mut crew = Crew::start(list.workers, &program, &desk, || {
            fetch_all(&worker, "fetches", &desk)
        })?;
        join(&mut crew)?;
        some_done.set();
        for address in never {
            desk.pages.put(address)?;
        }
        program.span("waits", || join(&mut crew))?;
        crew.dismiss()
    })?;
    while !some_done.wait_timeout(MOMENT) && running.is_alive() {}
    somebody.pause(1.0);
    somebody.say("presses Ctrl-C");
    running.send(process::Signal::INT)?;
    let status = running.wait();
    if status.signal().is_none() {
        running.join()?; // says why
    }
    let trace = stage.trace()?;
    let signal = status.signal().map(|signal| signal.to_string());
    stage.claim("ended by", signal.as_deref(), equals(Some("SIGINT")));
    let told: usize = trace.noted("program", "done so far")?;
    let done = trace.count("done");
    stage.claim("told: the pages that were done", told, equals(done));
    let left: usize = trace.noted("program", "not done")?;
    stage.claim("not done: the others", left, equals(never.len()));
    Ok(())
}

/// Keeps Ctrl-C waiting from when it is made until it is dropped. Children
/// that are started meanwhile never hear of it.
pub struct Interrupt {
    signals: SignalFd,
    before: SigSet,
}

impl Interrupt {
    pub fn hold() -> shared::Result<Self> {
        let held = SigSet::from(Signal::SIGINT);
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&held, flags)?;
        let before = SigSet::thread_get_mask()?;
        held.thread_block()?;
        Ok(Self { signals, before })
    }

    /// Whether it was pressed. Asks only once.
    pub fn was_pressed(&self) -> shared::Result<bool> {
        Ok(self.signals.read_signal()?.is_some())
    }

    /// Ends this process by the signal.
    pub fn obey(&self) -> ! {
        // Whatever else waits here is the same wish.
        let _ = self.before.thread_set_mask();
        let _ = raise(Signal::SIGINT);
        exit(128 + Signal::SIGINT as i32)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        // A mask that was in force is not refused.
        let _ = self.before.thread_set_mask();
    }
}
