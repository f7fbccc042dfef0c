//! `Process`: what CPython promises of its own, in Rust's shape.

use std::io::{Read, Write, pipe};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::Signal as Number;
use serde::{Serialize, Serializer};
use shared::process::{
    Answer, JoinError, Manager, Pool, Process, Signal, Status, current,
    dropped_alive, on_end,
};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{
    SOON, eventually, interrupt_on, open_descriptors, sleep_until_killed, state,
};

pub const CASES: &[Case] = cases!("process":
    the_current_process_knows_itself,
    an_answer_arrives,
    memory_is_copied,
    a_started_one_is_alive_and_knows_its_name_pid_and_parent,
    a_joined_one_has_code_0,
    names_are_counted_and_nested,
    terminate_ends_by_sigterm,
    kill_ends_by_sigkill,
    a_stopped_one_is_alive_and_can_be_killed,
    waiting_tells_how_it_ended_and_leaves_the_answer,
    waiting_no_time_returns_at_once,
    a_timed_wait_takes_its_time,
    an_end_can_be_polled_for,
    children_have_children_in_pre_order,
    a_hundred_short_ones_end_with_0,
    a_hundred_sleepers_end_by_sigterm,
    an_exit_code_is_read_by_the_parent,
    a_panic_reaches_stderr_and_join,
    an_error_reaches_join_with_its_causes,
    an_answer_that_cannot_be_encoded_is_an_error,
    a_large_answer_waits_for_nobody,
    siblings_inherit_no_descriptors,
    descriptors_are_given_back,
    a_dropped_handle_neither_kills_nor_leaves_a_zombie,
    only_the_parent_joins,
    buffered_text_comes_out_once,
    handlers_are_not_inherited,
    a_daemon_ends_with_its_parent,
    a_daemon_ends_when_its_parent_is_killed,
    others_outlive_their_parent,
    a_thread_that_was_joined_does_not_hinder,
    a_fork_inside_answers_once,
    every_end_is_told_once,
);

fn the_current_process_knows_itself() -> Outcome {
    let this = current();
    assert_eq!(this.pid(), std::process::id());
    assert_eq!(this.name(), "MainProcess");
    assert!(this.parent().is_none());
    assert!(!this.is_daemon());
    Ok(())
}

fn an_answer_arrives() -> Outcome {
    let numbers = [1_u64, 2, 3];
    let sum = Process::spawn(|| numbers.iter().sum::<u64>())?;
    assert_eq!(sum.join()?, 6);
    Ok(())
}

fn memory_is_copied() -> Outcome {
    let mut money = 100_u32;
    let child = Process::spawn(|| {
        money += 100;
        money
    })?;
    assert_eq!(child.join()?, 200);
    assert_eq!(money, 100);
    Ok(())
}

fn a_started_one_is_alive_and_knows_its_name_pid_and_parent() -> Outcome {
    let (mut hold, release) = pipe()?;
    let child = Process::builder().name("courier").spawn(move || {
        hold.read_exact(&mut [0])?;
        let this = current();
        let parent = this.parent().expect("it was spawned").clone();
        Ok::<_, io::Error>((
            this.name().to_owned(),
            this.pid(),
            parent.name,
            (parent.pid, this.parent_pid()),
        ))
    })?;
    assert!(child.is_alive());
    assert_eq!(child.status(), None);
    (&release).write_all(&[1])?;
    let (name, pid) = (child.name().to_owned(), child.pid());
    let this = std::process::id();
    assert_eq!(
        child.join()?,
        (name, pid, "MainProcess".to_owned(), (this, this))
    );
    Ok(())
}

fn a_joined_one_has_code_0() -> Outcome {
    let child = Process::spawn(|| ())?;
    assert_eq!(child.join_timeout(SOON), Some(Status::Exited(0)));
    assert_eq!(child.status().and_then(Status::code), Some(0));
    assert!(!child.is_alive());
    child.join()?;
    Ok(())
}

fn names_are_counted_and_nested() -> Outcome {
    let first = Process::spawn(|| ())?;
    let second = Process::spawn(|| {
        let inner = Process::spawn(|| ())?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
            inner.name().to_owned(),
        )
    })?;
    assert_eq!((first.name(), second.name()), ("Process-1", "Process-2"));
    assert_eq!(second.join()?, "Process-2:1");
    Ok(first.join()?)
}

