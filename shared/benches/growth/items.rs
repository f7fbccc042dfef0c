//! More items from one to another.

use crate::curve::{Curve, Kind};
use crate::family::{Family, View};
use crate::reading::Reading;
use crate::unit::Unit;
use anyhow::Result;
use shared::process::{Process, Queue};
use std::io::{BufReader, BufWriter, PipeReader, Read, Write, pipe};
use std::thread;
use std::time::Instant;

/// How many items may wait.
const CAPACITY: usize = 1024;
/// How many bytes a pipe takes at once in the limit: all that it holds.
const BLOCK: usize = 1 << 16;
/// So many are enough for those that take long.
const ENOUGH: u64 = 1_000_000;
const ENOUGH_FOR_PYTHON: u64 = 100_000;

pub fn family() -> Family {
    let sum: fn(u64) -> u64 = |items| items * (items - 1) / 2;
    Family {
        name: "items",
        counted: "items",
        about: format!(
            "Numbers from one process to another, from the first one's arrival \
             to the last one's. Queues hold {CAPACITY}. A pipe is the limit, \
             with a system call for each number, and with one for each 64 KiB. \
             crossbeam's channel is between threads, which share all their \
             memory."
        ),
        points: &[1_000, 10_000, 100_000, 1_000_000, 10_000_000],
        few: &[1_000, 10_000],
        views: vec![View {
            name: "items",
            title: "Items from one to another",
            axis: "time an item",
            unit: Unit::Seconds,
            bound: None,
        }],
        curves: vec![
            Curve::new("Queue", Kind::Ours, queue, sum),
            Curve::new("crossbeam", Kind::Other, crossbeam, sum),
            Curve::new("pipe", Kind::Limit, |n| through_pipe(n, 8), sum)
                .unless(|items| too_many(items, ENOUGH)),
            Curve::new(
                "pipe, 64 KiB",
                Kind::Limit,
                |n| through_pipe(n, BLOCK),
                sum,
            ),
            Curve::python("Python Queue", "items", &[CAPACITY as u64], sum)
                .unless(|items| too_many(items, ENOUGH_FOR_PYTHON)),
        ],
    }
}

fn too_many(items: u64, enough: u64) -> Option<String> {
    (items > enough).then(|| "that would take too long".to_owned())
}

/// Gets all items; the clock starts with the first.
fn get_all(items: u64, get: impl Fn() -> Result<u64>) -> Result<Reading> {
    let mut sum = get()?;
    let began = Instant::now();
    for _ in 1..items {
        sum += get()?;
    }
    let took = began.elapsed().as_secs_f64();
    Ok(Reading::new(took / (items - 1) as f64, sum))
}

fn queue(items: u64) -> Result<Reading> {
    let queue = Queue::bounded(CAPACITY)?;
    let putter = Process::builder()
        .daemon(true)
        .spawn(|| (0..items).try_for_each(|n| queue.put(&n)))?;
    let reading = get_all(items, || Ok(queue.get()?))?;
    putter.join()?;
    Ok(reading)
}

fn crossbeam(items: u64) -> Result<Reading> {
    let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
    thread::scope(|scope| {
        scope.spawn(move || (0..items).try_for_each(|n| sender.send(n)));
        get_all(items, || Ok(receiver.recv()?))
    })
}

/// Through a pipe, at most `block` bytes at once.
fn through_pipe(items: u64, block: usize) -> Result<Reading> {
    let (read, write) = pipe()?;
    let putter = Process::builder().daemon(true).spawn(|| {
        let mut write = BufWriter::with_capacity(block, &write);
        (0..items).try_for_each(|n| write.write_all(&n.to_ne_bytes()))?;
        write.flush()
    })?;
    drop(write);
    let read = std::cell::RefCell::new(BufReader::with_capacity(block, read));
    let reading = get_all(items, || Ok(next(&mut read.borrow_mut())?))?;
    putter.join()?;
    Ok(reading)
}

fn next(read: &mut BufReader<PipeReader>) -> std::io::Result<u64> {
    let mut item = [0; 8];
    read.read_exact(&mut item)?;
    Ok(u64::from_ne_bytes(item))
}
