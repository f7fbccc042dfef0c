//! The stack of a coroutine, which is not a thread's.

use crate::agent::{agent, fetch};
use crate::coroutines::{STACK, on_one_thread};
use crate::slow_site;
use crate::yielding::Yielding;
use nix::unistd::dup2_stderr;
use shared::lesson::equals;
use shared::process::Process;
use shared::{Stage, Track};
use std::io::{Read, pipe};

/// What `may` gives a coroutine when nobody says more, in words of 8 bytes.
const USUAL: usize = 0x1000;

/// Two programs, and in each a coroutine that asks for one page: one with the
/// stack that `may` gives it, one with that of the steps before. Which of them
/// gets its page?
pub fn two_stacks(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, 1)?;
    let url = site.url() + "/pages/1";
    let [usual, larger] = [USUAL, STACK]
        .map(|words| stage.coroutine_track(format!("{} KiB", words / 128)));
    let small = what_comes(stage, &usual, USUAL, &url)?;
    let large = what_comes(stage, &larger, STACK, &url)?;
    if cfg!(debug_assertions) {
        let overflowed = small.contains("overflowed its stack");
        stage.claim("the usual stack overflows", overflowed, equals(true));
    } else {
        let why = "an optimised client needs less";
        stage.cannot_show("a stack that overflows", why);
    }
    let page = large.contains("<title>");
    stage.claim("with the larger one the page comes", page, equals(true));
    Ok(())
}

/// The page, or what a program says that asks for it with a stack of so many
/// words.
fn what_comes(
    stage: &Stage,
    track: &Track,
    words: usize,
    url: &str,
) -> shared::Result<String> {
    let (mut said, complaints) = pipe()?;
    let program = Process::spawn(|| {
        dup2_stderr(&complaints)?;
        on_one_thread(1, words, |_| {
            track.span("waits", || fetch(&agent(stage, Yielding), url))
        })
    })?;
    drop(complaints);
    let mut text = String::new();
    said.read_to_string(&mut text)?;
    let said = text.lines().find(|line| !line.is_empty());
    match program.join() {
        Ok(pages) => {
            track.note("a page of bytes", pages[0].len());
            Ok(pages.concat())
        }
        Err(_) => {
            track.note("no page", said.unwrap_or_default());
            Ok(text)
        }
    }
}
