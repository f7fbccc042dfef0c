//! Ctrl-C in the middle of the work.

use crate::crew::{Crew, Desk, MOMENT};
use crate::list::List;
use crate::{fetch_all, join};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use shared::lesson::equals;
use shared::process::{self, Event, Process};
use shared::site::{Fault, PAGES, Site};
use shared::{Stage, Track};
use std::process::exit;
use std::time::Instant;

/// So many pages come; then the site falls silent.
const COME: usize = 4;

/// A program has fetched a few pages; then the site falls silent, and somebody
/// sends SIGINT, as Ctrl-C does. What becomes of the pages that it has?
///
/// - [x] they are shown, and the program ends by SIGINT
/// - [ ] they are lost: SIGINT ends the program at once
/// - [ ] they are shown when the others have come, too
pub fn interrupted(stage: &Stage) -> shared::Result {
    let (_site, list) = falls_silent(stage)?;
    if !list.ours || list.addresses.len() <= COME {
        let why = "for that it takes the local site, and some more pages";
        stage.cannot_show("Ctrl-C in the middle", why);
        return Ok(());
    }
    let (somebody, program) = (stage.track("somebody"), stage.track("program"));
    let (worker, some_done) = (stage.track("worker"), Event::new()?);
    let running = Process::builder()
        .name("the program")
        .spawn(|| works(&list, &program, &worker, &some_done))?;
    // Whoever really presses Ctrl-C now means the program, too.
    let pressed = Interrupt::hold()?;
    pressed.pass_on_until(&running, || some_done.is_set())?;
    let later = Instant::now() + stage.time(1.0);
    pressed.pass_on_until(&running, || Instant::now() >= later)?;
    somebody.say("sends SIGINT to the program, as Ctrl-C does");
    running.send(process::Signal::INT)?;
    let status = running.wait();
    if status.signal().is_none() {
        running.join()?; // says why
    }
    stage.claim(
        "ended by",
        status.signal().map(|signal| signal.to_string()).as_deref(),
        equals(Some("SIGINT")),
    );
    let trace = stage.trace()?;
    let told: usize = trace.noted("program", "done so far")?;
    let done = trace.count("done");
    stage.claim("told: the pages that were done", told, equals(done));
    let left: usize = trace.noted("program", "not done")?;
    let others = list.addresses.len() - COME;
    stage.claim("not done: the others", left, equals(others));
    Ok(())
}

/// The list of a site that gives a few pages and no more.
fn falls_silent(stage: &Stage) -> shared::Result<(Option<Site>, List<'_>)> {
    let later = COME + 1..=PAGES;
    List::read(stage, later.map(|n| (format!("/pages/{n}"), Fault::Silent)))
}

/// The program: the pages that never come are put when the others are done.
fn works(
    list: &List,
    program: &Track,
    worker: &Track,
    some_done: &Event,
) -> shared::Result {
    let (come, never) = list.addresses.split_at(COME);
    let desk = Desk::new(list)?;
    come.iter().try_for_each(|page| desk.pages.put(page))?;
    let mut crew = Crew::start(list.workers, program, &desk, || {
        fetch_all(worker, "fetches", &desk)
    })?;
    join(&mut crew)?;
    some_done.set();
    never.iter().try_for_each(|page| desk.pages.put(page))?;
    program.span("waits", || join(&mut crew))?;
    crew.dismiss()
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

    /// Waits until all is ready or `program` has ended. If Ctrl-C is pressed
    /// meanwhile, the program is told, and this process ends after it.
    fn pass_on_until(
        &self,
        program: &Process<()>,
        ready: impl Fn() -> bool,
    ) -> shared::Result {
        loop {
            let over = program.join_timeout(MOMENT).is_some() || ready();
            if self.was_pressed()? {
                // A terminal may have told it already; twice does no harm.
                program.send(process::Signal::INT)?;
                program.wait();
                self.obey()
            }
            if over {
                return Ok(());
            }
        }
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
