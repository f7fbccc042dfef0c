//! Copying files: one after the other, or several at once.
//!
//! A tree of files is to be copied. Do several processes copy it faster, and
//! can anybody ever find half a file?

mod cannot;
mod compare;
mod copy;
mod faults;
mod meeting;
mod oddities;
mod place;
mod plan;
mod price;
mod sample;
mod tree;

use compare::compare;
use copy::Copy;
use meeting::Meeting;
use place::Place;
use plan::Plan;
use shared::lesson::equals;
use shared::process::Pool;
use shared::{Stage, Track, lesson};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// All workers have come in less time, unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
struct Options {
    /// Copy DIR in place of a sample in the first two steps; it is only read
    #[arg(long, value_name = "DIR", requires = "to")]
    from: Option<PathBuf>,
    /// Copy to DIR/serially and DIR/with_a_pool; DIR must be missing or empty
    #[arg(long, value_name = "DIR", requires = "from")]
    to: Option<PathBuf>,
}

fn main() -> ExitCode {
    lesson![
        serially,
        with_a_pool,
        oddities::more_than_bytes,
        faults::worker_killed,
        faults::changed_meanwhile,
        price::many_and_few;
        copy, compare, meeting,
    ]
    .with::<Options>()
    .finally(place::tidy)
    .run()
}

/// One process copies a tree, file by file. What has to be the same
/// afterwards?
///
/// - [ ] names and bytes: a tree is nothing else
/// - [x] names and bytes, links, permissions and times
fn serially(stage: &Stage) -> shared::Result {
    let place = Place::open(stage, "serially")?;
    let copier = stage.track("copier");
    let start = Instant::now();
    let plan = Plan::of(&place.from)?;
    let copy = Copy::begin(&plan, &place.to)?; // makes the folders
    let progress = stage.progress("files", plan.files.len() as u64);
    let mut bytes = 0;
    for number in 0..plan.files.len() {
        bytes += copy.file_told(number, &copier)?;
        progress.advance(1);
    }
    copy.finish()?; // links; permissions and times of folders
    drop(progress);
    tell(&copier, &plan, bytes, start);
    let (bytes, other) = compare(&copier, place)?;
    stage.claim("files with other bytes", bytes, equals(vec![]));
    let text = "other names, links, permissions, times";
    stage.claim(text, other, equals(vec![]));
    Ok(())
}

/// As many processes as there are cores, and each file is a job. Who copies
/// what, and is the copy the same?
///
/// - [ ] one worker all, as long as it keeps up; it is the same
/// - [x] all workers, whoever is free; it is the same
/// - [ ] all workers; what two write at once may differ
fn with_a_pool(stage: &Stage) -> shared::Result {
    let place = Place::open(stage, "with_a_pool")?;
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let start = Instant::now();
    let plan = Plan::of(&place.from)?;
    let copy = Copy::begin(&plan, &place.to)?;
    let files = plan.files.len();
    let cores = available_parallelism()?.get();
    let workers = cores.max(2).min(files).max(1);
    let meeting = Meeting::of(workers)?;
    let job = |number: usize| -> shared::Result<(u64, u32)> {
        meeting.come()?; // so that none is left out
        Ok((copy.file_told(number, &worker)?, process::id()))
    };
    let pool = Pool::new(workers, job)?;
    let progress = stage.progress("files handed out", files as u64);
    // A number is enough: the workers know the plan since they were forked.
    let numbers = (0..files).inspect(|_| progress.advance(1));
    let (bytes, pids): (Vec<u64>, BTreeSet<u32>) =
        pool.map(numbers)?.into_iter().unzip();
    drop((progress, pool));
    copy.finish()?;
    tell(&parent, &plan, bytes.iter().sum(), start);
    let (bytes, other) = compare(&parent, place)?;
    stage.claim(
        "workers that copied: all of them",
        pids.len(),
        equals(workers.min(files)),
    );
    stage.claim("files with other bytes", bytes, equals(vec![]));
    let text = "other names, links, permissions, times";
    stage.claim(text, other, equals(vec![]));
    Ok(())
}

fn tell(track: &Track, plan: &Plan, bytes: u64, start: Instant) {
    let (seconds, megabytes) =
        (start.elapsed().as_secs_f64(), bytes as f64 / 1e6);
    let rate = megabytes / seconds;
    let files = plan.files.len();
    track.say(format!(
        "{files} files, {megabytes:.1} MB in {seconds:.2} s: {rate:.0} MB/s"
    ));
    for (path, kind) in &plan.others {
        track.say(format!("not copied: {path:?}, a {kind}"));
    }
}
