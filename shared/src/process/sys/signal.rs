//! What this process does about signals.

use nix::sys::signal::{SigHandler, Signal, signal};

/// Ctrl-C does nothing to it.
pub(crate) fn ignore_interrupts() {
    // SAFETY: no handler is installed, so none can run at a bad moment.
    let set = unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) };
    set.expect("SIGINT may be ignored");
}
