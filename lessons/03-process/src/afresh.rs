//! Start afresh instead of copying: the program runs itself again, with an
//! argument that tells it so. Where there is no fork this is the only way.

use anyhow::{Context, ensure};
use shared::Stage;
use shared::lesson::equals;
use shared::process::Process;
use std::env::{args_os, current_exe};
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio, id};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The oven is heated, then someone is to bake. Who finds it hot, and who
/// does not?
///
/// - [ ] both: it is the same program
/// - [x] the copy; not the program that was started afresh
/// - [ ] neither: each process begins from the beginning
pub fn start_afresh(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    OVEN.store(200, Relaxed);
    let start_copy =
        || anyhow::Ok(Process::spawn(|| OVEN.load(Relaxed))?.join()?);
    let copy = start_copy()?;
    let afresh = run_again("--oven", 180)?;
    let (oven, told) = afresh.split_once(' ').with_context(|| {
        format!("cannot find two numbers in {afresh:?}; build it anew")
    })?;
    parent.note("copied", copy);
    parent.note("afresh", oven);
    parent.note("afresh, as an argument", told);
    stage.claim("the copy finds it hot", copy, equals(200));
    stage.claim("started afresh, it is cold", oven, equals("20"));
    stage.claim("but what it is told arrives", told, equals("180"));

    const TIMES: u32 = 20;
    stage.measure("start a copy, and wait", TIMES, || {
        (0..TIMES).map(|_| start_copy()).sum::<shared::Result<u32>>()
    })?;
    stage.measure("start afresh, and wait", TIMES, || {
        (0..TIMES).map(sum_afresh).sum::<shared::Result<u32>>()
    })?;
    Ok(())
}

/// What one who is started afresh finds and is told, added up.
fn sum_afresh(number: u32) -> shared::Result<u32> {
    let said = run_again("--oven", number)?;
    Ok(said.split(' ').map(str::parse::<u32>).sum::<Result<_, _>>()?)
}

/// How hot the oven is. Every program begins with a cold one.
static OVEN: AtomicU32 = AtomicU32::new(20);

/// Runs this program from its beginning; returns what it prints.
fn run_again(argument: &str, number: u32) -> shared::Result<String> {
    let program = current_exe()
        .context("cannot find this program's own file; mount /proc")?;
    let mut command = Command::new(&program);
    command.args([argument, &number.to_string()]).stdin(Stdio::null());
    let output = command.output();
    let output = output.with_context(|| {
        let program = program.display();
        format!("cannot run {program} again; build it, and leave it there")
    })?;
    let status = output.status;
    let why = String::from_utf8_lossy(&output.stderr);
    let why = why.lines().next().unwrap_or("it does not say why");
    ensure!(
        status.success(),
        "cannot run {} {argument} to its end; run the lesson again: \
         {status}: {why}",
        program.display()
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The guard, called by main before anything else: a program that was started
/// by itself does what it is told to, and does not begin as always.
pub fn started_by_itself() -> Option<ExitCode> {
    let mut args = args_os().skip(1).map(OsString::into_string);
    let (job, number) = (args.next()?.ok()?, args.next()?.ok()?);
    let number = number.parse().ok()?;
    let said = match job.as_str() {
        "--oven" => Ok(format!("{} {number}", OVEN.load(Relaxed))),
        "--unguarded" if (1..=LIMIT).contains(&number) => {
            begin_unguarded(number)
        }
        _ => return None,
    };
    let said = said.and_then(|text| Ok(writeln!(io::stdout(), "{text}")?));
    Some(match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "process: {error:#}");
            ExitCode::FAILURE
        }
    })
}

/// Without a guard main does in the new process what it did in the old one:
/// it starts the program. When does that end?
///
/// - [ ] at the second start: the system notices
/// - [ ] when the first program ends
/// - [x] at the limit that this lesson sets, and not before
pub fn without_a_guard(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let said = run_again("--unguarded", LIMIT)?;
    for pid in said.lines() {
        parent.note("main begins in", pid);
    }
    let begun = said.lines().count();
    stage.claim("at the limit, and not before", begun, equals(LIMIT as usize));
    Ok(())
}

/// How many starts without a guard there may be.
const LIMIT: u32 = 5;

/// What such a main does. Nothing but the limit ends it.
fn begin_unguarded(limit: u32) -> shared::Result<String> {
    let me = id().to_string();
    if limit == 1 {
        return Ok(me);
    }
    Ok(me + "\n" + &run_again("--unguarded", limit - 1)?)
}
