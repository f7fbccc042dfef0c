//! What came of the questions.

use crate::question::Question;
use crate::told::{BOLD, PLAIN, numbered};
use shared::Stage;

/// The numbers of the questions, by what came of them.
#[derive(Default)]
pub struct Score {
    right: Vec<usize>,
    wrong: Vec<usize>,
    only_seen: Vec<usize>,
}

impl Score {
    /// `right` is nothing if nobody answered.
    pub fn add(&mut self, number: usize, right: Option<bool>) {
        let list = match right {
            Some(true) => &mut self.right,
            Some(false) => &mut self.wrong,
            None => &mut self.only_seen,
        };
        list.push(number);
    }

    pub fn tell(&self, stage: &Stage, questions: &[(usize, Question)]) {
        let (right, wrong) = (self.right.len(), self.wrong.len());
        let seen = self.only_seen.len();
        let left = questions.len() - right - wrong - seen;
        let score = match right + wrong {
            0 => "\nno answers".to_owned(),
            all => format!("\n{right} of {all} answers right"),
        };
        let rest = [(seen, "only seen"), (left, "not asked")];
        let rest = rest.into_iter().filter(|(count, _)| *count > 0);
        let rest = rest.map(|(count, what)| format!(", {count} {what}"));
        stage.tell(BOLD, "", &(score + &rest.collect::<String>()));
        for number in &self.wrong {
            let question = questions.iter().find(|(it, _)| it == number);
            let proofs = question.map_or(&[][..], |(_, it)| &it.proofs);
            let mut lessons: Vec<_> = proofs.iter().map(numbered).collect();
            lessons.dedup();
            let word = if lessons.len() == 1 { "lesson" } else { "lessons" };
            let text = format!("see again {word} {}", lessons.join(", "));
            stage.tell(PLAIN, &format!("  question {number}: "), &text);
        }
    }
}
