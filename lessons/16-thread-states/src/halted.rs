//! Threads that no signal wakes but one that kills, and threads that a signal
//! has stopped.

use crate::task::{ASLEEP, RUNNABLE, Task};
use anyhow::Context;
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawnp};
use nix::sys::stat::Mode;
use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
use nix::unistd::{Pid, mkfifo};
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Event, Process, Signal};
use std::ffi::CString;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;

/// A thread starts a program, and the program cannot begin yet. What is the
/// letter of the thread until then?
///
/// - [ ] R: it is at work
/// - [ ] S: it waits, as for anything else
/// - [x] D: it waits, and no signal wakes it but one that kills
pub fn undisturbed(stage: &Stage) -> shared::Result {
    let (main, starter) = (stage.track("main"), stage.track("starter"));
    let gate = stage.folder()?.join("gate");
    mkfifo(&gate, Mode::S_IRWXU).with_context(|| {
        format!("cannot make a named pipe {}; make room there", gate.display())
    })?;
    let (tell, told) = channel();
    let path = gate.clone();
    let thread = thread::spawn(move || {
        let _ = tell.send(Task::current());
        starter.span("starts a program", || start_behind(&path))
    });
    let task = told.recv()?;
    let state = task.until_at_rest_in("clone").state;
    main.note("the starter", state.to_string());
    main.pause(1.0);
    // Whoever opens both ends waits for nobody, and nobody for him.
    let both_ends = File::options().read(true).write(true).open(gate)?;
    let pid = thread.join().expect("it does not panic");
    let pid =
        pid.context("cannot start the program `true`; see to it that you may")?;
    drop(both_ends);
    waitpid(pid, None)?;
    stage.claim("asleep until the program runs", state, equals('D'));
    Ok(())
}

/// Starts a program that first has to open `gate`, and for that needs somebody
/// at its other end. Until the program has begun, the thread that starts it
/// lends it its memory (vfork(2)) and may not move.
fn start_behind(gate: &Path) -> nix::Result<Pid> {
    const NOTHING: [CString; 0] = [];
    let mut first = PosixSpawnFileActions::init()?;
    first.add_open(0, gate, OFlag::O_RDONLY, Mode::empty())?;
    let attributes = PosixSpawnAttr::init()?;
    posix_spawnp(c"true", &first, &attributes, &[c"true"], &NOTHING)
}

/// SIGSTOP goes to a process with two threads: one waits, one is busy. What
/// becomes of each?
///
/// - [x] both are stopped
/// - [ ] one is stopped: the one that gets the signal
/// - [ ] the busy one is stopped; the other sleeps on
pub fn stopped(stage: &Stage) -> shared::Result {
    let main = stage.track("main");
    let (waiter, counter) = (stage.track("waiter"), stage.track("counter"));
    let (counts, leave) = (Event::new()?, Event::new()?);
    let process = Process::spawn(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                counter.span("counts", || {
                    counts.set();
                    while !leave.is_set() {}
                });
            });
            waiter.span("waits", || leave.wait());
        });
    })?;
    counts.wait();
    let id = || Id::Pid(Pid::from_raw(process.pid() as i32));
    let tasks = Task::all(process.pid())?;
    let tell = |when, letters: Vec<char>| {
        let texts: Vec<_> = letters.iter().map(char::to_string).collect();
        main.note(when, texts);
        letters
    };
    let both = tasks.iter().zip([ASLEEP, RUNNABLE]);
    tell("before", both.map(|(task, letter)| task.until(letter)).collect());
    process.send(Signal::STOP)?;
    waitid(id(), WaitPidFlag::WSTOPPED)?; // returns when it has stopped
    let stopped = tell("stopped", tasks.iter().map(Task::state).collect());
    main.span("holds them", || main.pause(1.0));
    process.send(Signal::CONT)?;
    waitid(id(), WaitPidFlag::WCONTINUED)?;
    let after = tell("continued", tasks.iter().map(Task::state).collect());
    main.pause(0.5);
    leave.set();
    process.join()?;
    stage.claim("both are stopped", stopped, equals(vec!['T', 'T']));
    let still = after.iter().filter(|letter| **letter == 'T').count();
    stage.claim("after SIGCONT: stopped still", still, equals(0));
    Ok(())
}
