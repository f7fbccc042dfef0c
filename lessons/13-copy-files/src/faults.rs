//! What goes wrong while a file is copied.

use crate::PATIENCE;
use crate::copy::Copy;
use crate::place::of_a_sample;
use crate::plan::Plan;
use crate::sample::alike;
use crate::tree::Tree;
use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shared::lesson::{between, equals};
use shared::process::{Event, PoolBuilder, Process, Queue};
use shared::{Stage, Track};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process;

/// The first of six files is this large, and copied in four pieces.
const LARGE: u64 = 4 << 20;

/// A worker has copied half of a large file, and is killed. Is there half a
/// file in the copy? And if the pool may begin the job again?
///
/// - [ ] yes, half of it; again: it is finished from there
/// - [ ] yes, half of it; again: it is written anew
/// - [x] no, nothing of that name; again: the whole file
pub fn worker_killed(stage: &Stage) -> shared::Result {
    let Some(folder) = of_a_sample(stage)? else { return Ok(()) };
    let (parent, worker) = (stage.track("parent"), stage.track("worker"));
    let (from, choices) = (folder.join("source"), &mut stage.choices("sample"));
    alike(&from, choices, 1, LARGE as usize)?;
    alike(&from.join("small"), choices, 5, 10 << 10)?;
    let plan = Plan::of(&from)?;
    let lost = folder.join("lost");
    let once = kill_one(&plan, &lost, &parent, &worker, 1)?;
    let again = folder.join("again");
    kill_one(&plan, &again, &parent, &worker, 2)?;

    stage.claim(
        "written when it was killed: a part",
        once.aside,
        between(1, LARGE - 1),
    );
    stage.claim("its name then: not in the copy", once.named, equals(false));
    let named = ["the job is lost", "killed by SIGKILL"]
        .iter()
        .all(|words| once.error.contains(words));
    let text = "its job: lost, and the signal is named";
    stage.claim(text, named, equals(true));
    let (source, lost) = (Tree::read(&from)?, Tree::read(&lost)?);
    let (text, first) = ("missing in the copy, or too much", "001".to_owned());
    stage.claim(text, source.unpaired(&lost), equals(vec![first]));
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
    /// Whether there was a file of its name in the copy.
    named: bool,
    /// What became of the job; nothing if it was done in the end.
    error: String,
}

/// Copies by two workers, one of which is killed in the middle of the first
/// file, when the other has copied the rest.
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
    let large = pool.submit(0)?;
    let victim: u32 = half.get_timeout(PATIENCE).with_context(|| {
        format!(
            "no worker had copied half a file within {PATIENCE:?}; \
             end other programs and run it again"
        )
    })?;
    pool.map(1..plan.files.len())?;
    let aside = copy.aside(0).metadata()?.len();
    parent.note("bytes written aside", aside);
    let named = fs::exists(to.join("001"))?;
    parent.note("there is a 001 in the copy", named);
    parent.pause(0.5);
    parent.say(format!("kills process {victim}"));
    kill(Pid::from_raw(victim as i32), Signal::SIGKILL)?;
    killed.set();
    let error = large.get().err().map(|error| error.to_string());
    let error = error.unwrap_or_default();
    let [outcome, sentence] = match error.as_str() {
        "" => ["done", "the job is done"],
        error => [error, error], // it begins with "the job"
    };
    parent.record("the job", outcome);
    parent.say(sentence);
    copy.finish()?;
    parent.record("in the copy", listing(to)?);
    Ok(Killed { aside, named, error })
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
///
/// - [ ] the first as it was, the second not, the third
/// - [ ] the first with the new line, the second not, the third
/// - [x] the third alone; of the others it is said why
pub fn changed_meanwhile(stage: &Stage) -> shared::Result {
    let Some(folder) = of_a_sample(stage)? else { return Ok(()) };
    let (copier, writer) = (stage.track("copier"), stage.track("writer"));
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
        copier.note(&format!("the copy of {name}"), outcome(copied, &from));
    }
    copy.finish()?;
    let changed: String = copier.noted("the copy of 001")?;
    let gone: String = copier.noted("the copy of 002")?;
    stage.claim(
        "the one written to: refused",
        ["\"001\";", "somebody changed it meanwhile"]
            .iter()
            .all(|words| changed.contains(words)),
        equals(true),
    );
    stage.claim(
        "the one removed: named",
        ["\"002\";", "No such file"].iter().all(|words| gone.contains(words)),
        equals(true),
    );
    let mut names = Vec::new();
    for entry in fs::read_dir(&to)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    let third = vec!["003".to_owned()];
    stage.claim("in the copy: the third alone", names, equals(third));
    Ok(())
}

/// What became of a copy. The path of a temporary folder is long, and tells
/// nothing.
fn outcome(copied: anyhow::Result<u64>, from: &Path) -> String {
    match copied {
        Ok(bytes) => format!("{bytes} bytes"),
        Err(error) => {
            error.to_string().replace(&format!("{}/", from.display()), "")
        }
    }
}

fn append(writer: &Track, file: &Path) -> shared::Result {
    writer.span("writes", || {
        let mut file = File::options().append(true).open(file)?;
        file.write_all(b"one more line\n")?;
        writer.pause(0.3);
        Ok(())
    })
}
