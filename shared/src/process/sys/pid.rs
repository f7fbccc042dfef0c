//! The pid of this process, without a system call each time.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use nix::libc;

/// 0: not asked for since the last fork.
static PID: AtomicU32 = AtomicU32::new(0);

/// The pid of the calling process.
#[inline]
pub(crate) fn own() -> u32 {
    match PID.load(Relaxed) {
        0 => ask(),
        pid => pid,
    }
}

#[cold]
fn ask() -> u32 {
    static FORGET_AFTER_FORK: Once = Once::new();
    FORGET_AFTER_FORK.call_once(|| {
        // SAFETY: `forget` only stores to an atomic, which is allowed in the
        // child of any fork. It fails for lack of memory only; then a child
        // would be taken for its parent in a message, nothing else.
        unsafe {
            libc::pthread_atfork(None, None, Some(forget));
        }
    });
    let pid = std::process::id();
    PID.store(pid, Relaxed);
    pid
}

extern "C" fn forget() {
    PID.store(0, Relaxed);
}
