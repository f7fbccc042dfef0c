//! More that sleep at once.

use crate::curve::{Curve, Kind};
use crate::family::{Bound, Family, View};
use crate::memory;
use crate::reading::Reading;
use crate::unit::{Unit, count};
use anyhow::Result;
use may::{coroutine, go};
use nix::sys::resource::{Resource, getrlimit};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::{JoinSet, yield_now};

/// How long each one sleeps.
const NAP: Duration = Duration::from_millis(500);
/// The same for Python.
const NAP_MS: u64 = NAP.as_millis() as u64;
/// A stack is two memory maps: itself, and a page at its end that nobody may
/// touch.
const MAPS_A_STACK: u64 = 2;
/// More threads are too many beside others' programs.
const MOST_THREADS: u64 = 10_000;

pub fn family() -> Family {
    let all: fn(u64) -> u64 = |sleepers| sleepers;
    let machine = memory::of_machine().unwrap_or_default() as f64;
    Family {
        name: "sleepers",
        counted: "sleepers",
        about: format!(
            "Each sleeps {NAP_MS} ms, all at once: coroutines of may, which \
             have a stack, tasks of tokio, which have none, and threads; in \
             Python those of gevent and of asyncio. Memory is what the process \
             has in use while all sleep, and there is no figure where some had \
             woken before the last one slept; what the system itself needs for \
             a thread comes on top. It is the limit: no more than there is."
        ),
        points: &[1_000, 3_000, 10_000, 30_000, 100_000],
        few: &[1_000],
        views: vec![
            View {
                name: "sleepers-memory",
                title: "Memory for more sleepers",
                axis: "memory a sleeper",
                unit: Unit::Bytes,
                bound: Some(Bound {
                    name: "all memory".to_owned(),
                    at: Box::new(move |sleepers| machine / sleepers as f64),
                }),
            },
            View {
                name: "sleepers-time",
                title: "Time until more sleepers have slept",
                axis: "time for all",
                unit: Unit::Seconds,
                bound: Some(Bound {
                    name: "the sleep".to_owned(),
                    at: Box::new(|_| NAP.as_secs_f64()),
                }),
            },
        ],
        curves: vec![
            Curve::new("may", Kind::Other, coroutines, all)
                .unless(no_room_for_stacks),
            Curve::new("tokio", Kind::Other, tasks, all),
            Curve::new("threads", Kind::Other, threads, all)
                .unless(no_room_for_threads),
            Curve::python("gevent", "sleepers_gevent", &[NAP_MS], all),
            Curve::python("asyncio", "sleepers_asyncio", &[NAP_MS], all),
        ],
    }
}

fn no_room_for_stacks(stacks: u64) -> Option<String> {
    let limit = memory::setting("/proc/sys/vm/max_map_count")?;
    let maps = fs::read_to_string("/proc/self/maps").ok()?.lines().count();
    // What there is already, and room for what comes and goes.
    let room = limit.saturating_sub(maps as u64 + 200) / MAPS_A_STACK;
    (stacks > room).then(|| {
        format!(
            "a stack takes {MAPS_A_STACK} memory maps, and a process may have \
             {limit} (vm.max_map_count): room for {}",
            count(room)
        )
    })
}

/// Each thread takes a number that a process could have.
fn no_room_for_threads(threads: u64) -> Option<String> {
    if threads > MOST_THREADS {
        let most = memory::setting("/proc/sys/kernel/pid_max")?;
        return Some(format!(
            "a thread takes one of the {most} pids (kernel.pid_max) that all \
             programs have together"
        ));
    }
    let (soft, _) = getrlimit(Resource::RLIMIT_NPROC).ok()?;
    let system = memory::setting("/proc/sys/kernel/threads-max")?;
    let pids = memory::setting("/proc/sys/kernel/pid_max")?;
    let most = soft.min(system).min(pids) / 2;
    (threads > most).then(|| {
        "that is more than half of what there may be (`ulimit -u`, \
         kernel.threads-max, kernel.pid_max)"
            .to_owned()
    })
}

/// Who sleeps is counted.
#[derive(Default)]
struct Dormitory {
    asleep: AtomicU64,
    woken: AtomicU64,
}

impl Dormitory {
    fn falls_asleep(&self) {
        self.asleep.fetch_add(1, Relaxed);
    }

    fn wakes(&self) {
        self.woken.fetch_add(1, Relaxed);
    }

    fn have_all_begun(&self, sleepers: u64) -> bool {
        self.asleep.load(Relaxed) == sleepers
    }

    /// The memory for each; none if some have woken already.
    fn memory_each(&self, before: u64) -> Result<Option<f64>> {
        let more = memory::in_use()?.saturating_sub(before) as f64;
        let is_sure = self.woken.load(Relaxed) == 0;
        Ok(is_sure.then(|| more / self.asleep.load(Relaxed) as f64))
    }

    fn reading(&self, memory: Option<f64>, began: Instant) -> Reading {
        let took = began.elapsed().as_secs_f64();
        Reading {
            values: vec![memory, Some(took)],
            work: self.woken.load(Relaxed),
        }
    }
}

fn coroutines(sleepers: u64) -> Result<Reading> {
    may::config().set_workers(1).set_pool_capacity(1);
    may::config().set_worker_pin(false);
    let (beds, before) = (Dormitory::default(), memory::in_use()?);
    let began = Instant::now();
    let memory = coroutine::scope(|scope| {
        for _ in 0..sleepers {
            go!(scope, || {
                beds.falls_asleep();
                coroutine::sleep(NAP);
                beds.wakes();
            });
        }
        while !beds.have_all_begun(sleepers) {
            thread::yield_now();
        }
        beds.memory_each(before)
    })?;
    Ok(beds.reading(memory, began))
}

fn tasks(sleepers: u64) -> Result<Reading> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().build()?;
    let beds = Arc::new(Dormitory::default());
    let before = memory::in_use()?;
    let began = Instant::now();
    let memory = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..sleepers {
            let beds = Arc::clone(&beds);
            tasks.spawn(async move {
                beds.falls_asleep();
                tokio::time::sleep(NAP).await;
                beds.wakes();
            });
        }
        while !beds.have_all_begun(sleepers) {
            yield_now().await;
        }
        let memory = beds.memory_each(before);
        tasks.join_all().await;
        memory
    })?;
    Ok(beds.reading(memory, began))
}

fn threads(sleepers: u64) -> Result<Reading> {
    let (beds, before) = (Dormitory::default(), memory::in_use()?);
    let began = Instant::now();
    let memory = thread::scope(|scope| {
        for _ in 0..sleepers {
            thread::Builder::new().spawn_scoped(scope, || {
                beds.falls_asleep();
                thread::sleep(NAP);
                beds.wakes();
            })?;
        }
        while !beds.have_all_begun(sleepers) {
            thread::yield_now();
        }
        beds.memory_each(before)
    })?;
    Ok(beds.reading(memory, began))
}
