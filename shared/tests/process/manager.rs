//! `Manager`: what CPython promises of its own, in Rust's shape, and what a
//! server must bear.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write, pipe};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, process};

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal as Number, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use shared::process::{
    Dict, List, Manager, ManagerBuilder, ManagerError, Process, SpawnError,
};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{
    SOON, default_action, eventually, open_descriptors, sleep_until_killed,
    state,
};

pub const CASES: &[Case] = cases!("manager":
    a_childs_writes_are_seen_by_the_parent,
    a_list_in_a_list_and_a_dict_in_a_dict,
    twenty_times_in_a_row_leaves_nothing,
    update_is_atomic,
    dicts_do_as_a_model_does,
    lists_do_as_a_model_does,
    behind_the_end_is_an_error,
    each_process_has_a_connection_of_its_own,
    no_other_user_may_enter,
    a_killed_manager_is_told_of_at_once,
    a_stopped_manager_is_told_of_in_time,
    it_ends_with_its_parent_and_removes_its_socket,
    an_interrupt_does_not_end_it,
    calls_are_no_slower_where_others_want_the_core,
    a_request_that_is_too_large_is_refused_and_the_next_arrives,
    a_malformed_request_harms_nobody_else,
    an_endless_request_harms_nobody_else,
    half_a_request_harms_nobody_else,
    a_client_that_takes_no_answers_harms_nobody_else,
    too_many_connections_are_turned_away,
    another_type_is_an_error,
    a_manager_in_a_daemon_is_refused,
    no_room_for_the_socket_is_named,
);

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn a_childs_writes_are_seen_by_the_parent() -> Outcome {
    let manager = Manager::new()?;
    let ages = manager.dict::<String, u32>()?;
    let names = manager.list::<String>()?;
    names.push(&"Ada".to_owned())?;
    let children = (0..4_u32)
        .map(|n| {
            let (ages, names) = (&ages, &names);
            Process::spawn(move || {
                ages.insert(&format!("child {n}"), &n)?;
                names.push(&format!("child {n}"))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    for child in children {
        child.join()?;
    }
    assert_eq!(
        ages.to_map()?,
        (0..4).map(|n| (format!("child {n}"), n)).collect()
    );
    let mut names = names.to_vec()?;
    names.sort();
    assert_eq!(names, ["Ada", "child 0", "child 1", "child 2", "child 3"]);
    Ok(())
}

fn a_list_in_a_list_and_a_dict_in_a_dict() -> Outcome {
    let manager = Manager::new()?;
    let outer = manager.list::<List<u32>>()?;
    outer.push(&manager.list()?)?;
    let shops = manager.dict::<String, Dict<String, u32>>()?;
    shops.insert("north", &manager.dict()?)?;
    let child = Process::spawn(|| {
        let inner = outer.get(0)?.ok_or("no inner list")?;
        inner.push(&7)?;
        let north = shops.get("north")?.ok_or("no inner dict")?;
        north.insert("apples", &3)?;
        Ok::<_, Failure>(())
    })?;
    child.join()?;
    assert_eq!(outer.get(0)?.ok_or("no inner list")?.to_vec()?, [7]);
    assert_eq!(
        shops.get("north")?.ok_or("no inner dict")?.get("apples")?,
        Some(3)
    );
    Ok(())
}

fn no_children() -> bool {
    waitpid(None, Some(WaitPidFlag::WNOHANG)) == Err(Errno::ECHILD)
}

fn twenty_times_in_a_row_leaves_nothing() -> Outcome {
    let before = open_descriptors()?;
    for n in 0..20_u32 {
        let manager = Manager::new()?;
        let list = manager.list()?;
        list.push(&n)?;
        assert_eq!(list.to_vec()?, [n]);
        let directory =
            manager.path().parent().ok_or("no directory")?.to_owned();
        assert!(directory.is_dir());
        drop(manager);
        assert!(!directory.exists());
        assert_eq!(open_descriptors()?, before);
        assert!(matches!(list.len(), Err(ManagerError::Gone { .. })));
    }
    assert_eq!(open_descriptors()?, before);
    assert!(no_children());
    Ok(())
}

fn update_is_atomic() -> Outcome {
    let manager = Manager::new()?;
    let counts = manager.dict::<String, u32>()?;
    let list = manager.list::<u32>()?;
    list.push(&0)?;
    let adders = (0..4)
        .map(|_| {
            Process::spawn(|| {
                for _ in 0..1000 {
                    counts.update("all", |count| count.unwrap_or(0) + 1)?;
                    list.update(0, |count| count + 1)?;
                }
                Ok::<_, ManagerError>(())
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    for adder in adders {
        adder.join()?;
    }
    assert_eq!(counts.get("all")?, Some(4000));
    assert_eq!(list.get(0)?, Some(4000));
    Ok(())
}

#[derive(Clone, Debug)]
enum DictStep {
    Get(u8),
    Insert(u8, u16),
    Remove(u8),
    Update(u8, u16),
    Clear,
}

fn failed(error: ManagerError) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

fn model_runner() -> TestRunner {
    TestRunner::new(Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    })
}

fn dicts_do_as_a_model_does() -> Outcome {
    let manager = Manager::new()?;
    let key = 0..6_u8;
    let step = prop_oneof![
        key.clone().prop_map(DictStep::Get),
        (key.clone(), any::<u16>())
            .prop_map(|(key, value)| DictStep::Insert(key, value)),
        key.clone().prop_map(DictStep::Remove),
        (key, any::<u16>())
            .prop_map(|(key, value)| DictStep::Update(key, value)),
        Just(DictStep::Clear),
    ];
    model_runner().run(&prop::collection::vec(step, 0..60), |steps| {
        let dict = manager.dict::<u8, u16>().map_err(failed)?;
        let mut model = HashMap::new();
        for step in steps {
            match step {
                DictStep::Get(key) => {
                    prop_assert_eq!(
                        dict.get(&key).map_err(failed)?,
                        model.get(&key).copied()
                    );
                }
                DictStep::Insert(key, value) => {
                    prop_assert_eq!(
                        dict.insert(&key, &value).map_err(failed)?,
                        model.insert(key, value)
                    );
                }
                DictStep::Remove(key) => {
                    prop_assert_eq!(
                        dict.remove(&key).map_err(failed)?,
                        model.remove(&key)
                    );
                }
                DictStep::Update(key, more) => {
                    let add =
                        |old: Option<u16>| old.unwrap_or(1).wrapping_add(more);
                    let new = add(model.get(&key).copied());
                    prop_assert_eq!(
                        dict.update(&key, add).map_err(failed)?,
                        new
                    );
                    model.insert(key, new);
                }
                DictStep::Clear => {
                    dict.clear().map_err(failed)?;
                    model.clear();
                }
            }
            prop_assert_eq!(dict.len().map_err(failed)?, model.len());
            prop_assert_eq!(
                dict.contains_key(&0).map_err(failed)?,
                model.contains_key(&0)
            );
        }
        prop_assert_eq!(dict.to_map().map_err(failed)?, model);
        Ok(())
    })?;
    Ok(())
}

#[derive(Clone, Debug)]
enum ListStep {
    Get(usize),
    Set(usize, String),
    Push(String),
    Pop,
    Insert(usize, String),
    Remove(usize),
    Update(usize),
    Clear,
}

fn out_of_range<T>(
    result: Result<T, ManagerError>,
) -> Result<Option<T>, TestCaseError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ManagerError::OutOfRange { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn lists_do_as_a_model_does() -> Outcome {
    let manager = Manager::new()?;
    let (at, item) = (0..8_usize, "[a-zé]{0,6}");
    let step = prop_oneof![
        1 => at.clone().prop_map(ListStep::Get),
        1 => (at.clone(), item).prop_map(|(at, item)| ListStep::Set(at, item)),
        3 => item.prop_map(ListStep::Push),
        1 => Just(ListStep::Pop),
        2 => (at.clone(), item).prop_map(|(at, item)| ListStep::Insert(at, item)),
        1 => at.clone().prop_map(ListStep::Remove),
        1 => at.prop_map(ListStep::Update),
        1 => Just(ListStep::Clear),
    ];
    model_runner().run(&prop::collection::vec(step, 0..60), |steps| {
        let list = manager.list::<String>().map_err(failed)?;
        let mut model: Vec<String> = Vec::new();
        for step in steps {
            match step {
                ListStep::Get(at) => {
                    prop_assert_eq!(
                        list.get(at).map_err(failed)?,
                        model.get(at).cloned()
                    );
                }
                ListStep::Set(at, item) => {
                    let old = model
                        .get_mut(at)
                        .map(|place| std::mem::replace(place, item.clone()));
                    prop_assert_eq!(out_of_range(list.set(at, &item))?, old);
                }
                ListStep::Push(item) => {
                    list.push(&item).map_err(failed)?;
                    model.push(item);
                }
                ListStep::Pop => {
                    prop_assert_eq!(list.pop().map_err(failed)?, model.pop())
                }
                ListStep::Insert(at, item) => {
                    let inserted = out_of_range(list.insert(at, &item))?;
                    prop_assert_eq!(inserted.is_some(), at <= model.len());
                    if at <= model.len() {
                        model.insert(at, item);
                    }
                }
                ListStep::Remove(at) => {
                    let removed = (at < model.len()).then(|| model.remove(at));
                    prop_assert_eq!(out_of_range(list.remove(at))?, removed);
                }
                ListStep::Update(at) => {
                    let updated = model.get_mut(at).map(|item| {
                        item.push('!');
                        item.clone()
                    });
                    prop_assert_eq!(
                        out_of_range(list.update(at, |item| item + "!"))?,
                        updated
                    );
                }
                ListStep::Clear => {
                    list.clear().map_err(failed)?;
                    model.clear();
                }
            }
            prop_assert_eq!(list.len().map_err(failed)?, model.len());
        }
        prop_assert_eq!(list.to_vec().map_err(failed)?, model);
        Ok(())
    })?;
    Ok(())
}

fn behind_the_end_is_an_error() -> Outcome {
    let manager = Manager::new()?;
    let list = manager.list::<u32>()?;
    list.push(&1)?;
    for result in
        [list.set(1, &2), list.remove(usize::MAX), list.update(1, |n| n)]
    {
        let error = result.expect_err("there is one item");
        assert!(
            matches!(error, ManagerError::OutOfRange { len: 1, .. }),
            "{error}"
        );
    }
    assert!(matches!(
        list.insert(2, &2),
        Err(ManagerError::OutOfRange { index: 2, len: 1 })
    ));
    assert_eq!(list.get(usize::MAX)?, None);
    Ok(())
}

fn each_process_has_a_connection_of_its_own() -> Outcome {
    let manager = Manager::new()?;
    let dict = manager.dict::<u32, u32>()?;
    dict.insert(&0, &0)?; // the connection exists before the forks
    let children = (0..4)
        .map(|n| {
            let dict = &dict;
            Process::spawn(move || {
                for round in 0..300 {
                    dict.insert(&n, &round)?;
                    if dict.get(&n)? != Some(round) {
                        return Ok(false);
                    }
                }
                Ok::<_, ManagerError>(true)
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    for round in 0..300 {
        dict.insert(&9, &round)?;
        assert_eq!(dict.get(&9)?, Some(round));
    }
    for child in children {
        assert!(child.join()?, "a child got somebody else's answer");
    }
    Ok(())
}

fn no_other_user_may_enter() -> Outcome {
    use std::os::unix::fs::PermissionsExt;
    let manager = Manager::new()?;
    let directory = manager.path().parent().ok_or("no directory")?;
    assert_eq!(fs::metadata(directory)?.permissions().mode() & 0o777, 0o700);
    Ok(())
}

fn a_killed_manager_is_told_of_at_once() -> Outcome {
    let manager = Manager::new()?;
    let dict = manager.dict::<String, u32>()?;
    let list = manager.list::<u32>()?;
    dict.insert("a", &1)?;
    kill(Pid::from_raw(manager.pid() as i32), Number::SIGKILL)?;
    assert!(eventually(
        || state(manager.pid()).is_none_or(|state| state == 'Z')
    ));
    let began = Instant::now();
    for _ in 0..2 {
        assert!(matches!(dict.get("a"), Err(ManagerError::Gone { .. })));
        assert!(matches!(dict.insert("a", &2), Err(ManagerError::Gone { .. })));
        assert!(matches!(list.push(&2), Err(ManagerError::Gone { .. })));
        assert!(matches!(
            manager.list::<u32>(),
            Err(ManagerError::Gone { .. })
        ));
    }
    let child = Process::spawn(|| {
        matches!(dict.len(), Err(ManagerError::Gone { .. }))
    })?;
    assert!(child.join()?);
    assert!(began.elapsed() < SOON);
    let directory = manager.path().parent().ok_or("no directory")?.to_owned();
    drop(manager);
    assert!(!directory.exists());
    Ok(())
}

fn a_stopped_manager_is_told_of_in_time() -> Outcome {
    let time = Duration::from_millis(100);
    let manager = ManagerBuilder::new().answer_within(time).start()?;
    let list = manager.list::<u32>()?;
    kill(Pid::from_raw(manager.pid() as i32), Number::SIGSTOP)?;
    let began = Instant::now();
    let error = list.push(&1).expect_err("it is stopped");
    assert!(matches!(error, ManagerError::NoAnswer { .. }), "{error}");
    assert!(began.elapsed() >= time && began.elapsed() < SOON);
    kill(Pid::from_raw(manager.pid() as i32), Number::SIGCONT)?;
    assert!(
        eventually(|| matches!(list.len(), Ok(1))),
        "the request was not carried out"
    );
    Ok(())
}

fn it_ends_with_its_parent_and_removes_its_socket() -> Outcome {
    for killed in [false, true] {
        let (mut read, write) = pipe()?;
        let parent = Process::spawn(|| {
            let manager = Manager::new()?;
            let path = manager
                .path()
                .to_str()
                .ok_or("a name that is not text")?
                .to_owned();
            (&write)
                .write_all(format!("{} {path}\n", manager.pid()).as_bytes())?;
            if killed {
                sleep_until_killed();
            }
            std::mem::forget(manager);
            Ok::<_, Failure>(())
        })?;
        drop(write);
        let mut told = String::new();
        while !told.ends_with('\n') {
            let mut byte = [0];
            read.read_exact(&mut byte)?;
            told.push(char::from(byte[0]));
        }
        let (pid, path) = told.trim_end().split_once(' ').ok_or("no pid")?;
        let pid = pid.parse()?;
        if killed {
            parent.kill()?;
            assert!(parent.join().is_err());
        } else {
            parent.join()?;
        }
        assert!(eventually(|| state(pid).is_none_or(|state| state == 'Z')));
        assert!(!Path::new(path).exists());
        assert!(!Path::new(path).parent().ok_or("no directory")?.exists());
    }
    Ok(())
}

fn an_interrupt_does_not_end_it() -> Outcome {
    default_action(Number::SIGINT)?;
    let manager = Manager::new()?;
    let list = manager.list::<u32>()?;
    kill(Pid::from_raw(manager.pid() as i32), Number::SIGINT)?;
    list.push(&1)?;
    assert_eq!(list.len()?, 1);
    Ok(())
}

fn calls_are_no_slower_where_others_want_the_core() -> Outcome {
    const TIMES: u32 = 500;
    let allowed = sched_getaffinity(Pid::from_raw(0))?;
    let core =
        (0..CpuSet::count()).find(|&core| allowed.is_set(core) == Ok(true));
    let mut one = CpuSet::new();
    one.set(core.ok_or("no core at all")?)?;
    sched_setaffinity(Pid::from_raw(0), &one)?;
    let _busy = Process::builder().daemon(true).spawn(|| -> () {
        loop {
            std::hint::spin_loop();
        }
    })?;
    let (mut request, mut asks) = pipe()?;
    let (mut answers, mut reply) = pipe()?;
    let echo = Process::spawn(move || {
        let mut byte = [0];
        (0..TIMES).try_for_each(|_| {
            request.read_exact(&mut byte)?;
            reply.write_all(&byte)
        })
    })?;
    let start = Instant::now();
    for _ in 0..TIMES {
        asks.write_all(&[0])?;
        answers.read_exact(&mut [0])?;
    }
    let pipes = start.elapsed();
    echo.join()?;

    let manager = Manager::new()?;
    let dict = manager.dict::<String, u32>()?;
    let start = Instant::now();
    for _ in 0..TIMES {
        dict.get("none")?;
    }
    let calls = start.elapsed();
    assert!(calls < 30 * pipes, "{TIMES}: pipes {pipes:?}, calls {calls:?}");
    Ok(())
}

fn a_request_that_is_too_large_is_refused_and_the_next_arrives() -> Outcome {
    let manager = ManagerBuilder::new().request_limit(1000).start()?;
    let list = manager.list::<String>()?;
    let error = list.push(&"x".repeat(2000)).expect_err("it is too large");
    assert!(
        matches!(error, ManagerError::TooLarge { limit: 1000, bytes: 2000.. }),
        "{error}"
    );
    list.push(&"x".repeat(900))?;
    list.push(&"y".repeat(900))?;
    assert_eq!(list.to_vec()?.concat().len(), 1800);
    Ok(())
}

/// Reads until the manager closes the connection; says how many bytes came.
fn until_closed(
    mut raw: UnixStream,
) -> Result<usize, Box<dyn std::error::Error>> {
    raw.set_read_timeout(Some(SOON))?;
    let mut answer = Vec::new();
    match raw.read_to_end(&mut answer) {
        Ok(_) => Ok(answer.len()),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {
            Ok(answer.len())
        }
        Err(error) => Err(error.into()),
    }
}

fn a_malformed_request_harms_nobody_else() -> Outcome {
    let manager = Manager::new()?;
    let list = manager.list::<u32>()?;
    let mut numbers = 12_345_u32;
    for length in [1_u32, 2, 3, 7, 20, 200] {
        for _ in 0..20 {
            let garbage: Vec<u8> = (0..length)
                .map(|_| {
                    numbers = numbers
                        .wrapping_mul(1_664_525)
                        .wrapping_add(1_013_904_223);
                    (numbers >> 24) as u8 | 0x10 // no request begins like this
                })
                .collect();
            let mut raw = UnixStream::connect(manager.path())?;
            raw.write_all(&length.to_le_bytes())?;
            raw.write_all(&garbage)?;
            assert!(until_closed(raw)? > 0, "no refusal");
        }
    }
    list.push(&1)?;
    assert_eq!(list.to_vec()?, [1]);
    Ok(())
}

fn an_endless_request_harms_nobody_else() -> Outcome {
    let manager = ManagerBuilder::new().request_limit(1 << 20).start()?;
    let list = manager.list::<u32>()?;
    for length in [u32::MAX, (1 << 20) + 1] {
        let mut raw = UnixStream::connect(manager.path())?;
        raw.set_write_timeout(Some(SOON))?;
        raw.write_all(&length.to_le_bytes())?;
        let mut written = 0;
        let end = loop {
            match raw.write(&[b'x'; 4096]) {
                Ok(bytes) => written += bytes,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(
                end.kind(),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
            ),
            "{end}"
        );
        assert!(written < 2 << 20, "it took {written} bytes");
    }
    Ok(list.push(&1)?)
}

fn half_a_request_harms_nobody_else() -> Outcome {
    let manager =
        ManagerBuilder::new().patience(Duration::from_millis(100)).start()?;
    let list = manager.list::<u32>()?;
    let mut vanished = UnixStream::connect(manager.path())?;
    vanished.write_all(&[9, 0])?;
    drop(vanished);
    for half in [&[9][..], &9_u32.to_le_bytes(), &[9, 0, 0, 0, 1, 1, 1]] {
        let mut raw = UnixStream::connect(manager.path())?;
        raw.write_all(half)?;
        list.push(&1)?;
        assert_eq!(until_closed(raw)?, 0);
    }
    // Who has nothing to say may stay.
    let idle = UnixStream::connect(manager.path())?;
    idle.set_read_timeout(Some(Duration::from_millis(300)))?;
    let waited = (&idle).read(&mut [0]).expect_err("it was closed");
    assert_eq!(waited.kind(), ErrorKind::WouldBlock);
    assert_eq!(list.len()?, 3);
    Ok(())
}

fn a_client_that_takes_no_answers_harms_nobody_else() -> Outcome {
    let manager = Manager::new()?;
    let list = manager.list::<String>()?;
    list.push(&"x".repeat(100_000))?;
    let raw = UnixStream::connect(manager.path())?;
    raw.set_nonblocking(true)?;
    // All items of list 1: the request is its variant, the list's number, and
    // the variant again.
    let request = [3, 0, 0, 0, 3, 1, 9];
    let mut asked = 0_u64;
    while eventually(|| (&raw).write_all(&request).is_ok()) {
        asked += 1;
        if asked > 200_000 {
            return Err("it goes on to read from who takes no answers".into());
        }
        if asked.is_multiple_of(10) {
            assert_eq!(list.len()?, 1);
        }
    }
    assert_eq!(list.len()?, 1);
    Ok(())
}

fn too_many_connections_are_turned_away() -> Outcome {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, 40, hard)?;
    let manager = Manager::new()?;
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
    let list = manager.list::<u32>()?;
    let crowd = (0..100)
        .map(|_| UnixStream::connect(manager.path()))
        .collect::<Result<Vec<_>, _>>()?;
    list.push(&1)?;
    let newcomer = Process::spawn(|| {
        matches!(list.push(&2), Err(ManagerError::Gone { .. }))
    })?;
    assert!(newcomer.join()?);
    drop(crowd);
    assert!(Process::spawn(|| eventually(|| list.push(&3).is_ok()))?.join()?);
    assert_eq!(list.to_vec()?, [1, 3]);
    Ok(())
}

fn another_type_is_an_error() -> Outcome {
    let manager = Manager::new()?;
    let numbers = manager.list::<u64>()?;
    numbers.push(&300)?;
    let texts: List<String> =
        postcard::from_bytes(&postcard::to_stdvec(&numbers)?)?;
    assert!(matches!(texts.get(0), Err(ManagerError::Decode(_))));
    assert_eq!(numbers.get(0)?, Some(300));
    Ok(())
}

fn a_manager_in_a_daemon_is_refused() -> Outcome {
    let daemon = Process::builder().daemon(true).spawn(|| {
        matches!(
            Manager::new(),
            Err(ManagerError::Spawn(SpawnError::DaemonMayNotSpawn { .. }))
        )
    })?;
    assert!(daemon.join()?);
    let ours = format!("process-manager-{}-", process::id());
    let left = fs::read_dir(std::env::temp_dir())?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&ours))
        .count();
    assert_eq!(left, 0);
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "the environment may be changed in a process with one thread"
)]
fn no_room_for_the_socket_is_named() -> Outcome {
    let missing = Path::new("/no/such/directory");
    // SAFETY: this process has one thread.
    unsafe { std::env::set_var("TMPDIR", missing) };
    let error = Manager::new().expect_err("there is no such directory");
    assert!(
        matches!(&error, ManagerError::Socket { path, .. } if path.starts_with(missing)),
        "{error}"
    );
    assert!(no_children());
    Ok(())
}
