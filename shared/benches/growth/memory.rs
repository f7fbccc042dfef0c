//! Memory: how much a process has in use, and a piece that processes share.

use anyhow::{Context, Result};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use std::fs::read_to_string;
use std::num::NonZeroUsize;

/// The bytes of memory that this process has in use, counted page by page.
pub fn in_use() -> Result<u64> {
    field("/proc/self/smaps_rollup", "Rss:")
}

/// The bytes of memory that this machine has.
pub fn of_machine() -> Result<u64> {
    field("/proc/meminfo", "MemTotal:")
}

fn field(path: &str, name: &str) -> Result<u64> {
    let text =
        read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: u64 =
        kib.with_context(|| format!("{path} has no {name}"))?.parse()?;
    Ok(kib * 1024)
}

/// A number of the system, such as /proc/sys/kernel/pid_max.
pub fn setting(path: &str) -> Option<u64> {
    read_to_string(path).ok()?.trim().parse().ok()
}

/// A value in memory that the children of this process share. It stays until
/// the process ends.
#[expect(unsafe_code, reason = "nothing of the library is to be measured")]
pub fn shared<T>(value: T) -> Result<&'static T> {
    let size = NonZeroUsize::new(size_of::<T>()).context("nothing to share")?;
    let rights = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a fresh mapping, which nobody ever unmaps; it begins at a page,
    // so that the value is aligned, and is written before it is lent.
    unsafe {
        let memory = mmap_anonymous(None, size, rights, MapFlags::MAP_SHARED)?;
        let place = memory.cast::<T>();
        place.write(value);
        Ok(place.as_ref())
    }
}
