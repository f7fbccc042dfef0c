//! Runs each case in a process of its own: a `#[test]` always has two threads,
//! and fork is refused there.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How a case ends: an `Err` or a panic fails it.
pub type Outcome = Result<(), Box<dyn Error>>;

/// One case.
pub struct Case {
    /// The file and the function, `queue::first_in_first_out`.
    pub name: &'static str,
    /// What it does, in a process with one thread.
    pub run: fn() -> Outcome,
}

/// The cases of a file: `cases!("queue": first_in_first_out,
/// capacity_is_kept)`.
#[macro_export]
macro_rules! cases {
    ($file:literal: $($case:ident),+ $(,)?) => {
        &[$($crate::runner::Case { name: concat!($file, "::", stringify!($case)), run: $case }),+]
    };
}

/// After this a case has failed.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long the daemons of a case may take to end after it.
const LEAVING: Duration = Duration::from_secs(1);
/// The argument by which the runner calls itself for one case.
const ONE: &str = "--run-one-case";

/// Runs the cases whose names contain one of the arguments (all, without any).
pub fn main(cases: &[&[Case]]) -> ExitCode {
    let cases: Vec<&Case> = cases.iter().copied().flatten().collect();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name] = arguments.as_slice()
        && flag == ONE
    {
        return run_here(&cases, name);
    }
    let exact = arguments.iter().any(|argument| argument == "--exact");
    let filters: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let chosen = |case: &&&Case| {
        filters.is_empty()
            || filters.iter().any(|&filter| {
                if exact {
                    case.name == filter
                } else {
                    case.name.contains(filter)
                }
            })
    };
    let (chosen, left_out): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(chosen);
    if arguments.iter().any(|argument| argument == "--list") {
        for case in &chosen {
            println!("{}: test", case.name);
        }
        println!("\n{} tests, 0 benchmarks", chosen.len());
        return ExitCode::SUCCESS;
    }
    run_all(&chosen, left_out.len())
}

fn run_all(cases: &[&Case], filtered_out: usize) -> ExitCode {
    // What a case leaves behind becomes a child of this process, where it is
    // found.
    prctl::set_child_subreaper(true)
        .expect("any process may become a subreaper");
    let began = Instant::now();
    println!("\nrunning {} tests", cases.len());
    let mut failures = Vec::new();
    for case in cases {
        let verdict = run_apart(case.name);
        println!(
            "test {} ... {}",
            case.name,
            if verdict.is_ok() { "ok" } else { "FAILED" }
        );
        if let Err(reason) = verdict {
            failures.push((case.name, reason));
        }
    }
    for (name, reason) in &failures {
        println!("\n---- {name} ----\n{reason}");
    }
    println!(
        "\ntest result: {}. {} passed; {} failed; 0 ignored; 0 measured; {filtered_out} filtered out; finished in \
         {:.2}s\n",
        if failures.is_empty() { "ok" } else { "FAILED" },
        cases.len() - failures.len(),
        failures.len(),
        began.elapsed().as_secs_f64(),
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// The part of the process that is one case.
fn run_here(cases: &[&Case], name: &str) -> ExitCode {
    let case = cases
        .iter()
        .find(|case| case.name == name)
        .expect("the runner knows its cases");
    match (case.run)() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// Starts a case, waits for it until the deadline, and looks for what it left.
fn run_apart(name: &str) -> Result<(), String> {
    let text = |error: &dyn Error| format!("the runner failed: {error}");
    let mut ends = SigSet::empty();
    ends.add(Signal::SIGCHLD);
    ends.thread_block().map_err(|error| text(&error))?;
    let ends = SignalFd::with_flags(
        &ends,
        SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC,
    )
    .map_err(|error| text(&error))?;
    let output = tempfile().map_err(|error| text(&error))?;
    let mut case =
        Command::new(std::env::current_exe().map_err(|error| text(&error))?)
            .args([ONE, name])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(|error| text(&error))?)
            .stderr(output.try_clone().map_err(|error| text(&error))?)
            .spawn()
            .map_err(|error| text(&error))?;
    let group = Pid::from_raw(case.id() as i32);
    let status = wait_until(&mut case, &ends, Instant::now() + DEADLINE);
    let left = leftovers(group, &ends);
    let _ = killpg(group, Signal::SIGKILL);
    if status.is_none() {
        let _ = case.wait();
    }
    reap_adopted(group);
    let said = read_back(output);
    match status {
        None => Err(format!(
            "not done after {DEADLINE:?}; alive then: {left:?}\n{said}"
        )),
        Some(status) if !status.success() => {
            Err(format!("{}\n{said}", ended(status)))
        }
        Some(_) if !left.is_empty() => {
            Err(format!("left behind: {left:?}\n{said}"))
        }
        Some(_) => Ok(()),
    }
}

fn wait_until(
    case: &mut Child,
    ends: &SignalFd,
    deadline: Instant,
) -> Option<ExitStatus> {
    loop {
        while matches!(ends.read_signal(), Ok(Some(_))) {}
        if let Ok(Some(status)) = case.try_wait() {
            return Some(status);
        }
        if !wait_for_an_end(ends, deadline) {
            return None;
        }
    }
}

/// Waits until a child has ended; `false` when the time is over.
fn wait_for_an_end(ends: &SignalFd, deadline: Instant) -> bool {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = PollTimeout::try_from(left.as_millis() as i32 + 1)
        .expect("not negative");
    match poll(&mut [PollFd::new(ends.as_fd(), PollFlags::POLLIN)], timeout) {
        Ok(_) | Err(Errno::EINTR) => !left.is_zero(),
        Err(error) => panic!("poll: {error}"),
    }
}

/// What lives on in the group: daemons are given a moment, since the kernel
/// ends them after the case.
fn leftovers(group: Pid, ends: &SignalFd) -> Vec<String> {
    let deadline = Instant::now() + LEAVING;
    loop {
        while matches!(ends.read_signal(), Ok(Some(_))) {}
        reap_adopted(group);
        let left = members(group);
        if left.is_empty() || !wait_for_an_end(ends, deadline) {
            return left;
        }
    }
}

/// The processes of a group, `pid (name) state`.
fn members(group: Pid) -> Vec<String> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter(|stat| {
            let fields =
                stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace());
            fields.and_then(|mut fields| fields.nth(2))
                == Some(group.to_string().as_str())
        })
        .map(|stat| {
            stat.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// Reaps what was adopted from a case.
fn reap_adopted(group: Pid) {
    loop {
        match waitpid(
            Pid::from_raw(-group.as_raw()),
            Some(WaitPidFlag::WNOHANG),
        ) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
            _ => {}
        }
    }
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => "ended, nobody knows how".to_owned(),
    }
}

fn tempfile() -> nix::Result<fs::File> {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    Ok(fs::File::from(memfd_create(
        c"output of a case",
        MFdFlags::MFD_CLOEXEC,
    )?))
}

fn read_back(mut output: fs::File) -> String {
    use std::io::Seek;
    let mut bytes = Vec::new();
    let read = output.rewind().and_then(|()| output.read_to_end(&mut bytes));
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("(its output cannot be read: {error})"),
    }
}
