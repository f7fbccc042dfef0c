//! What the tests of the lessons have in common.
//!
//! A test runs the lesson's own binary ([`Run`]) in a process group of its
//! own, with a deadline, and reads its trace. Whatever is left when it ends is
//! a failure. [`Check`]s prove a lesson's claims again, by their own
//! arithmetic, and that each claim fails when its mechanism is taken out;
//! [`battery!`] is what every lesson has to stand.

mod battery;
mod check;
mod mutant;
mod needs;
mod record;
mod run;
mod screen;
mod service;

pub use battery::Faults;
pub use check::{Check, happened, noted, open_spans, pid_of, signal_of};
pub use mutant::Change;
pub use needs::{may_mount, not_run};
pub use run::{Ended, Run, copy_program, until};
pub use screen::{Keys, Screen};
pub use service::{serve, serve_some};

use shared::lesson::{Place, Source};

/// A lesson under test.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    /// The package's name.
    pub package: &'static str,
    /// The folder of the package.
    pub folder: &'static str,
    /// Its program, built from what is tested.
    pub binary: &'static str,
}

impl Lesson {
    /// The names of its steps, in order, as the source has them.
    pub fn steps(&self) -> Vec<String> {
        let text = self.source();
        let source = Source { package: self.package, text: &text };
        let listed = source.listed().into_iter();
        let names =
            listed.map(|path| Place { path, text: &text }.name().to_owned());
        names.collect()
    }

    fn source(&self) -> String {
        let path = format!("{}/src/main.rs", self.folder);
        std::fs::read_to_string(path).expect("a lesson has a main.rs")
    }
}
