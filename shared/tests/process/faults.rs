//! What goes wrong, and the errors that say so.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal as Number;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, Uid, fork, setuid};
use shared::process::{
    JoinError, Manager, Pool, Process, Signal, SpawnError, Status,
};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{SOON, eventually, ignore, open_descriptors, state};

pub const CASES: &[Case] = cases!("faults":
    fork_is_refused_while_threads_live,
    a_thread_on_its_way_out_is_waited_for,
    the_process_limit_is_named,
    the_descriptor_limit_is_named_and_nothing_is_left,
    a_daemon_may_not_have_children,
    with_sigchld_ignored_the_status_is_unknown,
    reaped_elsewhere_the_status_is_unknown,
    a_process_that_kills_itself_is_named_with_the_signal,
    a_process_that_becomes_another_program_has_its_code,
    aborting_is_a_signal,
    a_child_that_others_forked_ends_nothing,
);

fn fork_is_refused_while_threads_live() -> Outcome {
    let (end, ended) = mpsc::channel::<()>();
    let thread = thread::spawn(move || ended.recv());
    let error = Process::spawn(|| ()).expect_err("there are two threads");
    assert!(
        matches!(error, SpawnError::ForkWhileThreaded { threads: 2, .. }),
        "{error}"
    );
    drop(end);
    assert!(thread.join().is_ok_and(|received| received.is_err()));
    Ok(Process::spawn(|| ())?.join()?)
}

fn a_thread_on_its_way_out_is_waited_for() -> Outcome {
    // As one that was joined and has no core for its last few instructions.
    let slow = Duration::from_millis(100);
    drop(thread::spawn(move || thread::sleep(slow)));
    Ok(Process::spawn(|| ())?.join()?)
}

fn the_process_limit_is_named() -> Outcome {
    // The limit does not hold for root.
    let child = Process::spawn(|| {
        if Uid::effective().is_root() {
            setuid(Uid::from_raw(65_534))?;
        }
        setrlimit(Resource::RLIMIT_NPROC, 0, 0)?;
        let error =
            Process::spawn(|| ()).expect_err("there may be no other process");
        assert!(
            matches!(&error, SpawnError::ProcessLimit { source, .. }
            if source.raw_os_error() == Some(Errno::EAGAIN as i32)),
            "{error}"
        );
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(error.to_string())
    })?;
    let text = child.join()?;
    assert!(
        text.contains("Process-1:1") && text.contains("ulimit -u"),
        "{text}"
    );
    Ok(())
}

fn the_descriptor_limit_is_named_and_nothing_is_left() -> Outcome {
    let before = open_descriptors()?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, 64, hard)?;
    let mut all = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        all.push(file);
    }
    for room in 0..2 {
        all.truncate(all.len() - room);
        let error =
            Process::spawn(|| ()).expect_err("a process takes two descriptors");
        let SpawnError::DescriptorLimit { source, .. } = &error else {
            return Err(error.into());
        };
        assert_eq!(source.raw_os_error(), Some(Errno::EMFILE as i32));
    }
    all.pop();
    let child = Process::spawn(|| ())?;
    assert_eq!(child.join_timeout(SOON), Some(Status::Exited(0)));
    drop((child, all));
    assert_eq!(open_descriptors()?, before);
    assert_eq!(waitpid(None, None), Err(Errno::ECHILD), "a child is left");
    Ok(())
}

fn a_daemon_may_not_have_children() -> Outcome {
    let daemon =
        Process::builder().daemon(true).spawn(|| {
            match Process::spawn(|| ()) {
                Err(error @ SpawnError::DaemonMayNotSpawn { .. }) => {
                    error.to_string()
                }
                other => format!("{other:?}"),
            }
        })?;
    assert!(daemon.is_daemon());
    let text = daemon.join()?;
    assert!(text.ends_with("a daemon may not have children"), "{text}");
    Ok(())
}

fn with_sigchld_ignored_the_status_is_unknown() -> Outcome {
    ignore(Number::SIGCHLD)?;
    let child = Process::spawn(|| 7_u32)?;
    assert!(eventually(|| !child.is_alive()));
    assert_eq!(child.status(), Some(Status::Unknown));
    assert!(matches!(child.join(), Err(JoinError::Unknown { .. })));
    let child = Process::spawn(|| 7_u32)?;
    assert!(matches!(child.join(), Err(JoinError::Unknown { .. })));
    Ok(())
}

fn reaped_elsewhere_the_status_is_unknown() -> Outcome {
    let child = Process::spawn(|| ())?;
    waitpid(Pid::from_raw(child.pid() as i32), None)?;
    assert!(!child.is_alive());
    assert_eq!(child.join_timeout(SOON), Some(Status::Unknown));
    child.kill()?;
    assert!(matches!(child.join(), Err(JoinError::Unknown { .. })));
    Ok(())
}

fn a_process_that_kills_itself_is_named_with_the_signal() -> Outcome {
    let child = Process::builder()
        .name("lemming")
        .spawn(|| nix::sys::signal::raise(Number::SIGKILL))?;
    let pid = child.pid();
    let error = child.join().expect_err("it killed itself");
    assert!(matches!(error, JoinError::Killed { signal: Signal::KILL, .. }));
    assert_eq!(
        error.to_string(),
        format!("lemming (pid {pid}) was killed by SIGKILL")
    );
    assert_eq!(state(pid), None);
    Ok(())
}

fn a_process_that_becomes_another_program_has_its_code() -> Outcome {
    let become_shell = |script: &'static str| {
        Process::spawn(move || {
            Err::<(), _>(Command::new("sh").args(["-c", script]).exec())
        })
    };
    become_shell("exit 0")?.join()?;
    assert!(matches!(
        become_shell("exit 7")?.join(),
        Err(JoinError::Exited { code: 7, .. })
    ));
    let missing = Process::spawn(|| {
        Err::<(), _>(Command::new("/no/such/program").exec())
    })?;
    assert!(matches!(missing.join(), Err(JoinError::Failed { .. })));
    Ok(())
}

fn aborting_is_a_signal() -> Outcome {
    let child = Process::spawn(|| -> () { std::process::abort() })?;
    assert!(matches!(
        child.join(),
        Err(JoinError::Killed { signal: Signal::ABRT, .. })
    ));
    Ok(())
}

fn a_child_that_others_forked_ends_nothing() -> Outcome {
    let pool = Pool::new(2, |n: u64| n + 1)?;
    let manager = Manager::new()?;
    let dict = manager.dict::<String, u32>()?;
    // SAFETY: this process has one thread, so that the child may do anything.
    #[expect(unsafe_code, reason = "a fork that the module does not make")]
    match unsafe { fork() }? {
        ForkResult::Child => {
            // Unwound or returned from, a child drops what it has copies of.
            drop((pool, manager));
            exit(0);
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None)?, WaitStatus::Exited(child, 0));
        }
    }
    assert_eq!(pool.map([1, 2])?, [2, 3]);
    dict.insert("one", &1)?;
    assert_eq!(dict.get("one")?, Some(1));
    Ok(())
}
