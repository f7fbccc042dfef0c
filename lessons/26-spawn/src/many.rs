//! Thousands that sleep at once.

use crate::dormitory::Dormitory;
use crate::in_a_coroutine;
use crate::usage::{Usage, no_room_for};
use may::{coroutine, go};
use shared::lesson::{at_least, at_most, below, equals};
use shared::process::Process;
use shared::{Stage, Track};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// How many sleep in the steps with thousands
    #[arg(long, value_name = "N", default_value = "10000")]
    #[arg(value_parser = thousands, allow_negative_numbers = true)]
    sleepers: usize,
}

fn thousands(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (1_000..=1_000_000).contains(number));
    number.ok_or_else(|| "give a number from 1000 to 1000000".to_owned())
}

/// Thousands of coroutines sleep a second each (`--sleepers N`). How many
/// threads carry them, and what does the system have to give for each?
pub fn with_stacks(stage: &Stage) -> shared::Result {
    let number = stage.options::<Options>().sleepers;
    if let Some(why) = no_room_for(number) {
        stage.cannot_show(&format!("{number} coroutines of may"), &why);
        return Ok(());
    }
    let main = stage.coroutine_track("main");
    let beds = Dormitory::new(stage.coroutine_track("sleepers"), number);
    let second = stage.time(1.0);
    in_a_coroutine(|| {
        let (before, start) = (Usage::now()?, Instant::now());
        let looked = coroutine::scope(|scope| {
            for _ in 0..number {
                go!(scope, || {
                    beds.falls_asleep();
                    coroutine::sleep(second);
                    beds.wakes();
                });
            }
            tell_usage(&main, number, &before) // none has begun
        })?;
        tell_end(&main, &beds, start.elapsed() - looked);
        Ok(())
    })?;
    stage.figure("with a stack", main.noted("seconds")?)?;
    let threads = stage.trace()?.threads_of("another thread");
    stage.claim("all wake", main.noted("have woken")?, equals(number));
    stage.claim("threads that carried them", threads, at_most(2));
    let maps: f64 = main.noted("memory maps each")?;
    stage.claim("a stack each: memory maps", maps, at_least(1.9));
    Ok(())
}

/// Also returns how long that took.
fn tell_usage(
    main: &Track,
    number: usize,
    before: &Usage,
) -> shared::Result<Duration> {
    let start = Instant::now();
    let (now, number) = (Usage::now()?, number as f64);
    main.say("all are spawned");
    main.note("memory maps each", (now.maps - before.maps) / number);
    main.note("KiB of memory each", (now.kib - before.kib) / number);
    Ok(start.elapsed())
}

fn tell_end(main: &Track, beds: &Dormitory, took: Duration) {
    main.note("have woken", beds.woken());
    main.record("seconds", took.as_secs_f64());
}

/// The same by tasks of tokio, which have no stack of their own. What does
/// each of them need?
pub fn without_stacks(stage: &Stage) -> shared::Result {
    let number = stage.options::<Options>().sleepers;
    let main = stage.coroutine_track("main");
    let beds = Dormitory::new(stage.coroutine_track("sleepers"), number);
    let (beds, second) = (Arc::new(beds), stage.time(1.0));
    let process = Process::spawn(|| {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(async {
            let (before, start) = (Usage::now()?, Instant::now());
            let mut tasks = JoinSet::new();
            for _ in 0..number {
                let beds = Arc::clone(&beds);
                tasks.spawn(async move {
                    beds.falls_asleep();
                    sleep(second).await;
                    beds.wakes();
                });
            }
            let looked = tell_usage(&main, number, &before)?; // none has begun
            tasks.join_all().await;
            tell_end(&main, &beds, start.elapsed() - looked);
            shared::Result::Ok(())
        })
    })?;
    process.join()?;
    stage.figure("without a stack", main.noted("seconds")?)?;
    let threads = stage.trace()?.threads_of("another thread");
    stage.claim("all wake", main.noted("have woken")?, equals(number));
    stage.claim("threads that carried them", threads, equals(1));
    let kib: f64 = main.noted("KiB of memory each")?;
    stage.claim("less than a page of memory: KiB", kib, below(4.0));
    Ok(())
}
