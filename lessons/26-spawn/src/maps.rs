//! What the system has to give for a coroutine with a stack.

use anyhow::Context;
use std::fs::read_to_string;

/// Maps that one coroutine's stack takes: the stack, and a page below it that
/// nobody may touch.
const A_STACK: usize = 2;

/// How many parts the memory of this process has, each with its own rights.
pub fn maps() -> shared::Result<usize> {
    let path = "/proc/self/maps";
    let text =
        read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    Ok(text.lines().count())
}

/// How much memory of this process is in use, in KiB.
pub fn resident() -> shared::Result<f64> {
    let path = "/proc/self/status";
    let text =
        read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    let number = number.and_then(|number| number.parse().ok());
    number.with_context(|| format!("{path} does not tell VmRSS"))
}

/// Why so many coroutines with a stack cannot be made here, if they cannot.
pub fn no_room_for(coroutines: usize) -> Option<String> {
    let limit = read_to_string("/proc/sys/vm/max_map_count").ok()?;
    let limit: usize = limit.trim().parse().ok()?;
    // What the runtime itself takes, and some for what comes and goes.
    let others = maps().ok()? + 200;
    let room = limit.saturating_sub(others) / A_STACK;
    (coroutines > room).then(|| {
        let needed = others + A_STACK * coroutines;
        format!(
            "each takes {A_STACK} memory maps, and the system allows {limit} \
             a process: room for {room}; make more by `sudo sysctl \
             vm.max_map_count={needed}`"
        )
    })
}
