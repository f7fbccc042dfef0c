//! What can be chosen for this lesson.

use crate::question::{self, Question};
use anyhow::Result;
use clap::error::ErrorKind;
use std::path::PathBuf;

/// What of the questions is wanted.
#[derive(clap::Args)]
pub struct Options {
    /// Print the questions with their answers, and ask nobody
    #[arg(long, conflicts_with = "prove")]
    #[arg(conflicts_with_all = STEPS)]
    pub answers: bool,

    /// Ask question N only
    #[arg(long, value_name = "N", value_parser = number)]
    #[arg(allow_negative_numbers = true, conflicts_with_all = STEPS)]
    pub question: Option<usize>,

    /// Take the questions from FILE, in the form of questions.json
    #[arg(long, value_name = "FILE", conflicts_with_all = STEPS)]
    pub questions: Option<PathBuf>,

    /// Run the lessons that prove the answers, and see whether they do
    #[arg(long, conflicts_with_all = STEPS)]
    pub prove: bool,
}

/// What is about the steps and not about the questions.
const STEPS: [&str; 6] = ["step", "walk", "runs", "hold", "svg", "perfetto"];

impl Options {
    /// Whether one of them was given.
    pub fn about_questions(&self) -> bool {
        let some = self.question.is_some() || self.questions.is_some();
        some || self.answers || self.prove
    }

    /// The questions that are wanted, with their numbers.
    pub fn chosen(&self) -> Result<Vec<(usize, Question)>> {
        let all = match &self.questions {
            None => question::built_in()?,
            Some(file) => question::of_file(file)?,
        };
        let count = all.len();
        let wanted = |number| self.question.is_none_or(|n| n == number);
        let chosen = (1..).zip(all).filter(|(number, _)| wanted(*number));
        let chosen: Vec<_> = chosen.collect();
        if let (Some(number), []) = (self.question, &chosen[..]) {
            // As clap does for what it knows before the file is read.
            let wrong = format!(
                "invalid value '{number}' for '--question <N>': give the \
                 number of a question, from 1 to {count}\n"
            );
            clap::Error::raw(ErrorKind::ValueValidation, wrong).exit();
        }
        Ok(chosen)
    }
}

fn number(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "give the number of a question, from 1".to_owned())
}
