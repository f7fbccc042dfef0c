//! How a question and its answer look.

use crate::course::Course;
use crate::question::{Proof, Question};
use anstyle::{AnsiColor, Style};
use shared::Stage;

pub const PLAIN: Style = Style::new();
pub const BOLD: Style = Style::new().bold();
const RIGHT: Style = AnsiColor::Green.on_default().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// A question with its choices.
pub fn tell_question(stage: &Stage, number: usize, question: &Question) {
    tell_heading(stage, number, question);
    for (letter, choice) in question.lettered() {
        stage.tell(PLAIN, &format!("  {letter}  "), &choice.text);
    }
}

fn tell_heading(stage: &Stage, number: usize, question: &Question) {
    stage.heading("question", &number.to_string());
    stage.tell(BOLD, "", &question.question);
}

/// A question with its answer: what was chosen, why each choice is right or
/// is not, and what proves it.
pub fn tell_answer(
    stage: &Stage,
    number: usize,
    question: &Question,
    chosen: Option<char>,
) {
    tell_heading(stage, number, question);
    if let Some(letter) = chosen {
        let (style, verdict) = match question.is_right(letter) {
            true => (RIGHT, "right"),
            false => (WRONG, "not right"),
        };
        stage.tell(style, "", &format!("{letter} is {verdict}."));
    }
    for (letter, choice) in question.lettered() {
        let (style, verdict) = match choice.right {
            true => (RIGHT, "Right"),
            false => (PLAIN, "No"),
        };
        stage.tell(style, &format!("  {letter}  "), &choice.text);
        let because = format!("{verdict}: {}", choice.because);
        stage.tell(PLAIN, "     ", &because);
    }
    stage.tell(BOLD, "", "Proven by");
    for (number, proof) in (1..).zip(&question.proofs) {
        let Proof { step, claim, .. } = proof;
        let text = format!("lesson {}, {step}: {claim}", numbered(proof));
        stage.tell(PLAIN, &format!("  {number}  "), &text);
    }
}

/// The lesson with its number, where that is known.
pub fn numbered(Proof { lesson, .. }: &Proof) -> String {
    let found = Course::find().and_then(|course| course.lesson(lesson));
    found.map_or(lesson.clone(), |found| found.number + " " + lesson)
}

/// The question, what is right, and which lessons prove it.
pub fn tell_in_short(stage: &Stage, number: usize, question: &Question) {
    let label = format!("  {number}. ");
    stage.tell(BOLD, &label, &question.question);
    let right = question.choices.iter().filter(|choice| choice.right);
    for choice in right {
        stage.tell(PLAIN, "     ", &choice.text);
    }
    for proof in &question.proofs {
        let text = format!("lesson {}, {}", numbered(proof), proof.step);
        stage.tell(PLAIN, "       ", &text);
    }
}
