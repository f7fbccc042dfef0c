//! The questions, as a file has them.

use crate::course::Course;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The questions of this lesson.
const BUILT_IN: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/questions.json"));

/// Letters, one for each choice.
pub const LETTERS: &str = "abcdef";

/// The most bytes that a file may have.
const LARGEST: u64 = 1 << 20;

/// What a file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    questions: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub question: String,
    pub choices: Vec<Choice>,
    /// What proves the answer.
    pub proofs: Vec<Proof>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub text: String,
    #[serde(default)]
    pub right: bool,
    /// Why it is right, or why it is not.
    pub because: String,
}

/// A claim that a step of a lesson makes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    pub lesson: String,
    pub step: String,
    pub claim: String,
}

pub fn built_in() -> Result<Vec<Question>> {
    parse(BUILT_IN.as_bytes()).context(cannot("questions.json of lesson 33"))
}

pub fn of_file(path: &Path) -> Result<Vec<Question>> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        ensure!(bytes.len() as u64 <= LARGEST, "it has more than 1 MiB");
        parse(&bytes)
    };
    read().context(cannot(&path.display().to_string()))
}

fn cannot(file: &str) -> String {
    format!("cannot take questions from {file}; mend it, or name another one")
}

fn parse(bytes: &[u8]) -> Result<Vec<Question>> {
    let contents: Contents = serde_json::from_slice(bytes)?;
    ensure!(!contents.questions.is_empty(), "there is no question in it");
    let course = Course::find();
    let mut asked = HashSet::new();
    let questions = (1..).zip(contents.questions).map(|(number, value)| {
        let read = || {
            let question: Question = serde_json::from_value(value)?;
            question.check(course.as_ref())?;
            let new = asked.insert(question.question.clone());
            ensure!(new, "was asked before; ask something else");
            Ok(question)
        };
        read().with_context(|| format!("question {number}"))
    });
    questions.collect()
}

impl Question {
    /// How many choices are marked as right.
    pub fn right(&self) -> usize {
        self.choices.iter().filter(|choice| choice.right).count()
    }

    /// The choices with their letters.
    pub fn lettered(&self) -> impl Iterator<Item = (char, &Choice)> {
        LETTERS.chars().zip(&self.choices)
    }

    pub fn is_right(&self, letter: char) -> bool {
        self.lettered().any(|(it, choice)| it == letter && choice.right)
    }

    fn check(&self, course: Option<&Course>) -> Result<()> {
        readable("question", &self.question)?;
        let number = self.choices.len();
        let enough = (2..=LETTERS.len()).contains(&number);
        ensure!(enough, "has {number} choices; give it 2 to 6");
        match self.right() {
            1 => {}
            0 => bail!("has no right choice; give one of them \"right\": true"),
            right => bail!("has {right} right choices; leave one"),
        }
        let mut texts = HashSet::new();
        for (letter, choice) in self.lettered() {
            let name = format!("choice {letter}");
            readable(&format!("`text` of {name}"), &choice.text)?;
            readable(&format!("`because` of {name}"), &choice.because)?;
            let new = texts.insert(&choice.text);
            ensure!(new, "{name} says the same as one before; change it");
        }
        let number = self.proofs.len();
        ensure!(
            (1..=9).contains(&number),
            "has {number} proofs; give it 1 to 9, each a claim of a lesson"
        );
        self.proofs.iter().try_for_each(|proof| proof.check(course))
    }
}

impl Proof {
    fn check(&self, course: Option<&Course>) -> Result<()> {
        readable("`claim` of a proof", &self.claim)?;
        let Self { lesson, step, .. } = self;
        let Some(course) = course else { return Ok(()) };
        let found = course.lesson(lesson).with_context(|| {
            format!("there is no lesson {lesson:?}; `just` lists them")
        })?;
        let steps = found.steps();
        ensure!(
            steps.contains(step),
            "lesson {lesson} has no step {step:?}; it has {}",
            steps.join(", ")
        );
        Ok(())
    }
}

/// Whether a terminal can show it.
fn readable(what: &str, text: &str) -> Result<()> {
    ensure!(!text.trim().is_empty(), "its {what} is empty; write it");
    let plain = !text.chars().any(char::is_control);
    ensure!(plain, "its {what} has a control character; leave that out");
    Ok(())
}
