//! The stack of a coroutine, which is not a thread's.

use crate::agent::{agent, page};
use crate::coroutines::{STACK, on_one_thread};
use crate::slow_site;
use crate::yielding::Yielding;
use nix::unistd::dup2_stderr;
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Process, Status};
use std::io::{Read, pipe};

/// What may gives a coroutine when nobody says more, in words of 8 bytes.
const USUAL: usize = 0x1000;

/// Two programs, and in each a coroutine that asks for one page. One has a
/// stack of 32 KiB, the other of 128 KiB. Which of them gets its page?
pub fn two_stacks(stage: &Stage) -> shared::Result {
    let site = slow_site(stage)?;
    let url = site.url() + "/pages/1";
    let small = stage.coroutine_track("32 KiB");
    let large = stage.coroutine_track("128 KiB");
    let mut ends = Vec::new();
    for (track, stack) in [(&small, USUAL), (&large, STACK)] {
        let (mut said, complaints) = pipe()?;
        let program = Process::spawn(|| {
            // Where the overflow is told.
            dup2_stderr(&complaints)?;
            on_one_thread(1, stack, |_| {
                track.span("waits for a page", || page(&agent(Yielding), &url))
            })
        })?;
        drop(complaints);
        let mut text = String::new();
        said.read_to_string(&mut text)?;
        let said = text.lines().find(|line| !line.is_empty());
        track.note("it says", said.unwrap_or("nothing"));
        ends.push(program.wait());
    }
    if !cfg!(debug_assertions) {
        let why = "an optimised client needs less";
        stage.cannot_show("a stack that overflows", why);
        return Ok(());
    }
    let got = |end: &Status| *end == Status::Exited(0);
    stage.claim("32 KiB are too little", !got(&ends[0]), equals(true));
    stage.claim("128 KiB are enough", got(&ends[1]), equals(true));
    Ok(())
}
