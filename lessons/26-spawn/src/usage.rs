//! What a process has of the system.

use anyhow::Context;
use std::fs::read_to_string;

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

pub fn read(path: &str) -> shared::Result<String> {
    read_to_string(path).with_context(|| format!("cannot read {path}"))
}
