//! How much a process may have of the system.

use crate::usage::{Usage, read};
use anyhow::anyhow;
use shared::process::JoinError;

/// A stack is two memory maps: itself, and a page at its end that nobody may
/// touch, so that a stack that grows too long is noticed.
const MAPS_A_STACK: usize = 2;

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

/// What to do when `may` panicked because it got no stack.
pub fn advice(error: JoinError) -> anyhow::Error {
    match error {
        JoinError::Panicked { message, .. }
            if message.contains("failed to alloc sys stack") =>
        {
            anyhow!(message).context(
                "cannot get memory for one more stack; ask for fewer by \
                 --sleepers, or raise `ulimit -v` or vm.max_map_count",
            )
        }
        error => error.into(),
    }
}
