//! What a process tells another one.

use crate::MONEY;
use shared::Stage;
use shared::lesson::equals;
use shared::process::Process;
use std::io::{self, Write, pipe};
use std::sync::atomic::Ordering::Relaxed;

/// A child earns 100 in its own memory. How does the parent get to know?
///
/// - [ ] it joins the child, and then looks at its own variable
/// - [x] the child sends the number, here through a pipe
/// - [ ] it reads the child's memory at the same address
pub fn a_pipe(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let (ear, mut mouth) = pipe()?;
    let process = Process::spawn(move || {
        child.span("earns", || child.pause(1.0));
        let money = MONEY.fetch_add(100, Relaxed) + 100; // returns what it was
        child.note("sends", money);
        write!(mouth, "{money}")
    })?;
    // The mouth was moved: its only owner is the child, with whom it closes.
    let heard = parent.span("waits", || io::read_to_string(ear))?;
    process.join()?;
    parent.note("hears", heard.as_str());
    parent.note("sees", MONEY.load(Relaxed));
    stage.claim("hears what the child has", heard.as_str(), equals("200"));
    Ok(())
}
