//! One process becomes two.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::{ForkResult, Pid, getpid, getppid};

/// The exit code of a child whose closure panicked, as of a Rust program.
pub(crate) const EXIT_PANICKED: i32 = 101;

/// How long the next thread that has been joined is given to leave the process.
/// On a busy machine it may not have a core for a while; whoever forks by
/// mistake is told so after that time.
const GRACE: Duration = Duration::from_secs(1);

/// The bytes of a set of 64 signals.
const KERNEL_SIGSET: usize = 8;

/// Why there is no child.
#[derive(Debug)]
pub(crate) enum ForkError {
    /// This many threads are alive; a fork would copy one of them, and the
    /// locks of all.
    Threaded(usize),
    /// A call failed.
    System(&'static str, io::Error),
}

/// What becomes of the child when its parent ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Orphan {
    /// It lives on.
    Stays,
    /// The kernel ends it by SIGKILL.
    Dies,
}

/// Counts the forks between the first process and this one. It lies beside what
/// else a child writes to, so that there is one page less to copy.
#[unsafe(link_section = ".data")]
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The descriptors that a child must not inherit.
#[unsafe(link_section = ".data")]
static PRIVATE: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());

/// Forks. The child runs `body` and exits with its code; it never returns from
/// here.
///
/// Before it, text that waits in stdout's buffer is flushed, so that it does
/// not come out twice. In the child signals have their default actions (ignored
/// ones stay ignored) and descriptors made [`Private`] are closed.
pub(crate) fn fork(
    orphan: Orphan,
    body: impl FnOnce() -> i32,
) -> Result<Pid, ForkError> {
    watch_forks()?;
    wait_for_threads_to_leave()?;
    flush();
    let parent = getpid();
    let handled = handled_signals();
    let outside = SigSet::all()
        .thread_swap_mask(SigmaskHow::SIG_BLOCK)
        .map_err(|error| ForkError::System("sigprocmask", error.into()))?;
    // SAFETY: this process has one thread (checked above), so the child finds
    // no lock held by a thread that it does not have; it leaves by `_exit`
    // below and never returns into its copy of the callers.
    match unsafe { nix::unistd::fork() } {
        Ok(ForkResult::Parent { child }) => {
            restore(&outside);
            Ok(child)
        }
        Err(error) => {
            restore(&outside);
            Err(ForkError::System("fork", error.into()))
        }
        Ok(ForkResult::Child) => {
            if handled != 0 {
                default_signals(handled);
            }
            if orphan == Orphan::Dies {
                die_with(parent);
            }
            restore(&outside);
            let code = panic::catch_unwind(AssertUnwindSafe(body))
                .unwrap_or(EXIT_PANICKED);
            flush();
            exit_now(code)
        }
    }
}

/// Ends this process without running destructors or what was registered by
/// `atexit`: both belong to the parent, of which the child is a copy.
#[inline]
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}

/// From now on every fork makes a new generation, also one that somebody else
/// makes: a child that drops its copy of a pool must not end the pool.
fn watch_forks() -> Result<(), ForkError> {
    static REFUSED: OnceLock<i32> = OnceLock::new();
    // SAFETY: the handler stays where it is as long as the program runs.
    let refused = *REFUSED.get_or_init(|| unsafe {
        libc::pthread_atfork(None, None, Some(in_child))
    });
    match refused {
        0 => Ok(()),
        errno => Err(ForkError::System(
            "pthread_atfork",
            io::Error::from_raw_os_error(errno),
        )),
    }
}

/// What every forked child does first.
extern "C" fn in_child() {
    GENERATION.fetch_add(1, Relaxed);
    close_private();
}

/// How many forks lie between the first process and this one.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// A descriptor that no child inherits. A copy of it in a child is closed
/// already.
#[derive(Debug)]
pub(crate) struct Private {
    fd: Option<OwnedFd>,
    generation: u32,
}

impl Private {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        private().insert(fd.as_raw_fd());
        Self { fd: Some(fd), generation: generation() }
    }

    /// Whether it was made by this process, not by one that this is a copy of.
    pub(crate) fn is_ours(&self) -> bool {
        self.generation == generation()
    }
}

impl AsFd for Private {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.deref().as_fd()
    }
}

impl Deref for Private {
    type Target = OwnedFd;

    fn deref(&self) -> &OwnedFd {
        self.fd.as_ref().expect("taken by drop only")
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let ours = self.is_ours();
        let Some(fd) = self.fd.take() else { return };
        if ours {
            private().remove(&fd.as_raw_fd());
        } else {
            // The number was closed after the fork and may be another file by
            // now.
            let _ = fd.into_raw_fd();
        }
    }
}

#[inline]
fn private() -> std::sync::MutexGuard<'static, BTreeSet<RawFd>> {
    PRIVATE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[inline]