fn terminate_ends_by_sigterm() -> Outcome {
    let child = Process::spawn(sleep_until_killed)?;
    child.terminate()?;
    assert_eq!(child.join_timeout(SOON), Some(Status::Killed(Signal::TERM)));
    child.terminate()?;
    assert!(matches!(
        child.join(),
        Err(JoinError::Killed { signal: Signal::TERM, .. })
    ));
    Ok(())
}

fn kill_ends_by_sigkill() -> Outcome {
    let child = Process::spawn(sleep_until_killed)?;
    child.kill()?;
    assert_eq!(child.join_timeout(SOON), Some(Status::Killed(Signal::KILL)));
    let error = child.join().expect_err("it was killed");
    assert!(error.to_string().ends_with("was killed by SIGKILL"), "{error}");
    Ok(())
}

fn a_stopped_one_is_alive_and_can_be_killed() -> Outcome {
    let child = Process::spawn(sleep_until_killed)?;
    child.send(Signal::STOP)?;
    assert!(eventually(|| state(child.pid()) == Some('T')));
    assert!(child.is_alive());
    assert_eq!(child.join_timeout(Duration::from_millis(20)), None);
    child.kill()?;
    assert_eq!(child.join_timeout(SOON), Some(Status::Killed(Signal::KILL)));
    Ok(())
}

fn waiting_tells_how_it_ended_and_leaves_the_answer() -> Outcome {
    let child = Process::spawn(|| 7_u8)?;
    assert_eq!(child.wait(), Status::Exited(0));
    assert_eq!(child.wait(), Status::Exited(0), "asked again");
    assert_eq!(child.join()?, 7);
    let child = Process::spawn(sleep_until_killed)?;
    child.kill()?;
    assert_eq!(child.wait(), Status::Killed(Signal::KILL));
    Ok(())
}

fn waiting_no_time_returns_at_once() -> Outcome {
    let child = Process::spawn(sleep_until_killed)?;
    let began = Instant::now();
    assert_eq!(child.join_timeout(Duration::ZERO), None);
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(child.is_alive());
    child.kill()?;
    assert!(child.join().is_err());
    Ok(())
}

fn a_timed_wait_takes_its_time() -> Outcome {
    interrupt_on(Number::SIGUSR1)?;
    let child = Process::spawn(sleep_until_killed)?;
    let parent = std::process::id();
    let nuisance = Process::spawn(|| {
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(5));
            nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(parent as i32),
                Number::SIGUSR1,
            )?;
        }
        Ok::<_, nix::Error>(())
    })?;
    let began = Instant::now();
    assert_eq!(child.join_timeout(Duration::from_millis(200)), None);
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "signals cut it short"
    );
    nuisance.join()?;
    child.kill()?;
    assert!(child.join().is_err());
    Ok(())
}

fn an_end_can_be_polled_for() -> Outcome {
    let (mut ear, mouth) = pipe()?;
    let mut child = Process::spawn(move || ear.read_exact(&mut [0]).is_ok())?;
    let of_its_parent = &mut child;
    let other = Process::spawn(move || of_its_parent.pidfd().is_none())?;
    assert!(other.join()?, "only its parent can reap it");
    let readable = |time: u16| {
        let pidfd = child.pidfd().expect("this process started it");
        poll(&mut [PollFd::new(pidfd, PollFlags::POLLIN)], time)
    };
    assert_eq!(readable(0)?, 0, "it waits to be written to");
    (&mouth).write_all(&[1])?;
    assert_eq!(readable(SOON.as_millis() as u16)?, 1);
    assert_eq!(state(child.pid()), Some('Z'), "it is still to be reaped");
    assert!(!child.is_alive());
    assert!(child.join()?);
    Ok(())
}

