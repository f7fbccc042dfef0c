//! Queues and what else carries items between processes.

use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::thread;
use std::time::Instant;

use ipc_channel::ipc;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::process::{Process, Queue};

use crate::Outcome;
use crate::row::{Goal, Row};

const INTS: usize = 500_000;
const KIB: usize = 200_000;
const KIB_64: usize = 10_000;
const ROUND_TRIPS: usize = 30_000;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "queue: small ints, 1 to 1",
            ours: ("queue ints", || one_to_one(&7_u64, INTS)),
            goals: vec![
                Goal::Python { times: 30.0, name: "queue_ints" },
                Goal::Times {
                    times: 6.0,
                    of: ("ipc-channel ints", || {
                        ipc_one_to_one(&7_u64, INTS / 4)
                    }),
                },
                Goal::Beside { of: ("crossbeam-channel (threads)", crossbeam) },
            ],
        },
        Row {
            name: "queue: small ints, 4 to 4",
            ours: ("queue 4 to 4", four_to_four),
            goals: vec![Goal::Python { times: 15.0, name: "queue_4_to_4" }],
        },
        Row {
            name: "queue: 1 KiB, 1 to 1",
            ours: ("queue 1 KiB", || one_to_one(&text(1 << 10), KIB)),
            goals: vec![Goal::Python { times: 10.0, name: "queue_1_kib" }],
        },
        Row {
            name: "queue: 64 KiB, 1 to 1",
            ours: ("queue 64 KiB", || one_to_one(&text(64 << 10), KIB_64)),
            goals: vec![
                Goal::Times {
                    times: 1.0,
                    of: ("ipc-channel 64 KiB", || {
                        ipc_one_to_one(&text(64 << 10), KIB_64)
                    }),
                },
                Goal::Beside { of: ("pipe 64 KiB", pipe_64_kib) },
            ],
        },
        Row {
            name: "queue: there and back",
            ours: ("queue there and back", ping_pong),
            goals: vec![Goal::AtMost {
                times: 2.0,
                of: ("pipe there and back", pipe_ping_pong),
            }],
        },
    ]
}

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

fn one_to_one<T: Serialize + DeserializeOwned + Sync>(
    item: &T,
    count: usize,
) -> Outcome<f64> {
    let queue = Queue::bounded(1024)?;
    let putter =
        Process::spawn(|| (0..count).try_for_each(|_| queue.put(item)))?;
    queue.get()?;
    let began = Instant::now();
    for _ in 1..count {
        queue.get()?;
    }
    let took = began.elapsed();
    putter.join()?;
    Ok(took.as_secs_f64() / (count - 1) as f64)
}

fn four_to_four() -> Outcome<f64> {
    const EACH: usize = INTS / 4;
    let queue = Queue::<u64>::bounded(1024)?;
    let began = Instant::now();
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(Process::spawn(|| (0..EACH).try_for_each(|_| queue.put(&7)))?);
        all.push(Process::spawn(|| {
            (0..EACH).try_for_each(|_| queue.get().map(drop))
        })?);
    }
    for process in all {
        process.join()?;
    }
    Ok(began.elapsed().as_secs_f64() / (4 * EACH) as f64)
}

fn ping_pong() -> Outcome<f64> {
    let (there, back) = (Queue::<u64>::bounded(1)?, Queue::<u64>::bounded(1)?);
    let echo = Process::spawn(|| {
        (0..ROUND_TRIPS).try_for_each(|_| back.put(&there.get()?))
    })?;
    let began = Instant::now();
    for n in 0..ROUND_TRIPS as u64 {
        there.put(&n)?;
        back.get()?;
    }
    let took = began.elapsed();
    echo.join()?;
    Ok(took.as_secs_f64() / ROUND_TRIPS as f64)
}

fn ipc_one_to_one<T>(item: &T, count: usize) -> Outcome<f64>
where
    T: Serialize + DeserializeOwned + Clone + Sync + Send,
{
    let (sender, receiver) = ipc::channel::<T>()?;
    let sender = std::sync::Mutex::new(sender);
    let putter = Process::spawn(|| {
        let sender = sender.lock().map_err(|error| error.to_string())?;
        (0..count).try_for_each(|_| {
            sender.send(item.clone()).map_err(|error| error.to_string())
        })
    })?;
    let get = || receiver.recv().map_err(|error| format!("{error:?}"));
    get()?;
    let began = Instant::now();
    for _ in 1..count {
        get()?;
    }
    let took = began.elapsed();
    putter.join()?;
    Ok(took.as_secs_f64() / (count - 1) as f64)
}

fn crossbeam() -> Outcome<f64> {
    let (sender, receiver) = crossbeam_channel::bounded(1024);
    thread::scope(|scope| {
        scope.spawn(move || (0..INTS).try_for_each(|_| sender.send(7_u64)));
        receiver.recv()?;
        let began = Instant::now();
        for _ in 1..INTS {
            receiver.recv()?;
        }
        Ok(began.elapsed().as_secs_f64() / (INTS - 1) as f64)
    })
}

fn pipe_64_kib() -> Outcome<f64> {
    let (mut read, write) = pipe()?;
    let item = text(64 << 10);
    let putter = Process::spawn(|| {
        (0..KIB_64).try_for_each(|_| (&write).write_all(item.as_bytes()))
    })?;
    drop(write);
    let mut buffer = vec![0; 64 << 10];
    read.read_exact(&mut buffer)?;
    let began = Instant::now();
    for _ in 1..KIB_64 {
        read.read_exact(&mut buffer)?;
    }
    let took = began.elapsed();
    putter.join()?;
    Ok(took.as_secs_f64() / (KIB_64 - 1) as f64)
}

fn pipe_ping_pong() -> Outcome<f64> {
    let (there, back) = (pipe()?, pipe()?);
    let pass_on = |(mut from, mut to): (&PipeReader, &PipeWriter)| {
        let mut byte = [0; 8];
        from.read_exact(&mut byte)?;
        to.write_all(&byte)
    };
    let echo = Process::spawn(|| {
        (0..ROUND_TRIPS).try_for_each(|_| pass_on((&there.0, &back.1)))
    })?;
    let began = Instant::now();
    for n in 0..ROUND_TRIPS as u64 {
        (&there.1).write_all(&n.to_le_bytes())?;
        (&back.0).read_exact(&mut [0; 8])?;
    }
    let took = began.elapsed();
    echo.join()?;
    Ok(took.as_secs_f64() / ROUND_TRIPS as f64)
}
