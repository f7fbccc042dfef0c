//! What a process has of the system, and how much it may have.

use anyhow::{Context, anyhow};
use shared::process::JoinError;
use std::fs::read_to_string;

/// A stack is two memory maps: itself, and a page at its end that nobody may
/// touch, so that a stack that grows too long is noticed.
const MAPS_A_STACK: usize = 2;

/// Memory, in this process, at one moment.
pub struct Usage {
    /// How many parts it has, each with rights of its own.
    pub maps: f64,
    /// How much of it is in use.
    pub kib: f64,
}

impl Usage {
    pub fn now() -> shared::Result<Self> {
        let maps = read("/proc/self/maps")?.lines().count() as f64;
        let status = read("/proc/self/status")?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        let kib = number.and_then(|number| number.parse().ok());
        let kib = kib.context("/proc/self/status does not tell VmRSS")?;
        Ok(Self { maps, kib })
    }
}

fn read(path: &str) -> shared::Result<String> {
    read_to_string(path).with_context(|| format!("cannot read {path}"))
}

/// Why there cannot be so many stacks in one process; nothing if there can.
pub fn no_room_for(stacks: usize) -> Option<String> {
    let limit = read("/proc/sys/vm/max_map_count").ok()?;
    let limit: usize = limit.trim().parse().ok()?;
    // What there is already, and room for what comes and goes.
    let others = Usage::now().ok()?.maps as usize + 200;
    let room = limit.saturating_sub(others) / MAPS_A_STACK;
    let needed = others + MAPS_A_STACK * stacks;
    (stacks > room).then(|| {
        format!(
            "a stack takes {MAPS_A_STACK} memory maps, and a process may \
             have {limit} (vm.max_map_count), which is room for {room}; \
             ask for fewer, or `sudo sysctl vm.max_map_count={needed}`"
        )
    })
}

/// What to do when may panicked because it got no stack.
pub fn advice(error: JoinError) -> anyhow::Error {
    match error.to_string().contains("failed to alloc sys stack") {
        false => error.into(),
        true => anyhow!(
            "the system gives no memory for one more stack; ask for fewer by \
             --sleepers, or raise `ulimit -v` or vm.max_map_count"
        ),
    }
}
