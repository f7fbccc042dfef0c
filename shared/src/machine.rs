//! The machine on which something was measured.

use serde::Serialize;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::process::Command;
use std::thread;

/// What a figure is worth nothing without.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Its name, as its maker has it.
    pub processor: String,
    /// How many can compute at the same time.
    pub cores: usize,
    /// Rounded up.
    pub memory_gib: u64,
    /// Its name and version.
    pub kernel: String,
    /// What the compiler says of itself.
    pub rust: String,
    /// What Python says of itself.
    pub python: String,
    /// The day, as in 2026-11-21.
    pub date: String,
    /// How many programs wanted a core in the last minute.
    pub load: f64,
}

impl Machine {
    /// This one, now, with the Python of this path. What cannot be had is a
    /// question mark or 0.
    #[must_use]
    pub fn read(python: &str) -> Self {
        let file = |path| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let mut lines = text.lines();
            let line = lines.find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or("?".to_owned(), |(_, value)| value.trim().to_owned())
        };
        let memory = field(&file("/proc/meminfo"), "MemTotal");
        let kib = memory.split(' ').next().and_then(|kib| kib.parse().ok());
        let load = file("/proc/loadavg");
        let load = load.split(' ').next().and_then(|load| load.parse().ok());
        Self {
            processor: field(&file("/proc/cpuinfo"), "model name"),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory_gib: kib.unwrap_or(0_u64).div_ceil(1 << 20),
            kernel: said("uname", "-sr"),
            rust: said("rustc", "--version"),
            python: said(python, "--version"),
            date: said("date", "+%Y-%m-%d"),
            load: load.unwrap_or(0.0),
        }
    }

    /// Whether others leave less than half of it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.load > self.cores as f64 / 2.0
    }
}

/// The first line that a command says.
fn said(command: &str, arg: &str) -> String {
    let output = Command::new(command).arg(arg).output();
    let said = output.map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.lines().next().unwrap_or("?").to_owned()
}

impl Display for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory_gib, kernel, .. } = self;
        let rust = self.rust.split(" (").next().unwrap_or_default();
        write!(
            f,
            "{}; {processor}, {cores} cores, {memory_gib} GiB, {kernel}; {rust}, {}",
            self.date, self.python
        )
    }
}
