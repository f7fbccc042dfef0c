//! The process above a lesson: it waits for the lesson, passes signals on, and
//! sees to it that nothing of it is left.
//!
//! The lesson itself is a child, so that it may do anything, be killed or
//! crash, block or start processes of its own, and still ends cleanly. Two
//! properties of Linux make that sure: a child dies with its supervisor
//! (PR_SET_PDEATHSIG), and whatever loses its parent becomes a child of the
//! lesson, and after the lesson's end of the supervisor
//! (PR_SET_CHILD_SUBREAPER), see prctl(2).
#![expect(unsafe_code, reason = "fork")]

use super::limit::fork_error;
use crate::Result;
use anyhow::{Context, bail};
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getpgrp, getpid, getppid, tcgetpgrp};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::exit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// How long a lesson that was asked to end may take for it.
const GRACE: Duration = Duration::from_secs(2);
/// How long a process may still be on its way out when its lesson has ended.
const LEAVING: Duration = Duration::from_millis(300);
/// The longest sleep: a longer one would not tell time that was slept from
/// time in which this process was stopped (SIGTSTP).
const NAP: Duration = Duration::from_secs(1);

/// The signals that ask a lesson to end, or would end it if nobody awaited
/// them.
const ENDING: [Signal; 7] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
];

static PACKAGE: OnceLock<String> = OnceLock::new();
static SUPERVISOR: AtomicI32 = AtomicI32::new(0);
static LESSON: AtomicI32 = AtomicI32::new(0);

/// Runs `lesson` in a child and returns the status to exit with: the lesson's
/// own, or 128 and the signal's number if a signal ended it or nobody reads
/// its output. `keys` says whether the lesson reads keys from the terminal,
/// which is restored if it dies while it does. In the end this process
/// tidies up by `tidy`.
///
/// # Errors
/// When there can be no child, when the lesson was killed, did not end within
/// `limit`, or left processes behind.
pub(super) fn supervise(
    package: &str,
    limit: Option<Duration>,
    keys: bool,
    lesson: impl FnOnce() -> u8,
    tidy: impl FnOnce() -> Result,
) -> Result<u8> {
    PACKAGE.get_or_init(|| package.to_owned());
    // Whoever ignores SIGCHLD cannot wait for a child, and an exec keeps it.
    // SAFETY: the default action is no handler.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    let heard = ENDING.into_iter().filter(|signal| !is_ignored(*signal));
    let heard = heard.chain([Signal::SIGCHLD, Signal::SIGPIPE]);
    let heard = SigSet::from_iter(heard);
    // Restoring the terminal must not stop a supervisor.
    let blocked = SigSet::from_iter(heard.iter().chain([Signal::SIGTTOU]));
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&heard, flags)?;
    let terminal = tcgetattr(io::stdin()).ok().filter(|_| keys);
    let supervisor = getpid();
    SUPERVISOR.store(supervisor.as_raw(), Relaxed);
    // SAFETY: this process has one thread, so that the child may do anything.
    match unsafe { fork() }.map_err(fork_error)? {
        ForkResult::Child => {
            drop(signals);
            LESSON.store(getpid().as_raw(), Relaxed);
            // Where a shell had SIGINT ignored the supervisor hears it all the
            // same, and hands it on.
            // SAFETY: the default action is no handler.
            let heard = unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) };
            let prepared = heard
                .and_then(|_| before.thread_set_mask())
                .and_then(|()| set_pdeathsig(Signal::SIGKILL))
                .and_then(|()| set_child_subreaper(true));
            // A supervisor that ended before the request can no longer be
            // waited for.
            if prepared.is_err() || getppid() != supervisor {
                exit(1);
            }
            exit(i32::from(lesson()))
        }
        ForkResult::Parent { child } => {
            set_child_subreaper(true)?;
            let watch = Watch { lesson: child, signals, terminal, asked: None };
            let status = watch.until_the_end(limit);
            // Why the lesson failed says more than why this did.
            let tidied = tidy();
            status.and_then(|status| tidied.map(|()| status))
        }
    }
}

/// Whether SIGHUP is ignored, as nohup(1) has it, which is then to be obeyed.
/// (Of SIGINT a shell without job control does the same for what it runs in
/// the background, and there it only hides a signal that somebody sent.)
fn is_ignored(signal: Signal) -> bool {
    // SAFETY: a null pointer only asks; sigaction may be zero throughout, and
    // is written to before it is read.
    let action = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal as i32, std::ptr::null(), &raw mut action);
        action.sa_sigaction
    };
    signal == Signal::SIGHUP && action == libc::SIG_IGN
}

/// Whether this is the process that the lesson began in.
pub(super) fn is_lesson() -> bool {
    LESSON.load(Relaxed) == getpid().as_raw()
}

/// Ends the whole run, without a word, because nobody reads its output.
pub(super) fn nobody_listens() -> ! {
    let supervisor = Pid::from_raw(SUPERVISOR.load(Relaxed));
    if kill(supervisor, Signal::SIGPIPE).is_ok() {
        // The end comes from there, before anything else can be tried here.
        thread::sleep(GRACE);
    }
    exit(128 + Signal::SIGPIPE as i32)
}

/// Ends this process because its output cannot be written; the lesson's own
/// process says why.
pub(super) fn cannot_speak(error: &io::Error) -> ! {
    if is_lesson() {
        let package = PACKAGE.get().map_or("lesson", String::as_str);
        let said = format!(
            "cannot write to standard output: {error}; send it elsewhere"
        );
        // Where even that cannot be written the status must do.
        let _ = writeln!(io::stderr(), "{package}: {said}");
    }
    exit(1)
}

