//! The workers, and the two queues between them and their parent.

use crate::interrupt::Interrupt;
use crate::list::List;
use crate::page::Visit;
use anyhow::{Context, bail};
use shared::Track;
use shared::process::{Barrier, JoinableQueue, Process, Queue};
use std::iter::from_fn;
use std::time::Duration;

/// How long the parent waits before it looks whether all is well.
pub const MOMENT: Duration = Duration::from_millis(50);
/// Workers stand ready in less time, unless something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What did not happen in that time, and what to do.
pub fn too_late(what: &str) -> String {
    let seconds = PATIENCE.as_secs();
    format!("{what} within {seconds} s; end other programs and run it again")
}

/// The queues. Both have room for everything, so that nobody who puts has to
/// wait for somebody who may be dead.
pub struct Desk<'a> {
    pub list: &'a List<'a>,
    pub pages: JoinableQueue<String>,
    pub results: Queue<Visit>,
}

impl<'a> Desk<'a> {
    pub fn new(list: &'a List<'a>) -> shared::Result<Self> {
        let room = list.addresses.len();
        let pages = JoinableQueue::bounded(room)?;
        Ok(Self { list, pages, results: Queue::bounded(room)? })
    }

    /// The same with all pages in it.
    pub fn filled(list: &'a List<'a>) -> shared::Result<Self> {
        let desk = Self::new(list)?;
        list.addresses.iter().try_for_each(|page| desk.pages.put(page))?;
        Ok(desk)
    }

    /// What the workers have put and nobody has taken yet.
    pub fn visits(&self) -> Vec<Visit> {
        from_fn(|| self.results.try_get().ok()).collect()
    }
}

/// Workers: daemons, which end with their parent.
pub struct Crew<'a> {
    pub desk: &'a Desk<'a>,
    parent: &'a Track,
    workers: Vec<Process<()>>,
    interrupt: Interrupt,
}

impl<'a> Crew<'a> {
    /// Starts so many workers, which begin when all are there.
    pub fn start(
        number: usize,
        parent: &'a Track,
        desk: &'a Desk<'a>,
        work: impl Fn() -> shared::Result + Sync,
    ) -> shared::Result<Self> {
        // The workers leave Ctrl-C to their parent too.
        let interrupt = Interrupt::hold()?;
        let all_here = Barrier::new(number + 1)?;
        let mut workers = Vec::new();
        for n in 1..=number {
            let worker = Process::builder().name(format!("worker {n}"));
            workers.push(worker.daemon(true).spawn(|| {
                all_here.wait_timeout(PATIENCE)?;
                work()
            })?);
        }
        let all_began = all_here.wait_timeout(PATIENCE);
        all_began.with_context(|| too_late("not every worker began"))?;
        Ok(Self { desk, parent, workers, interrupt })
    }

    /// Sends the workers home when all is done.
    pub fn dismiss(self) -> shared::Result {
        self.until_all_ended()?;
        self.workers.into_iter().try_for_each(Process::join)?;
        Ok(())
    }

    /// Closes the queue: whoever lives does what is left in it, and ends.
    pub fn until_all_ended(&self) -> shared::Result {
        self.desk.pages.close();
        for worker in &self.workers {
            while worker.join_timeout(MOMENT).is_none() {
                self.end_if_interrupted()?;
            }
        }
        Ok(())
    }

    /// When a worker has died: lets the others do the rest, tells what is done,
    /// and fails.
    pub fn all_alive(&mut self) -> shared::Result {
        let dead = self.workers.iter().position(|worker| !worker.is_alive());
        let Some(dead) = dead else { return Ok(()) };
        let end = self.workers.swap_remove(dead).join();
        if let Err(death) = &end {
            self.parent.say(death.to_string());
        }
        self.until_all_ended()?;
        let (list, visits) = (self.desk.list, self.desk.visits());
        list.show(&visits);
        let lost = list.not_in(&visits).join(", ");
        let Err(death) = end else {
            bail!("a worker went home early; not done: {lost}; run it again")
        };
        bail!("{death}; not done: {lost}; run it again")
    }

    /// When Ctrl-C was pressed: tells what is done, and ends this process as
    /// Ctrl-C would have ended it at once.
    pub fn end_if_interrupted(&self) -> shared::Result {
        if !self.interrupt.was_pressed()? {
            return Ok(());
        }
        self.parent.say("ends its workers by SIGKILL, then itself by SIGINT");
        for worker in &self.workers {
            worker.kill()?;
            worker.wait();
        }
        let (list, visits) = (self.desk.list, self.desk.visits());
        list.show(&visits);
        let left = list.not_in(&visits).len();
        self.parent.note("done so far", visits.len());
        self.parent.note("not done", left);
        self.interrupt.obey()
    }
}
