use super::voice::Voice;
use crate::Result;
use anstyle::Style;
use anyhow::Context;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, killpg, raise};
use nix::sys::termios::{
    FlushArg, LocalFlags, SetArg, SpecialCharacterIndices as At, Termios,
    tcflush, tcgetattr, tcsetattr,
};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, read, tcsetpgrp};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

/// The keys of the terminal, one at a time, as long as this lives: they are
/// not shown where they are typed, and none of them is a signal.
///
/// Made by [`Stage::keys`](super::Stage::keys).
pub struct Keys {
    voice: Voice,
    before: Termios,
}

/// A key that was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character of ASCII, of letters the small one.
    Char(char),
    /// Enter, or the space bar.
    Enter,
    /// Ctrl-C: whoever asked is to end as if by SIGINT, see
    /// [`Keys::interrupted`].
    Interrupt,
    /// Ctrl-D, or the terminal is gone.
    End,
    /// Any other.
    Other,
}

impl Key {
    fn of(byte: u8) -> Self {
        match byte {
            3 => Self::Interrupt,
            4 => Self::End,
            b'\r' | b'\n' | b' ' => Self::Enter,
            b'!'..=b'~' => Self::Char(char::from(byte.to_ascii_lowercase())),
            _ => Self::Other,
        }
    }
}

impl Keys {
    pub(super) fn begin(voice: Voice) -> Result<Self> {
        let before = tcgetattr(io::stdin()).context(GONE)?;
        let keys = Self { voice, before };
        keys.take()?;
        Ok(keys)
    }

    /// Empties the screen, if it can be.
    pub fn clear(&self) {
        self.voice.clear();
    }

    /// Tells which keys there are, and waits for one.
    ///
    /// # Errors
    /// When none can be read.
    pub fn ask(&self, keys: &str) -> Result<Key> {
        // What was typed while something ran was not meant for this question.
        tcflush(io::stdin(), FlushArg::TCIFLUSH)?;
        self.voice.write("\n");
        self.voice.tell(Style::new().invert(), "", &format!(" {keys} "));
        self.next()
    }

    /// Waits for another key, after one that means nothing here.
    ///
    /// # Errors
    /// When none can be read.
    pub fn next(&self) -> Result<Key> {
        let mut byte = [0];
        loop {
            return match read(io::stdin(), &mut byte) {
                Ok(0) | Err(Errno::EIO) => Ok(Key::End),
                Ok(_) if byte == *b"\x1b" => {
                    // What follows belongs to it: an arrow is three bytes.
                    tcflush(io::stdin(), FlushArg::TCIFLUSH)?;
                    Ok(Key::Other)
                }
                Ok(_) => Ok(Key::of(byte[0])),
                Err(Errno::EINTR) => continue,
                Err(errno) => Err(errno).context(GONE),
            };
        }
    }

    /// Ends the lesson as Ctrl-C does, which was read as a key.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub fn interrupted(self) -> Result {
        drop(self);
        Ok(raise(Signal::SIGINT)?)
    }

    /// Runs `command` in the foreground, as a shell does: it has the terminal,
    /// and Ctrl-C ends it and not the lesson. What is stopped (Ctrl-Z) is
    /// ended, since there is no shell to take it up again. Returns how it
    /// ended.
    ///
    /// # Errors
    /// When it cannot be run; and when the terminal cannot be had back.
    pub fn lend(&self, command: &mut Command) -> Result<ExitStatus> {
        let child = command.process_group(0).spawn()?;
        let group = Pid::from_raw(child.id() as i32);
        self.give_back();
        // Whoever is in the background may not give the terminal away.
        let background = SigSet::from_iter([Signal::SIGTTOU]);
        background.thread_block()?;
        // One that has ended already needs no terminal.
        let _ = tcsetpgrp(io::stdin(), group);
        let ended = wait(group);
        let back = tcsetpgrp(io::stdin(), getpgrp());
        let taken = self.take();
        background.thread_unblock()?;
        back.context(GONE)?;
        taken?;
        ended
    }

    fn take(&self) -> Result {
        let mut single = self.before.clone();
        let flags = LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG;
        single.local_flags.remove(flags);
        single.control_chars[At::VMIN as usize] = 1;
        single.control_chars[At::VTIME as usize] = 0;
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &single).context(GONE)
    }

    fn give_back(&self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.before);
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.give_back();
    }
}

const GONE: &str = "cannot use the terminal; run this in another one";

/// Waits for the end of a child that leads a group of this number.
fn wait(group: Pid) -> Result<ExitStatus> {
    loop {
        match waitpid(group, Some(WaitPidFlag::WUNTRACED)) {
            // It wanted the terminal before it was given.
            Ok(WaitStatus::Stopped(_, Signal::SIGTTIN | Signal::SIGTTOU)) => {
                killpg(group, Signal::SIGCONT)?
            }
            Ok(WaitStatus::Stopped(..)) => {
                killpg(group, Signal::SIGTERM)?;
                killpg(group, Signal::SIGCONT)?;
            }
            Ok(WaitStatus::Exited(_, code)) => {
                return Ok(ExitStatus::from_raw(code << 8));
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                return Ok(ExitStatus::from_raw(signal as i32));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_keys() {
        let keys = b"aA1\r \x03\x04\x1b\xe4".map(Key::of);
        let expected = [
            Key::Char('a'),
            Key::Char('a'),
            Key::Char('1'),
            Key::Enter,
            Key::Enter,
            Key::Interrupt,
            Key::End,
            Key::Other,
            Key::Other,
        ];
        assert_eq!(keys, expected);
    }
}
