//! The questions, put to a class.

use crate::options::Options;
use crate::proof;
use crate::question::{LETTERS, Question};
use crate::score::Score;
use crate::told::{BOLD, PLAIN, tell_answer, tell_question};
use anyhow::Error;
use shared::Stage;
use shared::lesson::{Key, Keys};

/// Asks the questions or, where nobody can answer, tells the answers.
pub fn review(stage: &Stage) -> shared::Result {
    let options: &Options = stage.options();
    let questions = options.chosen()?;
    if options.prove {
        return proof::prove_all(stage, &questions);
    }
    let keys = if options.answers { None } else { stage.keys()? };
    let Some(keys) = keys else {
        for (number, question) in &questions {
            tell_answer(stage, *number, question, None);
            stage.tell(PLAIN, "", "");
        }
        return Ok(());
    };
    let mut score = Score::default();
    let asked = questions.iter().try_for_each(|(number, question)| {
        ask(stage, &keys, *number, question, &mut score)
    });
    score.tell(stage, &questions);
    match asked {
        Ok(()) | Err(Stop::Quit) => Ok(()),
        Err(Stop::Interrupt) => keys.interrupted(),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Why no more is asked.
enum Stop {
    Quit,
    Interrupt,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Asks one question, tells the answer, and runs the lessons that prove it as
/// often as is wished.
fn ask(
    stage: &Stage,
    keys: &Keys,
    number: usize,
    question: &Question,
    score: &mut Score,
) -> Result<(), Stop> {
    keys.clear();
    tell_question(stage, number, question);
    let letters = &LETTERS[..question.choices.len()];
    let last = letters.chars().last().unwrap_or('a');
    let wish = format!("a-{last}: answer   Enter: see   q: end");
    let answer = choice(keys, &wish, letters)?;
    score.add(number, answer.map(|letter| question.is_right(letter)));
    keys.clear();
    tell_answer(stage, number, question, answer);

    let digits = &"123456789"[..question.proofs.len()];
    let run = match digits {
        "1" => "1: run that lesson".to_owned(),
        _ => format!("1-{}: run that lesson", digits.len()),
    };
    let wish = format!("Enter: go on   {run}   q: end");
    while let Some(digit) = choice(keys, &wish, digits)? {
        let at = digits.find(digit).unwrap_or(0);
        // What goes wrong there is no reason to end the questions.
        match proof::show(stage, keys, &question.proofs[at]) {
            Ok(ended) => stage.tell(PLAIN, "", &format!("\n{ended}")),
            Err(error) => stage.tell(BOLD, "", &format!("\n{error:#}")),
        }
    }
    Ok(())
}

/// One of `characters`, or nothing for Enter.
fn choice(
    keys: &Keys,
    wish: &str,
    characters: &str,
) -> Result<Option<char>, Stop> {
    let mut key = keys.ask(wish)?;
    loop {
        match key {
            Key::Enter => return Ok(None),
            Key::Char('q') | Key::End => return Err(Stop::Quit),
            Key::Interrupt => return Err(Stop::Interrupt),
            Key::Char(c) if characters.contains(c) => return Ok(Some(c)),
            Key::Char(_) | Key::Other => key = keys.next()?,
        }
    }
}
