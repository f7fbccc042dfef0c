//! What goes wrong while a file is copied.

use crate::PATIENCE;
use crate::copy::Copy;
use crate::plan::Plan;
use crate::sample::alike;
use crate::tree::Tree;
use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::lesson::{between, equals};
use shared::process::{Event, Job, JobError, PoolBuilder, Process, Queue};
use shared::{Stage, Track};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process;

/// The first of six files is this large, and copied in four pieces.
const LARGE: u64 = 4 << 20;

/// A worker has copied half of a large file, and is killed. Is there half a
/// file in the copy? And if the pool may begin the job again?
pub fn worker_killed(stage: &Stage) -> shared::Result {
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let (folder, choices) = (stage.folder()?, &mut stage.choices("sample"));
    let from = folder.join("source");
    alike(&from, choices, 1, LARGE as usize)?;
    alike(&from.join("small"), choices, 5, 10 << 10)?;
    let plan = Plan::of(&from)?;
    let lost = folder.join("lost");
    let once = kill_one(&plan, &lost, &parent, &worker, 1)?;
    let again = folder.join("again");
    kill_one(&plan, &again, &parent, &worker, 2)?;

    let size = between(1, LARGE - 1);
    stage.claim("written when it was killed: a part", once.aside, size);
    let named = once.error.contains("killed by SIGKILL");
    stage.claim("its job: lost, and the signal is named", named, equals(true));
    let (source, lost) = (Tree::read(&from)?, Tree::read(&lost)?);
    let missing = vec!["001".to_owned()];
    stage.claim("missing in the copy", source.missing(&lost), equals(missing));
    let half = source.other_bytes(&lost);
    stage.claim("files with other bytes in the copy", half, equals(vec![]));
    let again = Tree::read(&again)?.hash();
    let whole = equals(source.hash());
    stage.claim("if it may begin twice: as the source", again, whole);
    Ok(())
}

/// What was seen of a kill.
struct Killed {
    /// The bytes that the file aside had.
    aside: u64,
    /// What became of the job; nothing if it was done in the end.
    error: String,
}

/// Copies by two workers, one of which is killed in the middle of the first
/// file.
fn kill_one(
    plan: &Plan,
    to: &Path,
    parent: &Track,
    worker: &Track,
    attempts: u32,
) -> shared::Result<Killed> {
    let copy = Copy::begin(plan, to)?;
    let (half, killed) = (Queue::bounded(1)?, Event::new()?);
    let pool = PoolBuilder::new(2).attempts(attempts);
    let pool = pool.build(|number: usize| -> shared::Result {
        let _copies = worker.begin(if number == 0 { "large" } else { "small" });
        copy.file_in_pieces(number, |bytes| {
            if bytes == LARGE / 2 && !killed.is_set() {
                half.put(&process::id())?;
                loop {
                    worker.pause(1.0); // until it is killed
                }
            }
            Ok(())
        })?;
        Ok(())
    })?;
    let numbers = 0..plan.files.len();
    let jobs: Result<Vec<_>, _> = numbers.map(|n| pool.submit(n)).collect();
    let victim: u32 =
        half.get_timeout(PATIENCE).context("nobody is half done")?;
    let aside = copy.aside(0).metadata()?.len();
    parent.note("bytes written aside", aside);
    parent.pause(0.5);
    parent.say(format!("kills process {victim}"));
    kill(Pid::from_raw(victim as i32), Signal::SIGKILL)?;
    killed.set();
    let results: Vec<_> = jobs?.into_iter().map(Job::get).collect();
    let error = results[0].as_ref().err().map(JobError::to_string);
    let error = error.unwrap_or_default();
    parent.note("the job", if error.is_empty() { "done" } else { &error });
    copy.finish()?;
    parent.record("in the copy", listing(to)?);
    Ok(Killed { aside, error })
}

/// The files of a tree, each with its size.
fn listing(tree: &Path) -> anyhow::Result<Vec<String>> {
    let files = Plan::of(tree)?.files.into_iter();
    let shown =
        files.map(|file| format!("{:?} {}", file.path, file.found.len()));
    Ok(shown.collect())
}

/// Somebody writes to a file while it is copied, and removes another before its
/// turn. What is in the copy?
pub fn changed_meanwhile(stage: &Stage) -> shared::Result {
    let (copier, writer) = (stage.track("copier"), stage.track("writer"));
    let folder = stage.folder()?;
    let (from, to) = (folder.join("source"), folder.join("copy"));
    alike(&from, &mut stage.choices("sample"), 3, 2 << 20)?;
    let plan = Plan::of(&from)?;
    let copy = Copy::begin(&plan, &to)?;
    fs::remove_file(from.join("002"))?;
    writer.say("removes 002");
    for (number, file) in plan.files.iter().enumerate() {
        let name = file.path.to_string_lossy();
        let _copies = copier.begin(&name);
        let copied = copy.file_in_pieces(number, |bytes| {
            copier.pause(0.3);
            if number == 0 && bytes < file.found.len() {
                let writes = || append(&writer, &from.join(&file.path));
                Process::spawn(writes)?.join()?;
            }
            Ok(())
        });
        let outcome = match copied {
            Ok(bytes) => format!("{bytes} bytes"),
            // The path of a temporary folder is long, and tells nothing.
            Err(error) => {
                error.to_string().replace(&format!("{}/", from.display()), "")
            }
        };
        copier.note(&format!("the copy of {name}"), outcome);
    }
    copy.finish()?;
    let told = |name| copier.noted::<String>(name);
    let changed = told("the copy of 001")?.contains("changed it meanwhile");
    stage.claim("the one written to: refused", changed, equals(true));
    let gone = told("the copy of 002")?.contains("No such file");
    stage.claim("the one removed: named", gone, equals(true));
    let mut names = Vec::new();
    for entry in fs::read_dir(&to)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    let third = vec!["003".to_owned()];
    stage.claim("in the copy: the third alone", names, equals(third));
    Ok(())
}

fn append(writer: &Track, file: &Path) -> shared::Result {
    writer.span("writes", || {
        let mut file = File::options().append(true).open(file)?;
        file.write_all(b"one more line\n")?;
        writer.pause(0.3);
        Ok(())
    })
}
