use crate::Lesson;
use crate::run::{nothing_is_left_of, until};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::pty::{Winsize, openpty};
use nix::sys::termios::tcgetattr;
use nix::unistd::{Pid, setsid};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use unicode_width::UnicodeWidthStr;

/// What is typed, and the text that has to be on the screen before.
pub type Keys = (&'static str, &'static str);

/// What a lesson showed on a terminal, and how it ended.
pub struct Screen {
    /// All that was written, with its colours.
    pub raw: String,
    /// Its exit code.
    pub code: Option<i32>,
    /// Whether the terminal was left as it was found.
    pub restored: bool,
}

impl Screen {
    /// Runs `lesson` on a terminal of `columns` times 24, typing `keys`.
    ///
    /// # Panics
    /// When it does not end in time or leaves a process behind.
    pub fn of(
        lesson: Lesson,
        columns: u16,
        args: &[&str],
        keys: &[Keys],
    ) -> Self {
        Self::with(lesson, columns, args, keys, None)
    }

    /// Like [`Screen::of`], on one of so many rows too.
    ///
    /// # Panics
    /// Like [`Screen::of`].
    pub fn on(
        lesson: Lesson,
        (rows, columns): (u16, u16),
        args: &[&str],
        keys: &[Keys],
    ) -> Self {
        let keys = keys.iter().copied();
        Self::play(lesson, (rows, columns), args, keys, false, None)
    }

    /// Walks through the lesson to its end, by Enter.
    ///
    /// # Panics
    /// Like [`Screen::of`].
    pub fn walked(lesson: Lesson, size: (u16, u16)) -> Self {
        let enter = std::iter::repeat(("Enter: ", "\r"));
        Self::play(lesson, size, &["--walk"], enter, true, None)
    }

    /// Like [`Screen::of`], with one more variable in its environment.
    ///
    /// # Panics
    /// Like [`Screen::of`].
    pub fn with(
        lesson: Lesson,
        columns: u16,
        args: &[&str],
        keys: &[Keys],
        env: Option<(&str, &str)>,
    ) -> Self {
        let keys = keys.iter().copied();
        Self::play(lesson, (24, columns), args, keys, false, env)
    }

    /// Types the keys one after the other; all of them, or as long as the
    /// lesson runs.
    fn play(
        lesson: Lesson,
        (ws_row, ws_col): (u16, u16),
        args: &[&str],
        keys: impl Iterator<Item = Keys>,
        may_end: bool,
        env: Option<(&str, &str)>,
    ) -> Self {
        let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = openpty(&size, None).expect("there is a terminal left");
        // Else the lesson would keep its own terminal open.
        for end in [&terminal.master, &terminal.slave] {
            let close = FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC);
            fcntl(end, close).expect("it is open");
        }
        let end = || {
            Stdio::from(terminal.slave.try_clone().expect("with a descriptor"))
        };
        let mut command = Command::new(lesson.binary);
        command.args(args).args(["--speed", "20"]);
        command.stdin(end()).stdout(end()).stderr(end());
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(env);
        // A session of its own, so that what is typed can be a signal.
        #[expect(unsafe_code, reason = "the terminal is to be the lesson's")]
        // SAFETY: between fork and exec only setsid(2) and ioctl(2) are
        // called.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                Errno::result(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
                Ok(())
            });
        }
        let before = tcgetattr(&terminal.master).expect("it is a terminal");
        let mut child = command.spawn().expect("the lesson can be started");
        drop((command, terminal.slave));
        let mut master = File::from(terminal.master);
        let mut output = master.try_clone().expect("with a second descriptor");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&shown);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // EIO when the last writer has closed it.
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                seen.lock().expect("no reader panics").extend(&bytes[..length]);
            }
        });
        let text = || {
            let bytes = shown.lock().expect("no reader panics");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let mut from = 0;
        let mut status = None;
        for (awaited, typed) in keys {
            until(&format!("`{awaited}` is shown"), || {
                let found = text()[from..].find(awaited);
                from += found.map_or(0, |at| at + awaited.len());
                let ended = child.try_wait().expect("it can be waited for");
                status = ended.filter(|_| may_end && found.is_none());
                found.is_some() || status.is_some()
            });
            if status.is_some() {
                break;
            }
            master.write_all(typed.as_bytes()).expect("it can be typed");
        }
        until("the lesson ends", || {
            status = child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        let after = tcgetattr(&master).expect("it is still a terminal");
        let _ = reader.join();
        nothing_is_left_of(Pid::from_raw(child.id() as i32));
        Self {
            raw: text(),
            code: status.and_then(|status| status.code()),
            restored: before.local_flags == after.local_flags,
        }
    }

    /// What was shown, without its colours.
    pub fn text(&self) -> String {
        anstream::adapter::strip_str(&self.raw).to_string()
    }

    /// What was shown between one clearing of the screen and the next, without
    /// colours.
    pub fn views(&self) -> Vec<String> {
        let views = self.raw.split("\u{1b}[2J\u{1b}[H");
        let plain = views.map(|view| anstream::adapter::strip_str(view));
        plain.map(|view| view.to_string()).collect()
    }

    /// The widest line, in columns. One that was drawn over is another line.
    pub fn width(&self) -> usize {
        let text = self.text();
        let lines = text.split(['\n', '\r']);
        lines.map(|line| line.trim_end().width()).max().unwrap_or(0)
    }
}
