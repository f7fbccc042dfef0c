//! Thousands of sleepers.

use crate::in_a_coroutine;
use crate::maps::{maps, no_room_for, resident};
use may::{coroutine, go};
use nix::unistd::gettid;
use shared::lesson::{at_least, at_most, below, equals};
use shared::process::Process;
use shared::{Stage, Track};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// How many sleep at once in the steps with many
    #[arg(long, value_name = "N", default_value = "10000")]
    #[arg(value_parser = sleepers, allow_negative_numbers = true)]
    sleepers: usize,
}

fn sleepers(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (100..=1_000_000).contains(number));
    number.ok_or_else(|| "give a number from 100 to 1000000".to_owned())
}

/// Ten thousand coroutines sleep a second each. How many threads carry them,
/// and what does the system have to give for each? (`--sleepers N`)
pub fn ten_thousand(stage: &Stage) -> shared::Result {
    let number = stage.options::<Options>().sleepers;
    if let Some(why) = no_room_for(number) {
        stage.cannot_show(&format!("{number} coroutines of may"), &why);
        return Ok(());
    }
    let main = stage.coroutine_track("main");
    let dormitory = Dormitory::new(stage.coroutine_track("sleepers"), number);
    let second = stage.time(1.0);
    in_a_coroutine(|| {
        let before = maps()?;
        coroutine::scope(|scope| {
            for _ in 0..number {
                go!(scope, || dormitory.night(|| coroutine::sleep(second)));
            }
            let more = maps()? - before;
            main.note("new memory maps", more);
            main.say("all are spawned");
            shared::Result::Ok(())
        })?;
        main.note("have woken", dormitory.woken.load(Relaxed));
        Ok(())
    })?;
    let trace = stage.trace()?;
    let woken: usize = main.noted("have woken")?;
    stage.claim("all wake", woken, equals(number));
    let threads = trace.threads_of("carries");
    stage.claim("threads that carried them", threads, at_most(2));
    let maps: usize = main.noted("new memory maps")?;
    let each = maps as f64 / number as f64;
    stage.claim("memory maps a coroutine", each, at_least(1.9));
    Ok(())
}

/// Where many sleep, and it is counted how many.
struct Dormitory {
    track: Track,
    beds: usize,
    asleep: AtomicUsize,
    woken: AtomicUsize,
    threads: Mutex<HashSet<i32>>,
}

impl Dormitory {
    fn new(track: Track, beds: usize) -> Self {
        Self {
            track,
            beds,
            asleep: AtomicUsize::new(0),
            woken: AtomicUsize::new(0),
            threads: Mutex::default(),
        }
    }

    fn night(&self, sleep: impl FnOnce()) {
        self.tell(self.asleep.fetch_add(1, Relaxed) + 1);
        sleep();
        self.tell(self.asleep.fetch_sub(1, Relaxed) - 1);
        self.woken.fetch_add(1, Relaxed);
    }

    /// Records about every hundredth number, and each new thread.
    fn tell(&self, asleep: usize) {
        if asleep.is_multiple_of(self.beds / 100) {
            self.track.count("asleep", asleep);
        }
        let threads = self.threads.lock();
        let mut threads = threads.unwrap_or_else(PoisonError::into_inner);
        if threads.insert(gettid().as_raw()) {
            self.track.mark("carries");
        }
    }
}

/// The same, by coroutines that have a stack each and by tasks that have none.
/// What does one cost that sleeps, in memory and in time?
pub fn price(stage: &Stage) -> shared::Result {
    let number = stage.options::<Options>().sleepers;
    let may = stage.coroutine_track("may");
    let tokio = stage.coroutine_track("tokio");
    let second = stage.time(1.0);
    let tasks = Process::spawn(|| with_tasks(&tokio, number, second))?;
    tasks.join()?;
    stage.figure("without a stack", tokio.noted("seconds")?)?;
    if let Some(why) = no_room_for(number) {
        stage.cannot_show(&format!("{number} with a stack"), &why);
        return Ok(());
    }
    in_a_coroutine(|| with_stacks(&may, number, second))?;
    stage.figure("with a stack", may.noted("seconds")?)?;
    let kib = |track: &Track| track.noted::<f64>("KiB each");
    let (without, with) = (kib(&tokio)?, kib(&may)?);
    stage.claim("without it, less memory: KiB", without, below(with));
    Ok(())
}

fn with_stacks(me: &Track, number: usize, second: Duration) -> shared::Result {
    let (before, start) = (resident()?, Instant::now());
    coroutine::scope(|scope| {
        for _ in 0..number {
            go!(scope, || coroutine::sleep(second));
        }
        me.note("KiB each", (resident()? - before) / number as f64);
        shared::Result::Ok(())
    })?;
    me.record("seconds", start.elapsed().as_secs_f64());
    Ok(())
}

fn with_tasks(me: &Track, number: usize, second: Duration) -> shared::Result {
    // On this thread alone.
    let runtime = Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let (before, start) = (resident()?, Instant::now());
        let mut tasks = JoinSet::new();
        for _ in 0..number {
            tasks.spawn(sleep(second));
        }
        me.note("KiB each", (resident()? - before) / number as f64);
        tasks.join_all().await;
        me.record("seconds", start.elapsed().as_secs_f64());
        Ok(())
    })
}
