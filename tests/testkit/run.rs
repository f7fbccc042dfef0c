use crate::Lesson;
use crate::mutant::{Change, Mutant};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, kill, killpg};
use nix::unistd::Pid;
use shared::trace::Trace;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any lesson and its Python take at `--speed 20`, even on a busy
/// machine.
const DEADLINE: Duration = Duration::from_secs(150);

/// A lesson about to be run: at `--speed 20` unless said otherwise, with a
/// temporary folder of its own and without a terminal.
pub struct Run {
    /// The command, to be changed as a test needs it.
    pub command: Command,
    place: TempDir,
    /// These are kept as long as it runs.
    _mutant: Option<Mutant>,
    _program: Option<TempDir>,
}

/// A lesson that has ended.
pub struct Ended {
    /// Its exit code; 128 and the number of the signal that killed it.
    pub code: i32,
    /// What it wrote.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
    /// What it recorded.
    pub trace: Trace,
}

impl Run {
    /// `lesson` with these options.
    pub fn new(lesson: Lesson, args: &[&str]) -> Self {
        Self::program(lesson.binary, args)
    }

    /// `lesson` with a change in its source, built for it.
    pub fn mutant(lesson: Lesson, change: Change, args: &[&str]) -> Self {
        Self::built(Mutant::build(lesson, change), args)
    }

    pub(crate) fn built(mutant: Mutant, args: &[&str]) -> Self {
        let program = mutant.program().display().to_string();
        Self { _mutant: Some(mutant), ..Self::program(&program, args) }
    }

    /// Any program that takes the options of a lesson.
    pub fn program(program: &str, args: &[&str]) -> Self {
        let mut run = Self::other(program, args);
        if !args.iter().any(|arg| arg.starts_with("--speed")) {
            run.command.args(["--speed", "20"]);
        }
        if !args.contains(&"--trace") {
            let trace = run.trace_path();
            run.command.arg("--trace").arg(trace);
        }
        run
    }

    /// Any program.
    pub fn other(program: &str, args: &[&str]) -> Self {
        let place =
            tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(place.path().join("tmp")).expect("and a folder in it");
        let mut command = Command::new(program);
        command
            .args(args)
            .env("TMPDIR", place.path().join("tmp"))
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .process_group(0);
        // SAFETY: between fork and exec only sigaction(2) is called.
        #[expect(unsafe_code, reason = "only the program is to have them")]
        unsafe {
            command.pre_exec(usual_signals)
        };
        Self { command, place, _mutant: None, _program: None }
    }

    /// `lesson` as a user who may have so many processes and threads, and has
    /// no others. Where this user may not become another one, as this one:
    /// then all that it has count.
    ///
    /// # Panics
    /// When its program cannot be copied to where another user reaches it.
    pub fn of_few(lesson: Lesson, most: u64, args: &[&str]) -> Self {
        let place =
            tempfile::tempdir().expect("a temporary folder can be made");
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(place.path(), open).expect("and opened");
        let program = place.path().join("lesson");
        copy_program(lesson.binary, &program);
        let mut run = Self::other(&program.display().to_string(), args);
        run.command.current_dir("/");
        if let Some(user) = another_user() {
            // The limit does not bind root.
            run.command.uid(user);
        }
        let limit = move || {
            setrlimit(Resource::RLIMIT_NPROC, most, most).map_err(Into::into)
        };
        // SAFETY: between fork and exec only setrlimit(2) is called.
        #[expect(unsafe_code, reason = "only the lesson is to have the limit")]
        unsafe {
            run.command.pre_exec(limit)
        };
        Self { _program: Some(place), ..run }
    }

