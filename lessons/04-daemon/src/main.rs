//! Daemon: a child that ends with its parent.
//!
//! A child outlives its parent, unless somebody sees to it. Who can do that
//! for a parent that is killed?

mod grandchild;
mod orphan;
mod price;

use orphan::{RollCall, end_by_sigterm};
use shared::lesson::equals;
use shared::process::{Builder, Event, Process};
use shared::{Stage, Track, lesson};
use std::process::{self, ExitCode};

fn main() -> ExitCode {
    lesson![
        parent_ends,
        parent_is_killed,
        without_the_flag,
        grandchild::no_children,
        price::price;
        orphan,
    ]
    .run()
}

/// A daemon counts for ever. Its parent looks after it, then ends. What
/// becomes of the daemon?
///
/// - [ ] it counts on: that is what a daemon is for
/// - [x] it is killed when its parent ends
/// - [ ] it ends first: its parent waits for it
fn parent_ends(stage: &Stage) -> shared::Result {
    let family = Family::new(stage)?;
    let builder = Process::builder().daemon(true);
    let parent = Process::spawn(|| family.be_parent(builder, 3))?;
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
    fn be_parent(&self, builder: Builder, looks: u32) -> shared::Result<u32> {
        let child = builder.spawn(|| self.be_child())?;
        self.child_counts.wait();
        let _span = self.parent.begin("looks after it");
        let mut times_alive = 0;
        for _ in 0..looks {
            self.parent.pause(0.5);
            let alive = child.is_alive();
            self.parent.note("child alive", alive);
            times_alive += u32::from(alive);
        }
        Ok(times_alive)
    }

    /// Counts for ever.
    fn be_child(&self) {
        self.child.note("my pid", process::id());
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
///
/// - [x] it is killed, too
/// - [ ] it counts on: nobody is left who could end it
/// - [ ] it gets SIGTERM, and can tidy up before it ends
fn parent_is_killed(stage: &Stage) -> shared::Result {
    let family = Family::new(stage)?;
    let builder = Process::builder().daemon(true);
    let parent = Process::spawn(|| family.be_parent(builder, u32::MAX))?;
    family.child_counts.wait();
    family.me.pause(1.2);
    parent.kill()?;
    parent.wait();
    let fate = family.fate_of_child()?;
    stage.claim("gone with its parent", fate.as_str(), equals(GONE));
    Ok(())
}

/// The same child without the flag. Its parent ends. Who ends the child?
///
/// - [ ] its parent, before it ends itself
/// - [ ] the system, together with its parent
/// - [x] nobody, until the lesson sends it SIGTERM
fn without_the_flag(stage: &Stage) -> shared::Result {
    let family = Family::new(stage)?;
    let builder = Process::builder().daemon(false); // as if not said
    let parent = Process::spawn(|| family.be_parent(builder, 2))?;
    parent.join()?;
    let fate = family.fate_of_child()?;
    family.me.note("child", fate.as_str());
    family.me.pause(0.6);
    let end = end_by_sigterm(family.child.noted("my pid")?, &family.me)?;
    let (fate, end) = (fate.as_str(), end.as_str());
    stage.claim("not gone with its parent", fate, equals("lives on"));
    stage.claim("this lesson ends it", end, equals("killed by SIGTERM"));
    Ok(())
}