fn children_have_children_in_pre_order() -> Outcome {
    fn grow(
        prefix: &str,
        depth: usize,
        log: &io::PipeWriter,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        for n in 0..2 {
            let name = format!("{prefix}{n}");
            let child = Process::spawn(|| {
                let mut log = log;
                log.write_all(format!("{name} ").as_bytes())?;
                if depth > 1 { grow(&name, depth - 1, log) } else { Ok(()) }
            })?;
            child.join()?;
        }
        Ok(())
    }
    let (mut read, write) = pipe()?;
    grow("", 3, &write).map_err(|error| error.to_string())?;
    drop(write);
    let mut order = String::new();
    read.read_to_string(&mut order)?;
    assert_eq!(order, "0 00 000 001 01 010 011 1 10 100 101 11 110 111 ");
    Ok(())
}

fn a_hundred_short_ones_end_with_0() -> Outcome {
    let children = (0..100_u32)
        .map(|n| Process::spawn(move || n))
        .collect::<Result<Vec<_>, _>>()?;
    for (n, child) in (0..).zip(children) {
        assert_eq!(child.join_timeout(SOON), Some(Status::Exited(0)));
        assert_eq!(child.join()?, n);
    }
    Ok(())
}

fn a_hundred_sleepers_end_by_sigterm() -> Outcome {
    let children = (0..100)
        .map(|_| Process::spawn(sleep_until_killed))
        .collect::<Result<Vec<_>, _>>()?;
    for child in &children {
        child.terminate()?;
    }
    for child in &children {
        assert_eq!(
            child.join_timeout(SOON),
            Some(Status::Killed(Signal::TERM))
        );
    }
    Ok(())
}

fn an_exit_code_is_read_by_the_parent() -> Outcome {
    for code in [1, 3, 42, 101, 255] {
        let child = Process::spawn(|| -> u8 { std::process::exit(code) })?;
        let error = child.join().expect_err("it never returned");
        assert!(
            matches!(error, JoinError::Exited { code: read, .. } if read == code),
            "{error}"
        );
    }
    Process::spawn(|| -> () { std::process::exit(0) })?.join()?;
    let silent = Process::spawn(|| -> u64 { std::process::exit(0) })?;
    assert!(matches!(silent.join(), Err(JoinError::Exited { code: 0, .. })));
    Ok(())
}

fn a_panic_reaches_stderr_and_join() -> Outcome {
    let (mut read, write) = pipe()?;
    let child = Process::spawn(|| -> () {
        nix::unistd::dup2_stderr(&write).expect("stderr can be replaced");
        panic!("out of {}", "tickets");
    })?;
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text)?;
    assert!(text.contains("out of tickets"), "{text}");
    assert_eq!(child.join_timeout(SOON), Some(Status::Exited(101)));
    let error = child.join().expect_err("it panicked");
    assert!(
        matches!(&error, JoinError::Panicked { message, .. } if message == "out of tickets"),
        "{error}"
    );
    Ok(())
}

fn an_error_reaches_join_with_its_causes() -> Outcome {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot open the shop")]
    struct Closed(#[source] io::Error);
    let child = Process::spawn(|| {
        Err::<(), _>(Closed(io::Error::other("the key is lost")))
    })?;
    assert_eq!(child.join_timeout(SOON), Some(Status::Exited(1)));
    let error = child.join().expect_err("it failed");
    let text = "cannot open the shop: the key is lost";
    assert!(
        matches!(&error, JoinError::Failed { message, .. } if message == text),
        "{error}"
    );
    Ok(())
}

struct Stubborn;

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not for sending"))
    }
}

impl<'de> serde::Deserialize<'de> for Stubborn {
    fn deserialize<D: serde::Deserializer<'de>>(
        _: D,
    ) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

impl Answer for Stubborn {
    type Value = Self;

    fn answer(self) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self)
    }
}

fn an_answer_that_cannot_be_encoded_is_an_error() -> Outcome {
    let child = Process::spawn(|| Stubborn)?;
    assert!(matches!(child.join(), Err(JoinError::Unsendable { .. })));
    Ok(())
}

fn a_large_answer_waits_for_nobody() -> Outcome {
    let child = Process::spawn(|| vec![7_u8; 16 << 20])?;
    assert_eq!(
        child.join_timeout(SOON),
        Some(Status::Exited(0)),
        "it waits for a reader"
    );
    assert_eq!(child.join()?, vec![7_u8; 16 << 20]);
    Ok(())
}

