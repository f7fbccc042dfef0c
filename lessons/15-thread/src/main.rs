//! Thread: several at work in one process.
//!
//! A process begins with one thread. How are more of them made, what do they
//! have in common, and how does each of them end?

mod ending;
mod numbers;
mod price;
mod sums;

use anyhow::Context;
use nix::unistd::gettid;
use numbers::Options;
use shared::lesson::equals;
use shared::{Stage, Track, lesson};
use std::collections::{BTreeSet, HashSet};
use std::fs::{DirEntry, read_dir};
use std::process::{self, ExitCode};
use std::sync::Mutex;
use std::thread::{self, Builder};

fn main() -> ExitCode {
    lesson![
        two_ways,
        one_memory,
        ending::main_ends,
        ending::asked_to_stop,
        sums::four_operations,
        sums::one_fails,
        price::price;
        numbers,
    ]
    .with::<Options>()
    .run()
}

/// One thread runs a closure, another a type with a `run`. What do they and
/// main have in common, and what is each one's own?
///
/// - [ ] the name; pid and thread id are each one's own
/// - [x] the pid; thread id and name are each one's own
/// - [ ] pid and thread id; the name is each one's own
fn two_ways(stage: &Stage) -> shared::Result {
    let (main, cook) = (stage.track("main"), stage.track("cook"));
    let shop = Mutex::new(());
    let baker = Baker { shop: &shop, track: stage.track("baker") };
    introduce(&main);
    let before = living();
    let now = thread::scope(|scope| {
        let shut = shop.lock();
        let builder = Builder::new().name("cook".to_owned());
        builder.spawn_scoped(scope, || {
            introduce(&cook);
            cook.span("waits", || drop(shop.lock()));
        })?;
        let builder = Builder::new().name("baker".to_owned());
        builder.spawn_scoped(scope, || baker.run())?;
        main.span("runs", || main.pause(1.0));
        let now = living();
        drop(shut);
        shared::Result::Ok(now)
    })
    .context("cannot make a thread; raise the limit with `ulimit -u N`")?;
    let three = [&main, &cook, &baker.track];
    stage.claim("process ids", different(three, "my pid")?, equals(1));
    stage.claim("thread ids", different(three, "my thread id")?, equals(3));
    stage.claim("names", different(three, "my name")?, equals(3));
    let (Some(before), Some(now)) = (before, now) else {
        stage.cannot_show("how many live", "/proc is not there");
        return Ok(());
    };
    // Compared one by one: an earlier step's may still be on its way out.
    let new = now.difference(&before).count();
    main.note("threads before", Vec::from_iter(before));
    main.note("threads now", Vec::from_iter(now));
    stage.claim("the system counts more threads", new, equals(2));
    Ok(())
}

/// Does its work on whichever thread it is told to `run`.
struct Baker<'a> {
    shop: &'a Mutex<()>,
    track: Track,
}

impl Baker<'_> {
    fn run(&self) {
        introduce(&self.track);
        self.track.span("waits", || drop(self.shop.lock()));
    }
}

fn introduce(track: &Track) {
    track.note("my name", thread::current().name());
    track.note("my pid", process::id().to_string());
    track.note("my thread id", gettid().to_string());
}

/// The ids of this process's threads: the system keeps a folder for each.
fn living() -> Option<BTreeSet<String>> {
    let folders = read_dir("/proc/self/task").ok()?;
    let name = |folder: DirEntry| folder.file_name().into_string().ok();
    folders.map(|folder| folder.ok().and_then(name)).collect()
}

/// How many different values the three have noted under this name.
fn different(three: [&Track; 3], name: &str) -> shared::Result<usize> {
    let noted = three.into_iter().map(|track| track.noted(name));
    Ok(noted.collect::<shared::Result<HashSet<String>>>()?.len())
}

/// Money is 100. A thread makes it 200. What does main have?
///
/// - [x] 200: both have the same memory
/// - [ ] 100: the thread has changed a copy
/// - [ ] 200 or 100, by luck
fn one_memory(stage: &Stage) -> shared::Result {
    let (main, thread) = (stage.track("main"), stage.track("thread"));
    let mut money = 100;
    let address = format!("{:p}", &money);
    thread::scope(|scope| {
        scope.spawn(|| {
            money += 100;
            thread.note("money", money);
            thread.note("at", format!("{:p}", &money));
            thread.span("runs", || thread.pause(1.0));
        });
    });
    main.note("money", money);
    main.note("at", address.as_str());
    stage.claim("main has 200 too", money, equals(200));
    stage.claim("at one address", thread.noted("at")?, equals(address));
    Ok(())
}
