//! What cases have in common.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, SaFlags, SigAction, SigHandler, SigSet, Signal};

/// How long something may take that takes no time unless it hangs.
pub const SOON: Duration = Duration::from_secs(5);

/// The descriptors that this process has open.
pub fn open_descriptors() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}

/// The state letter of a process, `None` if there is none with this pid.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether a process sleeps in a system call.
pub fn asleep(pid: u32) -> bool {
    state(pid) == Some('S')
}

/// Asks again and again, until it is so or a good while has passed.
pub fn eventually(mut so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + SOON;
    while Instant::now() < deadline {
        if so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

extern "C" fn nothing(_: i32) {}

/// Gives a signal a handler that does nothing and interrupts system calls.
#[expect(unsafe_code, reason = "signals have no safe interface")]
pub fn interrupt_on(signal: Signal) -> nix::Result<()> {
    let action = SigAction::new(
        SigHandler::Handler(nothing),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler does nothing, so it may run at any point.
    unsafe { signal::sigaction(signal, &action) }.map(drop)
}

/// Ignores a signal.
#[expect(unsafe_code, reason = "signals have no safe interface")]
pub fn ignore(signal: Signal) -> nix::Result<()> {
    // SAFETY: no handler is installed.
    unsafe { signal::signal(signal, SigHandler::SigIgn) }.map(drop)
}

/// Gives a signal its default action, whatever this process was started with.
#[expect(unsafe_code, reason = "signals have no safe interface")]
pub fn default_action(signal: Signal) -> nix::Result<()> {
    // SAFETY: no handler is installed.
    unsafe { signal::signal(signal, SigHandler::SigDfl) }.map(drop)
}

/// Sleeps until a signal ends this process, longer than a case may take.
pub fn sleep_until_killed() {
    std::thread::sleep(Duration::from_secs(120));
}
