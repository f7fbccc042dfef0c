//! Sleeping until a word in shared memory changes (futex(2)).

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use nix::libc;

/// Sleeps while `word` is `expected`, at most for `at_most`.
///
/// Returns after a wake, when the word was another one already, when the time
/// is over or a signal came: the caller looks again in each case.
pub(crate) fn wait(word: &AtomicU32, expected: u32, at_most: Duration) {
    let timeout = libc::timespec {
        tv_sec: libc::time_t::try_from(at_most.as_secs())
            .unwrap_or(libc::time_t::MAX),
        tv_nsec: at_most.subsec_nanos().into(),
    };
    // SAFETY: the word and the timeout live until the call returns; the
    // kernel only reads them. Not FUTEX_PRIVATE: other processes wake us.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            &raw const timeout,
        );
    }
}

/// Wakes every process and thread that sleeps on `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    // SAFETY: the kernel uses the word's address only to find its sleepers.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE,
            libc::c_int::MAX,
        );
    }
}
