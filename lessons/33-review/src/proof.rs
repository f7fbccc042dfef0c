//! The lessons that prove the answers, run.

use crate::course::Course;
use crate::question::{Proof, Question};
use crate::told::PLAIN;
use anyhow::{Context, bail, ensure};
use shared::lesson::{Claim, Keys};
use shared::trace::Trace;
use shared::{Result, Stage};
use std::collections::HashMap;
use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs the step that proves it, in front of the class: it has the terminal
/// until it ends. Returns how it ended.
pub fn show(stage: &Stage, keys: &Keys, proof: &Proof) -> Result<String> {
    let Proof { lesson, step, .. } = proof;
    let mut command = cargo(lesson)?;
    let speed = stage.speed().to_string();
    command.args(["--", "--step", step, "--speed", &speed]);
    stage.tell(
        PLAIN,
        "",
        &format!("\ncargo run -p {lesson} -- --step {step}\n"),
    );
    let ended = keys.lend(&mut command);
    let ended = ended.with_context(|| {
        let cargo = command.get_program().display();
        format!("cannot run {cargo} for lesson {lesson}; install it")
    })?;
    Ok(match (ended.code(), ended.signal()) {
        (Some(0), _) => format!("lesson {lesson} has ended"),
        (Some(130), _) | (_, Some(2)) => {
            format!("lesson {lesson} was ended by Ctrl-C; the questions go on")
        }
        // By Ctrl-Z, see `Keys::lend`, or from elsewhere.
        (Some(143), _) | (_, Some(15)) => {
            format!("lesson {lesson} was ended; the questions go on")
        }
        _ => format!("lesson {lesson} failed ({ended}); the questions go on"),
    })
}

/// Runs all lessons that prove an answer, and sees whether the claims hold.
pub fn prove_all(stage: &Stage, questions: &[(usize, Question)]) -> Result {
    let proofs = questions.iter().flat_map(|(number, question)| {
        question.proofs.iter().map(move |proof| (*number, proof))
    });
    let proofs: Vec<(usize, &Proof)> = proofs.collect();
    let text = "Each lesson is built, if need be, and run.";
    stage.tell(PLAIN, "", &format!("{text} The first time takes minutes.\n"));
    let place = stage.folder()?;
    let progress = stage.progress("proofs", proofs.len() as u64);
    let (mut rows, mut claims) = (Vec::new(), HashMap::new());
    for (number, proof) in &proofs {
        let Proof { lesson, step, claim } = proof;
        // One step may prove several answers.
        let made = claims.entry((lesson, step));
        let made = made.or_insert_with(|| run(proof, &place));
        let verdict = verdict(proof, made);
        let number = number.to_string();
        let row = [number.as_str(), lesson, claim, verdict];
        rows.push(row.map(str::to_owned));
        progress.advance(1);
    }
    drop(progress);
    let held = rows.iter().filter(|row| row[3] == HELD).count();
    let all = rows.len();
    stage.table(["", "lesson", "claim", ""], rows);
    let mut whys: Vec<_> =
        claims.into_values().filter_map(Result::err).collect();
    whys.sort_by_key(|why| why.to_string());
    for why in whys {
        stage.tell(PLAIN, "", &format!("{why:#}"));
    }
    let failed = all - held;
    ensure!(failed == 0, "{failed} of {all} proofs failed; see the table");
    stage.tell(PLAIN, "", &format!("\n{all} of {all} proofs held"));
    Ok(())
}

const HELD: &str = "held";

fn verdict(proof: &Proof, made: &Result<Vec<Claim>>) -> &'static str {
    let Ok(made) = made else { return "cannot be run" };
    match made.iter().find(|claim| claim.text == proof.claim) {
        Some(claim) if claim.held => HELD,
        Some(_) => "did not hold",
        None => "is not claimed",
    }
}

/// What the step claims when it is run.
fn run(proof: &Proof, place: &Path) -> Result<Vec<Claim>> {
    let Proof { lesson, step, .. } = proof;
    let trace = place.join(format!("{lesson}-{step}.jsonl"));
    let mut command = cargo(lesson)?;
    command.args(["--quiet", "--", "--step", step, "--speed", "20", "--trace"]);
    command.arg(&trace).stdout(Stdio::null());
    let what = || {
        format!(
            "cannot run {step} of lesson {lesson}; try `just lesson {lesson}`"
        )
    };
    let ended = command.status().with_context(what)?;
    // 1: a claim did not hold, which the trace tells.
    let to_its_end = matches!(ended.code(), Some(0 | 1));
    ensure!(to_its_end, "{}: it ended with {ended}", what());
    let trace = Trace::read(&trace).with_context(what)?;
    Ok(Claim::all(&trace))
}

/// `cargo run` for a lesson of the course.
fn cargo(lesson: &str) -> Result<Command> {
    let course = Course::find();
    let Some(Course { top }) = course else {
        bail!("the lessons are not here; run this in a clone of the course");
    };
    // The one that built this lesson, if there is one.
    let cargo = env::var_os("CARGO").map_or("cargo".into(), PathBuf::from);
    let mut command = Command::new(cargo);
    command.arg("run").arg("--manifest-path").arg(top.join("Cargo.toml"));
    command.args(["--package", lesson]);
    Ok(command)
}
