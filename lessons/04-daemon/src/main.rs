//! Daemon: a child that ends with its parent.
//!
//! A child outlives its parent, unless somebody sees to it. Who can do that
//! for a parent that is killed?

mod cost;
mod orphan;

use orphan::{RollCall, end};
use shared::lesson::{differs_from, equals};
use shared::process::{Builder, Event, Process};
use shared::{Stage, Track, lesson};
use std::process::{ExitCode, id};

fn main() -> ExitCode {
    lesson![
        parent_ends,
        parent_is_killed,
        without_the_flag,
        no_children,
        cost::price,
    ]
    .run()
}

/// A daemon counts for ever. Its parent looks after it, then ends. What
/// becomes of the daemon?
fn parent_ends(stage: &Stage) -> shared::Result {
    let family = Family::new(stage)?;
    let daemon = Process::builder().daemon(true);
    let parent = Process::spawn(|| family.parent(daemon, 3))?;
    let alive = parent.join()?;
    let fate = family.fate_of_child()?;
    stage.claim("alive each time its parent looks", alive, equals(3));
    stage.claim("gone with its parent", fate.as_str(), equals(GONE));
    Ok(())
}

const GONE: &str = "killed by SIGKILL";

struct Family {
    parent: Track,
    child: Track,
    me: Track,
    child_counts: Event,
    call: RollCall,
}

impl Family {
    /// Starts the child, and looks so often whether it is alive.
    fn parent(&self, child: Builder, looks: u32) -> shared::Result<usize> {
        let child = child.spawn(|| self.child())?;
        self.child_counts.wait();
        let _span = self.parent.begin("looks after it");
        let alive = (0..looks).filter(|_| {
            self.parent.pause(0.5);
            let alive = child.is_alive();
            self.parent.note("child alive", alive);
            alive
        });
        Ok(alive.count())
    }

    /// Counts for ever.
    fn child(&self) {
        self.child.note("my pid", id());
        self.child_counts.set();
        let _span = self.child.begin("counts");
        for n in 1.. {
            self.child.say(n.to_string());
            self.child.pause(0.3);
            self.call.answer();
        }
    }

    fn fate_of_child(&self) -> shared::Result<String> {
        self.call.fate_of(self.child.noted("my pid")?, &self.me)
    }

    fn new(stage: &Stage) -> shared::Result<Self> {
        let [me, parent, child] =
            ["me", "parent", "child"].map(|name| stage.track(name));
        let (child_counts, call) = (Event::new()?, RollCall::new()?);
        Ok(Self { parent, child, me, child_counts, call })
    }
}

/// The parent is killed: it can do nothing more for anybody. And its daemon?
fn parent_is_killed(stage: &Stage) -> shared::Result {
    let family = Family::new(stage)?;
    let daemon = Process::builder().daemon(true);
    let parent = Process::spawn(|| family.parent(daemon, u32::MAX))?;
    family.child_counts.wait();
    family.me.pause(1.2);
    parent.kill()?;
    parent.wait();
    let fate = family.fate_of_child()?;
    stage.claim("gone with its parent", fate.as_str(), equals(GONE));
    Ok(())
}

/// The same child without the flag. Its parent ends. Who ends the child?
fn without_the_flag(stage: &Stage) -> shared::Result {
    let family = Family::new(stage)?;
    let child = Process::builder().daemon(false); // as if not said
    let parent = Process::spawn(|| family.parent(child, 2))?;
    parent.join()?;
    let fate = family.fate_of_child()?;
    family.me.note("child", fate.as_str());
    family.me.pause(0.6);
    let end = end(family.child.noted("my pid")?, &family.me)?;
    let (goes_on, by_me) = ("lives on", "killed by SIGTERM");
    stage.claim("not gone with its parent", fate.as_str(), equals(goes_on));
    stage.claim("this lesson ends it", end.as_str(), equals(by_me));
    Ok(())
}

/// A daemon starts a child of its own, and so does another process. Who may?
fn no_children(stage: &Stage) -> shared::Result {
    let refused = starts_a_child(&stage.track("daemon"), true)?;
    let allowed = starts_a_child(&stage.track("other"), false)?;
    let (refused, allowed) = (refused.as_str(), allowed.as_str());
    let well = "exited with code 0";
    stage.claim("a daemon may not", refused, differs_from(well));
    stage.claim("any other may", allowed, equals(well));
    Ok(())
}

fn starts_a_child(who: &Track, daemon: bool) -> shared::Result<String> {
    let builder = Process::builder().daemon(daemon);
    let process = builder.spawn(|| match Process::spawn(|| ()) {
        Ok(child) => child.wait().to_string(),
        Err(error) => error.to_string(),
    })?;
    let said = process.join()?;
    who.note("its child", said.as_str());
    Ok(said)
}
