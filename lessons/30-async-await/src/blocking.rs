//! A call that blocks, in a task and where it does no harm.

use crate::run;
use shared::lesson::equals;
use shared::trace::{Span, Trace};
use shared::{Stage, Track};
use std::sync::mpsc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::{spawn, time};

const TICKS: usize = 3;

/// More than three ticks ever need.
const LONG: Duration = Duration::from_secs(10);

/// A clock is to tick three times, and a job blocks until it has, or until its
/// patience is over. Both are tasks of one worker. How often does it tick?
///
/// - [ ] three times, while the job blocks
/// - [ ] once; then the job has the worker to the end
/// - [x] not once while the job blocks; then three times
pub fn blocks_its_worker(stage: &Stage) -> shared::Result {
    let patience = stage.time(1.5);
    clock_and_job(stage, |job| spawn(async move { job.block(patience) }))?;
    let trace = stage.trace()?;
    let heard = ticks_while_blocked(&trace);
    stage.claim("ticks while the job blocks", heard, equals(0));
    let all = trace.count("ticks");
    stage.claim("ticks when it is over", all - heard, equals(TICKS));
    Ok(())
}

/// The same clock, and the same job by `spawn_blocking`. How often does it tick
/// while the job blocks?
///
/// - [x] as often as if there were no job
/// - [ ] not at all, as before
/// - [ ] once, when the job begins
pub fn blocks_elsewhere(stage: &Stage) -> shared::Result {
    clock_and_job(stage, |job| spawn_blocking(move || job.block(LONG)))?;
    let trace = stage.trace()?;
    let heard = ticks_while_blocked(&trace);
    stage.claim("ticks while the job blocks", heard, equals(TICKS));
    let thread = |track, name| {
        let event = trace.find(track, name)?;
        shared::Result::Ok(trace.events()[event].tid)
    };
    let elsewhere = thread("job", "blocks")? != thread("clock", "ticks")?;
    stage.claim("it blocks another thread", elsewhere, equals(true));
    Ok(())
}

fn clock_and_job(
    stage: &Stage,
    start: impl FnOnce(Job) -> JoinHandle<()>,
) -> shared::Result {
    let clock = stage.coroutine_track("clock");
    let (begin, mut begun) = watch::channel(false);
    let (tick, ticks) = mpsc::channel();
    let job = Job { track: stage.track("job"), begin, ticks };
    let between = stage.time(0.4);
    run(async {
        let clock = spawn(async move {
            for _ in 0..TICKS {
                let asleep = clock.begin("sleeps");
                time::sleep(between).await;
                // Later than the job begins; only its first time may wait.
                let _ = begun.wait_for(|begun| *begun).await;
                drop(asleep);
                clock.mark("ticks");
                let _ = tick.send(());
            }
        });
        start(job).await?;
        clock.await
    })??;
    Ok(())
}

struct Job {
    track: Track,
    begin: watch::Sender<bool>,
    ticks: mpsc::Receiver<()>,
}

impl Job {
    /// Waits for the ticks as a thread waits: it keeps the thread.
    fn block(self, patience: Duration) {
        let heard = self.track.span("blocks", || {
            self.begin.send_replace(true);
            let heard = |_: &usize| self.ticks.recv_timeout(patience).is_ok();
            (0..TICKS).take_while(heard).count()
        });
        self.track.note("ticks heard", heard);
    }
}

/// How often the clock ticked from the moment at which the job began to block
/// to the moment at which it went on.
fn ticks_while_blocked(trace: &Trace) -> usize {
    let blocks = trace.spans_named("blocks");
    let ticks = |span: &Span| {
        let meanwhile = &trace.events()[span.begin..span.end];
        meanwhile.iter().filter(|event| event.name == "ticks").count()
    };
    blocks.map(ticks).sum()
}