fn close_private() {
    // Another thread may have held the lock when somebody else forked: it is
    // not in this process to open it again.
    let mut private = match PRIVATE.try_lock() {
        Ok(private) => private,
        Err(TryLockError::Poisoned(error)) => error.into_inner(),
        Err(TryLockError::WouldBlock) => return,
    };
    let mut fds = private.iter().copied().peekable();
    while let Some(first) = fds.next() {
        let mut last = first;
        while fds.next_if_eq(&(last + 1)).is_some() {
            last += 1;
        }
        // SAFETY: the numbers are those of descriptors owned by `Private`
        // values, which do not touch them any more in this process: the
        // generation has changed.
        unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    }
    // Not freed: that would make the child copy the pages of the allocator.
    std::mem::forget(std::mem::take(&mut *private));
}

fn wait_for_threads_to_leave() -> Result<(), ForkError> {
    if is_single_threaded() {
        return Ok(());
    }
    let (mut fewest, mut end) = (usize::MAX, Instant::now());
    loop {
        let threads = threads().map_err(|error| {
            ForkError::System("stat of /proc/self/task", error)
        })?;
        if threads <= 1 {
            return Ok(());
        }
        let now = Instant::now();
        if threads < fewest {
            (fewest, end) = (threads, now + GRACE);
        } else if now >= end {
            return Err(ForkError::Threaded(threads));
        }
        // A thread that was joined leaves by itself; nothing tells when.
        thread::sleep(Duration::from_micros(100));
    }
}

/// Asks the quick way, which may say no for other reasons too: leaving one's
/// thread group is allowed, and does nothing, when there is no other thread in
/// it.
fn is_single_threaded() -> bool {
    // SAFETY: unshare takes a number, and with this flag it either fails or
    // changes nothing.
    unsafe { libc::unshare(libc::CLONE_THREAD) == 0 }
}

/// The threads of this process: each is a directory in /proc/self/task, and so
/// a link to it.
fn threads() -> io::Result<usize> {
    let links = fs::metadata("/proc/self/task")?.nlink();
    Ok(links.saturating_sub(2) as usize)
}

/// Pushes text out that waits in the buffers of Rust's and C's stdout. A closed
/// one is no reason not to fork.
///
/// C's other streams stay as they are: a child leaves by `_exit`, which does
/// not flush them a second time.
#[inline]
fn flush() {
    unsafe extern "C" {
        static stdout: *mut libc::FILE;
        fn __fpending(stream: *mut libc::FILE) -> libc::size_t;
    }
    let _ = io::stdout().flush();
    // SAFETY: C's stdout is a stream as long as the process lives (a program
    // may have set it to null); no thread but this one uses it, or it locks
    // for itself.
    unsafe {
        if !stdout.is_null() && __fpending(stdout) > 0 {
            libc::fflush(stdout);
        }
    }
}

/// By the system call itself, as with the other calls that a child makes: each
/// page of code that it runs is one that it must map first.
#[inline]
fn restore(mask: &SigSet) {
    let mask: *const libc::sigset_t = mask.as_ref();
    // SAFETY: the mask lives, and its first bytes are the kernel's set, of the
    // size given.
    let set = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            mask,
            std::ptr::null_mut::<libc::sigset_t>(),
            KERNEL_SIGSET,
        )
    };
    debug_assert_eq!(set, 0, "a valid mask is not refused");
}

/// The signals that have a handler, a bit each, but for the two by which Rust's
/// runtime tells a stack overflow. Asked before the fork, where it costs the
/// least.
fn handled_signals() -> u64 {
    let mut handled = 0;
    // Those between are the C library's own.
    let signals = (1..=libc::SIGSYS).chain(libc::SIGRTMIN()..=libc::SIGRTMAX());
    for signal in signals
        .filter(|signal| !matches!(*signal, libc::SIGSEGV | libc::SIGBUS))
    {
        // SAFETY: a zeroed sigaction is a valid one, and the pointer to it is
        // to a live value; a number that is no signal to glibc yields
        // an error.
        let (asked, action) = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let asked = libc::sigaction(signal, std::ptr::null(), &mut action);
            (asked, action.sa_sigaction)
        };
        if asked == 0 && action != libc::SIG_DFL && action != libc::SIG_IGN {
            handled |= 1 << (signal - 1);
        }
    }
    handled
}

/// Gives those signals their default action.
fn default_signals(handled: u64) {
    for signal in (1..=64).filter(|signal| handled & 1 << (signal - 1) != 0) {
        // SAFETY: a zeroed sigaction is a valid one (no flags, empty mask,
        // SIG_DFL), and lives.
        unsafe {
            let default: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, &default, std::ptr::null_mut());
        }
    }
}

/// Asks the kernel to end this process with its parent, also if that ended
/// before it was asked.
#[inline]
fn die_with(parent: Pid) {
    // SAFETY: PR_SET_PDEATHSIG takes one number and touches no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    if getppid() != parent {
        exit_now(EXIT_PANICKED);
    }
}
