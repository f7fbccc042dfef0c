//! Review: the questions at the end.
//!
//! Nine questions about all that came before, put to the class. Which answer
//! is right, why is each other one wrong, and what proves it?

mod course;
mod locks;
mod options;
mod proof;
mod question;
mod quiz;
mod score;
mod talk;
mod told;
mod waiting;

use course::Course;
use options::Options;
use shared::lesson::{differs_from, equals};
use shared::process::Process;
use shared::{Stage, Track, lesson};
use std::process::{ExitCode, id};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

fn main() -> ExitCode {
    lesson![
        the_answers,
        whose_memory,
        talk::five_ways,
        locks::one_lock,
        locks::lost_update,
        locks::circle,
        waiting::on_one_thread,
        waiting::what_join_does;
        course, question,
    ]
    .with::<Options>()
    .instead(Options::about_questions, quiz::review)
    .in_person(quiz::review)
    .run()
}

/// Nine questions, and which answer is right. Where is each proven?
fn the_answers(stage: &Stage) -> shared::Result {
    let (questions, course) = (question::built_in()?, Course::find());
    let answers = stage.track("answers");
    for (number, question) in (1..).zip(&questions) {
        told::tell_in_short(stage, number, question);
        answers.record("right", question.right());
        for proof in &question.proofs {
            let known = course.as_ref().map(|course| course.claims(proof));
            answers.record("proof", known);
        }
    }
    stage.claim("questions", questions.len(), equals(9));
    let Some(course) = course else {
        stage.cannot_show("where they are proven", "the lessons are not here");
        return Ok(());
    };
    let proofs = questions.iter().flat_map(|question| &question.proofs);
    let unknown = proofs.filter(|proof| !course.claims(proof)).count();
    stage.claim("proofs that are in no lesson", unknown, equals(0));
    Ok(())
}

/// Questions 1, 2 and 4: a child process and two threads, one from a closure
/// and one from a type with a `run`, each add 1 to a number. What has main?
///
/// - [ ] three: they all add to the same number
/// - [x] two: the child adds to a copy
/// - [ ] nothing: each of them adds to a copy
fn whose_memory(stage: &Stage) -> shared::Result {
    let number = AtomicU32::new(0);
    let (main, child) = (stage.track("main"), stage.track("child"));
    let closure = stage.track("closure");
    let adder = Adder { number: &number, track: stage.track("type") };
    main.note("pid", id());
    Process::spawn(|| add(&child, &number))?.join()?;
    thread::scope(|scope| {
        scope.spawn(|| add(&closure, &number));
        scope.spawn(|| adder.run());
    });
    main.note("has", number.load(Relaxed));

    let pid = |track: &Track| track.noted::<u32>("pid");
    stage.claim("the child's pid: another", pid(&child)?, differs_from(id()));
    let threads = vec![pid(&closure)?, pid(&adder.track)?];
    stage.claim("the threads' pids: main's", threads, equals(vec![id(); 2]));
    stage.claim(
        "main has what the threads add",
        number.into_inner(),
        equals(2),
    );
    Ok(())
}

/// A type with a `run`, for a thread to do.
struct Adder<'a> {
    number: &'a AtomicU32,
    track: Track,
}

impl Adder<'_> {
    fn run(&self) {
        add(&self.track, self.number);
    }
}

fn add(track: &Track, number: &AtomicU32) {
    track.note("pid", id());
    track.span("adds", || track.pause(0.3));
    track.note("has", number.fetch_add(1, Relaxed) + 1);
}
