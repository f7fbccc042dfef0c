//! Isolation: three children, one global.
//!
//! A program has a global, and its children change it. Who sees the change,
//! and what do processes really share?
#![expect(unsafe_code, reason = "the lesson itself maps shared memory")]

mod message;
mod price;

use anyhow::Context;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use shared::lesson::equals;
use shared::process::{Barrier, Process};
use shared::{Stage, lesson};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

static MONEY: AtomicI32 = AtomicI32::new(100);
static GIFTS: Mutex<Vec<i32>> = Mutex::new(Vec::new());

fn main() -> ExitCode {
    lesson![a_number, a_list, shared_memory, message::a_pipe, price::price]
        .run()
}

/// Money is a global: 100. Three children add 1, 10 and 100 to it. When all
/// have added, what does each of them see, and what does the parent?
///
/// - [ ] all four of them see 211
/// - [ ] each child its own change; the parent those of all
/// - [x] each child its own change; the parent still 100
fn a_number(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let add = |gift| _ = MONEY.fetch_add(gift, Relaxed);
    let seen = three_children(stage, add, || MONEY.load(Relaxed).to_string())?;
    let money = MONEY.load(Relaxed);
    parent.note("sees", money);
    stage.claim(
        "each child sees its own change only",
        seen.as_str(),
        equals("101, 110, 200"),
    );
    stage.claim("the parent sees none", money, equals(100));
    Ok(())
}

/// Three children each make a change, wait until all have, and look; returns
/// what they see.
fn three_children(
    stage: &Stage,
    change: impl Fn(i32) + Sync,
    look: impl Fn() -> String + Sync,
) -> shared::Result<String> {
    let all_have = Barrier::new(3)?;
    let mut children = Vec::new();
    for gift in [1, 10, 100] {
        let child = stage.track(format!("+{gift}"));
        children.push(Process::spawn(|| {
            child.span("changes", || {
                child.pause_between(0.5, 1.5);
                change(gift);
            });
            child.span("waits", || all_have.wait())?;
            let seen = look();
            child.note("sees", seen.as_str());
            anyhow::Ok(seen)
        })?);
    }
    let seen: Result<Vec<_>, _> =
        children.into_iter().map(Process::join).collect();
    Ok(seen?.join(", "))
}

/// Gifts is a global list. Each child appends to it. How long is it then?
///
/// - [x] one for each child, none for the parent
/// - [ ] three for all: a list is changed where it stands
/// - [ ] one for each child, three for the parent
fn a_list(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let append = |gift| gifts().push(gift);
    let seen = three_children(stage, append, || format!("{:?}", gifts()))?;
    parent.note("sees", format!("{:?}", gifts()));
    stage.claim(
        "each child sees its own gift only",
        seen.as_str(),
        equals("[1], [10], [100]"),
    );
    stage.claim("gifts that the parent sees", gifts().len(), equals(0));
    Ok(())
}

fn gifts() -> MutexGuard<'static, Vec<i32>> {
    GIFTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same children, the same number, but mapped as memory to be shared.
/// What does each of them see now?
///
/// - [ ] its own change, until it is joined
/// - [x] 211: the changes of all
/// - [ ] what the last one wrote: 101, 110 or 200
fn shared_memory(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let number = map_shared(100)?;
    let add = |gift| _ = number.fetch_add(gift, Relaxed);
    let seen = three_children(stage, add, || number.load(Relaxed).to_string())?;
    let money = number.load(Relaxed);
    parent.note("sees", money);
    stage.claim(
        "each child sees the changes of all",
        seen.as_str(),
        equals("211, 211, 211"),
    );
    stage.claim("the parent sees the sum of all", money, equals(211));
    Ok(())
}

/// A number that fork does not copy; there as long as the program runs.
fn map_shared(value: i32) -> shared::Result<&'static AtomicI32> {
    let size = NonZeroUsize::new(size_of::<AtomicI32>()).expect("4 is not 0");
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: new memory, at a place of the system's choice, touches no other.
    let page =
        unsafe { mmap_anonymous(None, size, access, MapFlags::MAP_SHARED) }
            .context("cannot map memory to share; raise `ulimit -v`")?;
    // SAFETY: a page has room for the number, is aligned for it, begins as
    // zeros, which are a number, and is never unmapped.
    let number: &AtomicI32 = unsafe { page.cast().as_ref() };
    number.store(value, Relaxed);
    Ok(number)
}