fn siblings_inherit_no_descriptors() -> Outcome {
    let (hold, release) = pipe()?;
    let children = (0..100)
        .map(|_| {
            Process::spawn(|| {
                (&hold).read_exact(&mut [0])?;
                open_descriptors()
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    (&release).write_all(&[0; 100])?;
    let counts = children
        .into_iter()
        .map(Process::join)
        .collect::<Result<Vec<_>, _>>()?;
    assert!(counts.iter().all(|&count| count == counts[0]), "{counts:?}");
    Ok(())
}

fn descriptors_are_given_back() -> Outcome {
    let before = open_descriptors()?;
    for _ in 0..20 {
        Process::spawn(|| ())?.join()?;
    }
    assert_eq!(open_descriptors()?, before);
    Ok(())
}

fn a_dropped_handle_neither_kills_nor_leaves_a_zombie() -> Outcome {
    let (hold, release) = pipe()?;
    let child = Process::spawn(|| (&hold).read_exact(&mut [0]))?;
    let pid = child.pid();
    drop(child);
    assert_eq!(dropped_alive(), 1);
    assert!(state(pid).is_some_and(|state| state != 'Z'));
    (&release).write_all(&[1])?;
    assert!(eventually(|| dropped_alive() == 0));
    assert_eq!(state(pid), None, "a zombie is left");

    let ended = Process::spawn(|| ())?;
    let pid = ended.pid();
    assert!(eventually(|| state(pid) == Some('Z')));
    drop(ended);
    assert_eq!(state(pid), None, "a zombie is left");

    let (hold, release) = pipe()?;
    let child = Process::spawn(|| (&hold).read_exact(&mut [0]))?;
    let pid = child.pid();
    drop(child);
    (&release).write_all(&[1])?;
    assert!(eventually(|| state(pid) == Some('Z') || state(pid).is_none()));
    Process::spawn(|| ())?.join()?;
    assert_eq!(state(pid), None, "the next start did not reap it");
    Ok(())
}

fn only_the_parent_joins() -> Outcome {
    let first = Process::spawn(sleep_until_killed)?;
    let spy = std::sync::Mutex::new(Some(first));
    let second = Process::spawn(|| {
        let first =
            spy.lock().expect("one thread").take().expect("still there");
        let signalled = first.kill().is_ok();
        let alive = first.is_alive() || first.wait() != Status::Unknown;
        let refused =
            matches!(first.join(), Err(JoinError::NotOurChild { .. }));
        (signalled, alive, refused)
    })?;
    assert_eq!(second.join()?, (false, false, true));
    let first = spy.into_inner()?.expect("the child took its copy");
    assert!(first.is_alive());
    first.kill()?;
    assert!(matches!(
        first.join(),
        Err(JoinError::Killed { signal: Signal::KILL, .. })
    ));
    Ok(())
}

fn buffered_text_comes_out_once() -> Outcome {
    print!("text without an end of line");
    Process::spawn(|| print!(" and the child's"))?.join()?;
    io::stdout().flush()?;
    let said = fs::read_to_string("/proc/self/fd/1")?;
    assert_eq!(said, "text without an end of line and the child's");
    Ok(())
}

fn handlers_are_not_inherited() -> Outcome {
    interrupt_on(Number::SIGTERM)?;
    let child = Process::spawn(sleep_until_killed)?;
    child.terminate()?;
    assert_eq!(child.join_timeout(SOON), Some(Status::Killed(Signal::TERM)));
    Ok(())
}

/// A parent with one child; both write their pid to the pipe and then `end`
/// decides.
fn family(
    daemon: bool,
    end: fn(),
) -> Result<(Process<()>, u32, io::PipeReader), Box<dyn std::error::Error>> {
    let (mut read, write) = pipe()?;
    let parent = Process::spawn(|| {
        let child = Process::builder().daemon(daemon).spawn(|| {
            (&write).write_all(&std::process::id().to_le_bytes())?;
            sleep_until_killed();
            Ok::<_, io::Error>(())
        })?;
        let ready = eventually(|| state(child.pid()) == Some('S'));
        (&write).write_all(&[u8::from(ready)])?;
        end();
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    drop(write);
    let mut told = [0; 5];
    read.read_exact(&mut told)?;
    let child = u32::from_le_bytes([told[0], told[1], told[2], told[3]]);
    Ok((parent, child, read))
}

fn a_daemon_ends_with_its_parent() -> Outcome {
    let (parent, child, mut alive) = family(true, || ())?;
    parent.join()?;
    assert_eq!(alive.read(&mut [0])?, 0);
    assert!(eventually(|| state(child).is_none_or(|state| state == 'Z')));
    Ok(())
}

fn a_daemon_ends_when_its_parent_is_killed() -> Outcome {
    let (parent, child, mut alive) = family(true, sleep_until_killed)?;
    parent.kill()?;
    assert!(parent.join().is_err());
    assert_eq!(alive.read(&mut [0])?, 0);
    assert!(eventually(|| state(child).is_none_or(|state| state == 'Z')));
    Ok(())
}

fn others_outlive_their_parent() -> Outcome {
    let (parent, child, mut alive) = family(false, || ())?;
    parent.join()?;
    assert_eq!(state(child), Some('S'));
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(child as i32),
        Number::SIGKILL,
    )?;
    assert_eq!(alive.read(&mut [0])?, 0);
    Ok(())
}

fn a_thread_that_was_joined_does_not_hinder() -> Outcome {
    for n in 0..200_u32 {
        thread::scope(|scope| {
            scope.spawn(|| ());
        });
        assert_eq!(Process::spawn(|| n)?.join()?, n);
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "fork has no safe interface but the one tested here"
)]
fn a_fork_inside_answers_once() -> Outcome {
    let (mut read, write) = pipe()?;
    let child = Process::spawn(|| {
        let this = std::process::id();
        // SAFETY: the process has one thread.
        match unsafe { nix::unistd::fork() }
            .expect("there is room for one more")
        {
            nix::unistd::ForkResult::Parent { .. } => "parent".to_owned(),
            nix::unistd::ForkResult::Child => {
                assert!(eventually(
                    || std::os::unix::process::parent_id() != this
                ));
                "a much longer answer of the copy".to_owned()
            }
        }
    })?;
    drop(write);
    assert_eq!(child.join_timeout(SOON), Some(Status::Exited(0)));
    // Both have the pipe; this is when the copy has ended too.
    assert_eq!(read.read(&mut [0])?, 0);
    assert_eq!(child.join()?, "parent");
    Ok(())
}

fn every_end_is_told_once() -> Outcome {
    static ENDS: Mutex<Vec<(u32, Status)>> = Mutex::new(Vec::new());
    fn take() -> Vec<(u32, Status)> {
        std::mem::take(&mut ENDS.lock().expect("nobody panics with it"))
    }
    on_end(|pid, status| {
        ENDS.lock().expect("nobody panics with it").push((pid, status));
    });
    let joined = Process::spawn(|| ())?;
    let killed = Process::spawn(sleep_until_killed)?;
    killed.kill()?;
    let pids = [joined.pid(), killed.pid()];
    joined.join()?;
    killed.join().expect_err("it was killed");
    let told =
        [(pids[0], Status::Exited(0)), (pids[1], Status::Killed(Signal::KILL))];
    assert_eq!(take(), told);

    let pool = Pool::new(2, |n: u64| n + 1)?;
    let workers = pool.pids();
    assert_eq!(pool.map([1, 2])?, [2, 3]);
    pool.close();
    pool.join()?;
    let mut told: Vec<u32> = take().into_iter().map(|(pid, _)| pid).collect();
    told.sort_unstable();
    assert_eq!(told, workers);

    let manager = Manager::new()?;
    let server = manager.pid();
    drop(manager);
    assert_eq!(take(), [(server, Status::Killed(Signal::KILL))]);

    // A child tells of its own children.
    let child = Process::spawn(|| {
        let grandchild = Process::spawn(|| ()).map_err(|e| e.to_string())?;
        let pid = grandchild.pid();
        grandchild.join().map_err(|e| e.to_string())?;
        let told: Vec<u32> = take().into_iter().map(|(pid, _)| pid).collect();
        Ok::<_, String>((told, pid))
    })?;
    let (told, grandchild) = child.join()?;
    assert_eq!(told, [grandchild]);
    Ok(())
}
