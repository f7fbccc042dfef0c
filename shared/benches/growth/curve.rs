//! One way to do what is measured.

use crate::reading::Reading;
use anyhow::Result;

/// A way to do it, at each number of a family.
pub struct Curve {
    pub name: &'static str,
    pub kind: Kind,
    pub by: By,
    /// What the work must come to.
    pub work: fn(u64) -> u64,
    /// Why so many are not tried; nothing if they are.
    pub refuses: fn(u64) -> Option<String>,
}

/// Whose it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `shared::process`.
    Ours,
    /// The least that the system takes for it.
    Limit,
    Python,
    Other,
}

/// Who does it.
pub enum By {
    /// In a process of its own, which has one thread when it begins.
    Rust(fn(u64) -> Result<Reading>),
    /// A task of peer.py, and what it is told besides the number.
    Python(&'static str, &'static [u64]),
}

impl Curve {
    pub fn new(
        name: &'static str,
        kind: Kind,
        measure: fn(u64) -> Result<Reading>,
        work: fn(u64) -> u64,
    ) -> Self {
        Self { name, kind, by: By::Rust(measure), work, refuses: |_| None }
    }

    pub fn python(
        name: &'static str,
        task: &'static str,
        sizes: &'static [u64],
        work: fn(u64) -> u64,
    ) -> Self {
        let by = By::Python(task, sizes);
        Self { name, kind: Kind::Python, by, work, refuses: |_| None }
    }

    pub fn unless(mut self, refuses: fn(u64) -> Option<String>) -> Self {
        self.refuses = refuses;
        self
    }
}