struct Watch {
    lesson: Pid,
    signals: SignalFd,
    terminal: Option<Termios>,
    /// The signal by which the run was asked to end.
    asked: Option<Signal>,
}

impl Watch {
    fn until_the_end(mut self, limit: Option<Duration>) -> Result<u8> {
        let mut left = limit;
        let mut late = false;
        let status = loop {
            if let Some(status) = self.reap()? {
                break status;
            }
            match self.next_signal(&mut left)? {
                Some(Signal::SIGCHLD) => {}
                // Once asked, it has its time; asked again, it has none.
                Some(signal)
                    if self.asked.is_some() || signal == Signal::SIGPIPE =>
                {
                    self.asked.get_or_insert(signal);
                    kill(self.lesson, Signal::SIGKILL)?;
                }
                Some(signal) => {
                    self.asked = Some(signal);
                    left = Some(GRACE);
                    kill(self.lesson, signal)?;
                }
                None => {
                    late = self.asked.is_none();
                    left = None;
                    kill(self.lesson, Signal::SIGKILL)?;
                }
            }
        };
        let by_itself =
            matches!(status, WaitStatus::Exited(..)) && self.asked.is_none();
        let rest = self.end_the_rest(by_itself);
        if let (false, Some(terminal)) = (by_itself, &self.terminal)
            && tcgetpgrp(io::stdin()) == Ok(getpgrp())
        {
            // The lesson may have died while it read single keys. If the
            // terminal is gone there is nothing to restore.
            let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, terminal);
        }
        match (self.asked, status) {
            (Some(signal), _) => Ok(128 + signal as u8),
            (None, _) if late => {
                let seconds = limit.unwrap_or_default().as_secs();
                bail!(
                    "did not end within {seconds} s and was stopped; something above waits for ever, or the machine is too busy"
                )
            }
            (None, WaitStatus::Signaled(_, signal, _))
                if ENDING.contains(&signal) =>
            {
                Ok(128 + signal as u8)
            }
            (None, WaitStatus::Signaled(_, signal, _)) => {
                bail!(
                    "was killed by {signal}; whatever it had started was ended"
                )
            }
            (None, WaitStatus::Exited(_, 0)) => match rest?.join(", ") {
                left if left.is_empty() => Ok(0),
                left => bail!("left behind, and now ended: {left}"),
            },
            (None, WaitStatus::Exited(_, code)) => Ok(code as u8),
            (None, status) => bail!("ended in an unknown way: {status:?}"),
        }
    }

    /// The next signal; nothing when the time that is left is over. Time in
    /// which this process was stopped does not count.
    fn next_signal(
        &self,
        left: &mut Option<Duration>,
    ) -> Result<Option<Signal>> {
        loop {
            if let Some(signal) = self.signals.read_signal()? {
                let signal = Signal::try_from(signal.ssi_signo as i32)?;
                return Ok(Some(signal));
            }
            if *left == Some(Duration::ZERO) {
                return Ok(None);
            }
            let nap = left.map_or(NAP, |left| left.min(NAP));
            // Rounded up, or the last millisecond would be spent in a loop.
            let timeout = PollTimeout::try_from(nap + Duration::from_millis(1));
            let mut ready =
                [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            let start = Instant::now();
            match poll(&mut ready, timeout.unwrap_or(PollTimeout::MAX)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            if let Some(left) = left {
                *left = left.saturating_sub(start.elapsed().min(nap));
            }
        }
    }

    /// Waits for every child that has ended; the lesson's status if it is one
    /// of them.
    fn reap(&self) -> Result<Option<WaitStatus>> {
        let mut found = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => {
                    return Ok(found);
                }
                Ok(status) if status.pid() == Some(self.lesson) => {
                    found = Some(status)
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => {
                    return Err(errno).context("cannot wait for the lesson");
                }
            }
        }
    }

    /// Ends what the lesson has left behind, and whatever that leaves behind.
    /// Returns who was still alive although the lesson ended by itself.
    fn end_the_rest(&self, by_itself: bool) -> Result<Vec<String>> {
        let mut left = Vec::new();
        let leaving =
            Instant::now() + if by_itself { LEAVING } else { Duration::ZERO };
        let end = Instant::now() + GRACE;
        loop {
            self.reap()?;
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(Errno::ECHILD) => return Ok(left),
                _ if Instant::now() > end => {
                    bail!("cannot end what is left of the lesson")
                }
                _ if Instant::now() < leaving => {}
                _ => left.extend(kill_children()?),
            }
            self.next_signal(&mut Some(LEAVING / 3))?;
        }
    }
}

/// Kills all children of this process; returns who they were.
fn kill_children() -> Result<Vec<String>> {
    let me = getpid();
    let missing = "cannot see which processes are left without /proc";
    let mut killed = Vec::new();
    for entry in std::fs::read_dir("/proc").context(missing)? {
        let name = entry.context(missing)?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        let Some((pid, stat)) = pid.and_then(|pid: i32| {
            let stat =
                std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, stat))
        }) else {
            continue;
        };
        // proc_pid_stat(5): pid (comm) state ppid …; comm may hold anything.
        let Some((command, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        let mut rest = rest.split_whitespace();
        let (state, parent) = (rest.next(), rest.next());
        if parent == Some(me.to_string().as_str()) && state != Some("Z") {
            let command =
                command.split_once('(').map_or("", |(_, command)| command);
            killed.push(format!("process {pid} ({command})"));
            // It may have ended in the meantime; nobody else can have its pid
            // while it is this process that has to wait for it.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    Ok(killed)
}
