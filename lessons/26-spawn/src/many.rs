//! Thousands that sleep at once.

use crate::dormitory::{Dormitory, Watch};
use crate::in_a_coroutine;
use crate::room::no_room_for;
use may::{coroutine, go};
use shared::Stage;
use shared::lesson::{at_least, at_most, below, equals};
use shared::process::Process;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Have N sleepers in the steps with thousands, 1000 to 1000000
    #[arg(long, value_name = "N", default_value = "10000")]
    #[arg(value_parser = thousands, allow_negative_numbers = true)]
    sleepers: usize,
}

fn thousands(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (1_000..=1_000_000).contains(number));
    number.ok_or_else(|| "give a whole number from 1000 to 1000000".to_owned())
}

/// Thousands of coroutines sleep a second (`--sleepers N`). How many threads
/// carry them, clock included, and how many maps (pieces of memory) has each?
///
/// - [ ] one for each; two maps, a stack of its own
/// - [ ] two at most; none: they share the threads' stacks
/// - [x] two at most; two maps, a stack of its own
pub fn with_stacks(stage: &Stage) -> shared::Result {
    let Some(beds) = with_room(stage) else { return Ok(()) };
    let second = stage.time(1.0);
    in_a_coroutine(|| {
        let mut watch = Watch::begins(&beds)?;
        coroutine::scope(|scope| {
            for _ in 0..beds.number {
                go!(scope, || {
                    beds.falls_asleep();
                    coroutine::sleep(second);
                    beds.wakes();
                });
            }
            watch.all_are_spawned() // none has begun
        })?;
        watch.all_have_woken()
    })?;
    let woken: usize = beds.main.noted("have woken")?;
    stage.claim("all wake", woken, equals(beds.number));
    let threads = stage.trace()?.threads_of("a new thread");
    stage.claim("threads they took, clock included", threads, at_most(2));
    let maps: f64 = beds.main.noted("memory maps each")?;
    stage.claim("a stack each: memory maps", maps, at_least(1.9));
    stage.figure_of(woken, "with a stack", beds.main.noted("seconds")?)
}

fn sleepers(stage: &Stage) -> usize {
    stage.options::<Options>().sleepers
}

/// Nothing, and says so, where there is no room for so many stacks.
fn with_room(stage: &Stage) -> Option<Dormitory> {
    let number = sleepers(stage);
    let Some(why) = no_room_for(number) else {
        return Some(Dormitory::new(stage, number));
    };
    stage.cannot_show(&format!("{number} coroutines of `may`"), &why);
    None
}

/// The same by tasks of tokio, which have no stack. What does each need before
/// it has run?
///
/// - [x] less than a page of memory; one thread carries all
/// - [ ] a thread, as any sleeper does
/// - [ ] a small stack of its own, of some pages
pub fn without_stacks(stage: &Stage) -> shared::Result {
    let beds = Arc::new(Dormitory::new(stage, sleepers(stage)));
    let second = stage.time(1.0);
    in_a_task(async {
        let mut watch = Watch::begins(&beds)?;
        let mut tasks = JoinSet::new();
        for _ in 0..beds.number {
            let beds = Arc::clone(&beds);
            tasks.spawn(async move {
                beds.falls_asleep();
                sleep(second).await;
                beds.wakes();
            });
        }
        watch.all_are_spawned()?; // none has begun
        tasks.join_all().await;
        watch.all_have_woken()
    })?;
    let woken: usize = beds.main.noted("have woken")?;
    stage.claim("all wake", woken, equals(beds.number));
    let threads = stage.trace()?.threads_of("a new thread");
    stage.claim("threads that carried them", threads, equals(1));
    let kib: f64 = beds.main.noted("KiB of memory each")?;
    stage.claim("less than a page of memory: KiB", kib, below(4.0));
    stage.figure_of(woken, "without a stack", beds.main.noted("seconds")?)
}

/// Runs `task` by tokio, on one thread, in a process of its own.
fn in_a_task(
    task: impl Future<Output = shared::Result> + Send,
) -> shared::Result {
    let process = Process::spawn(|| {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(task)
    })?;
    Ok(process.join()?)
}
