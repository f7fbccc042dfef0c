//! Waiting for descriptors.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll as nix_poll};

/// Waits until one of them is ready or the time has come (`None`: no end); a
/// signal does not end the wait. Says whether one is.
pub(crate) fn poll(
    fds: &mut [PollFd],
    deadline: Option<Instant>,
) -> nix::Result<bool> {
    loop {
        let timeout = match deadline {
            None => PollTimeout::NONE,
            Some(deadline) => {
                milliseconds(deadline.saturating_duration_since(Instant::now()))
            }
        };
        match nix_poll(fds, timeout) {
            Err(Errno::EINTR) => {}
            Ok(0)
                if deadline
                    .is_none_or(|deadline| Instant::now() < deadline) => {}
            Ok(ready) => return Ok(ready > 0),
            Err(error) => return Err(error),
        }
    }
}

/// Waits for one descriptor to be readable (or hung up); says whether it is.
pub(crate) fn readable(
    fd: impl AsFd,
    deadline: Option<Instant>,
) -> nix::Result<bool> {
    poll(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN)], deadline)
}

/// Rounded up: a wait never ends before its time.
fn milliseconds(time: Duration) -> PollTimeout {
    let millis = time.as_micros().div_ceil(1000).min(i32::MAX as u128) as i32;
    PollTimeout::try_from(millis).expect("not negative")
}
