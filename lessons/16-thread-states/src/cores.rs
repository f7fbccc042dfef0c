//! Who runs on which core, and whether it was taken away.

use anyhow::Context;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;

/// In sched_setaffinity(2) and its like, the thread that calls.
const MYSELF: Pid = Pid::from_raw(0);

/// The cores that this thread may use; none where it may not choose.
pub fn cores() -> Vec<usize> {
    let allowed = || {
        let set = sched_getaffinity(MYSELF)?;
        sched_setaffinity(MYSELF, &set)?; // changes nothing, but may it?
        nix::Result::Ok(set)
    };
    let set = allowed().unwrap_or_default();
    let all = 0..CpuSet::count();
    all.filter(|&core| set.is_set(core) == Ok(true)).collect()
}

/// From now on this thread runs on this core and no other.
pub fn keep_to(core: usize) -> shared::Result {
    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(MYSELF, &set).with_context(|| {
        format!("cannot keep to core {core}; let nobody take it away meanwhile")
    })
}

/// Does `body`, again if need be, until nobody else had this thread's core
/// meanwhile; nothing if that never was so.
pub fn uninterrupted<R>(mut body: impl FnMut() -> R) -> Option<R> {
    (0..1_000).find_map(|_| {
        let before = switches()?;
        let result = body();
        (switches()? == before).then_some(result)
    })
}

/// How often another thread had this one's core next.
fn switches() -> Option<i64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
    let given_up = usage.voluntary_context_switches();
    Some(given_up + usage.involuntary_context_switches())
}
