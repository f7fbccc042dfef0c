//! A process by a descriptor that cannot come to mean another one.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::libc;
use nix::unistd::Pid;

/// How a child ended, as `waitid` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By `exit` with this code, 0 to 255.
    Exited(i32),
    /// By this signal.
    Killed(i32),
    /// Nobody knows: it was reaped elsewhere, or SIGCHLD is ignored.
    Unknown,
}

/// Opens a descriptor of the process.
pub(crate) fn open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two numbers; what it returns is an error or a
    // descriptor of our own.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd as i32))
    }
}

/// Sends a signal. One to a process that has ended is not an error.
pub(crate) fn send(pidfd: impl AsFd, signal: i32) -> io::Result<()> {
    // SAFETY: a null siginfo asks for what `kill` would send; the descriptor is
    // open.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_fd().as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    match io::Error::last_os_error() {
        _ if sent == 0 => Ok(()),
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        error => Err(error),
    }
}

/// Reaps the child without waiting; `None` while it lives.
pub(crate) fn try_reap(pidfd: impl AsFd) -> Option<Ended> {
    waitid(pidfd, libc::WNOHANG)
}

/// Waits for the child's end and reaps it.
pub(crate) fn reap(pidfd: impl AsFd) -> Ended {
    waitid(pidfd, 0).expect("without WNOHANG waitid waits for an end")
}

fn waitid(pidfd: impl AsFd, flags: i32) -> Option<Ended> {
    let fd = pidfd.as_fd().as_raw_fd() as libc::id_t;
    loop {
        // SAFETY: a zeroed siginfo is a valid one, and the pointer is to a live
        // value; the fields read are those that waitid fills for
        // SIGCHLD.
        let (result, info) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let result = libc::waitid(
                libc::P_PIDFD,
                fd,
                &mut info,
                libc::WEXITED | flags,
            );
            (result, (info.si_pid(), info.si_code, info.si_status()))
        };
        return match (result, info) {
            (0, (0, _, _)) => None,
            (0, (_, libc::CLD_EXITED, code)) => Some(Ended::Exited(code)),
            (0, (_, _, signal)) => Some(Ended::Killed(signal)),
            _ if io::Error::last_os_error().kind()
                == io::ErrorKind::Interrupted =>
            {
                continue;
            }
            _ => Some(Ended::Unknown),
        };
    }
}
