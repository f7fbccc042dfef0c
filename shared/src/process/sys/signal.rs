//! What this process does about signals.

use nix::sys::signal::{SigHandler, Signal, signal};

/// What a terminal sends to all that runs on it (Ctrl-C, Ctrl-\\, its end) does
/// nothing to this process.
pub(crate) fn ignore_the_terminal() {
    for ignored in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP] {
        // SAFETY: no handler is installed, so none can run at a bad moment.
        let set = unsafe { signal(ignored, SigHandler::SigIgn) };
        set.expect("these signals may be ignored");
    }
}