    /// Where the trace will be.
    pub fn trace_path(&self) -> PathBuf {
        self.place.path().join("trace.jsonl")
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it does not end in time, and when it leaves a process or a file
    /// behind.
    pub fn end(self) -> Ended {
        self.end_after(|_| {})
    }

    /// Runs it, does something to it meanwhile, and waits for its end.
    ///
    /// # Panics
    /// Like [`Run::end`].
    pub fn end_after(mut self, meanwhile: impl FnOnce(&mut Child)) -> Ended {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            self.command.spawn().expect("the lesson can be started");
        let group = Pid::from_raw(child.id() as i32);
        let mut alive = Alive(Some(group));
        meanwhile(&mut child);
        let stdout = child.stdout.take().map(reader);
        let stderr = child.stderr.take().map(reader);
        let (ended, wait) = mpsc::channel();
        let waiter = thread::spawn(move || ended.send(child.wait()));
        let status = wait.recv_timeout(DEADLINE);
        let status = status.expect("the lesson ends in time");
        alive.0 = None;
        let status = status.expect("the lesson can be waited for");
        let _ = waiter.join();
        nothing_is_left_of(group);
        let text = |read: Option<mpsc::Receiver<String>>| {
            read.map_or(String::new(), |read| {
                let read = read.recv_timeout(DEADLINE);
                read.expect("nobody holds its output any more")
            })
        };
        let left: Vec<_> = fs::read_dir(self.place.path().join("tmp"))
            .expect("the temporary folder is still there")
            .collect();
        assert!(left.is_empty(), "left in the temporary folder: {left:?}");
        Ended {
            code: status.code().unwrap_or(128 + status.signal().unwrap_or(0)),
            stdout: text(stdout),
            stderr: text(stderr),
            trace: Trace::read(&self.trace_path()).unwrap_or_default(),
        }
    }
}

impl Ended {
    /// Asserts that it ended well and said nothing to standard error.
    pub fn well(self) -> Self {
        let Self { code, stderr, stdout, .. } = &self;
        assert!(
            *code == 0 && stderr.is_empty(),
            "exit {code}\n{stderr}\n{stdout}"
        );
        assert_eq!(self.trace.damaged(), []);
        self
    }

    /// Asserts that it ended with `code` and one line on standard error that
    /// has each of `words`.
    pub fn refused(&self, code: i32, words: &[&str]) {
        let stderr = &self.stderr;
        assert_eq!(self.code, code, "{stderr}\n{}", self.stdout);
        for word in words {
            assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
        }
        for word in ["panicked", "RUST_BACKTRACE", "Traceback"] {
            assert!(!stderr.contains(word), "{stderr}");
        }
        if code == 1 {
            assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
        }
    }
}

/// A user whom no other test is, so that nobody else's processes count; `None`
/// if this one may not become another.
fn another_user() -> Option<u32> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    // Above all users there are; a process of tests asks 64 times at most.
    let calls = CALLS.fetch_add(1, Relaxed) % 64;
    let own = 1_000_000 + std::process::id() * 64 + calls;
    // Inside a container there may be no such number.
    [own, 65_534].into_iter().find(|&user| {
        let mut command = Command::new("true");
        command.uid(user).status().is_ok_and(|status| status.success())
    })
}

/// Lets the signals of a terminal end the program, also where the tests
/// themselves run in the background (`&` ignores SIGINT and SIGQUIT, nohup(1)
/// SIGHUP), which is inherited.
fn usual_signals() -> io::Result<()> {
    let usual = SigHandler::SigDfl;
    for signal in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
        // SAFETY: the default action runs no code of this program.
        #[expect(unsafe_code, reason = "a handler could run anything")]
        unsafe { nix::sys::signal::signal(signal, usual) }?;
    }
    Ok(())
}

/// Ends the group of a lesson that is still running when a test gives up.
struct Alive(Option<Pid>);

impl Drop for Alive {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It has not been waited for: nobody else can have its number.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

fn reader(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (read, text) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        // Who asked may have given up.
        let _ = read.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    text
}

/// Waits until `met` says yes, at most as long as a run may take.
///
/// # Panics
/// When it has not in that time.
pub fn until(what: &str, mut met: impl FnMut() -> bool) {
    let start = Instant::now();
    while !met() {
        assert!(start.elapsed() < DEADLINE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Copies a program that is to be run.
///
/// Another one does the copying: here the copy would be open for writing, and
/// whatever a test beside this one starts at that moment would have it open
/// too, for a while. The system runs no program that somebody may write to
/// (execve(2), ETXTBSY).
///
/// # Panics
/// When it cannot be copied.
pub fn copy_program(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    let (from, to) = (from.as_ref(), to.as_ref());
    let status = Command::new("cp").arg(from).arg(to).status();
    let copied = status.is_ok_and(|status| status.success());
    assert!(copied, "{} can be copied to {}", from.display(), to.display());
}

/// Ends whatever is still alive of a process group, and complains about it.
pub(crate) fn nothing_is_left_of(group: Pid) {
    let left = members(group);
    for pid in &left {
        // It may end by itself in this moment, which changes nothing.
        let _ = kill(*pid, Signal::SIGKILL);
    }
    assert!(left.is_empty(), "left behind: processes {left:?}");
}

fn members(group: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("these tests need /proc");
    let pids = processes.filter_map(|entry| {
        let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // proc_pid_stat(5): pid (comm) state ppid pgrp …
        let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let in_group = fields.get(2)?.parse() == Ok(group.as_raw());
        in_group.then_some(Pid::from_raw(pid))
    });
    pids.collect()
}
