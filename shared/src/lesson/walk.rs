//! A lesson stopped before and after each step, for a class.

use super::highlight::highlight;
use super::show::Show;
use crate::Result;
use anstyle::Style;
use anyhow::Context;
use console::{Key, Term};

/// Says that there is nobody to ask and ends with the status of a wrong
/// command line.
pub(super) fn needs_a_terminal(package: &str) -> ! {
    eprintln!(
        "{package}: --walk waits for keys: run it in a terminal, or leave it out"
    );
    std::process::exit(2)
}

enum Move {
    Run,
    Back,
    Again,
    Quit,
}

pub(super) fn walk(show: &mut Show) -> Result {
    let steps = show.outcomes.len();
    let mut step = 0;
    while step < steps {
        open(show, step)?;
        let mut moved = ask(show, "Enter: run   b: back   q: end")?;
        while matches!(moved, Move::Run | Move::Again) {
            show.run_step(step)?;
            let after = if step + 1 < steps { "next" } else { "end" };
            moved = ask(
                show,
                &format!("Enter: {after}   r: again   b: back   q: end"),
            )?;
            if matches!(moved, Move::Run) {
                break;
            }
        }
        match moved {
            Move::Run | Move::Again => step += 1,
            Move::Back => step = step.saturating_sub(1),
            Move::Quit => break,
        }
    }
    Ok(())
}

/// Shows a step before it runs: title, question, source.
fn open(show: &Show, step: usize) -> Result {
    let voice = show.stage.voice;
    Term::stdout().clear_screen()?;
    show.say_title();
    let script = show.say_step(step);
    let code = highlight(&script.code, voice.terminal);
    let lines = code.lines().map(|line| format!("    {line}\n"));
    voice.write(&format!("\n{}", lines.collect::<String>()));
    Ok(())
}

fn ask(show: &Show, keys: &str) -> Result<Move> {
    let voice = show.stage.voice;
    voice.tell(Style::new().invert(), "", &format!("\n {keys} "));
    loop {
        let key = Term::stdout().read_key();
        let key = key.context("cannot read a key from the terminal")?;
        return Ok(match key {
            Key::Enter | Key::Char(' ') | Key::ArrowRight => Move::Run,
            Key::Char('b' | 'B') | Key::ArrowLeft => Move::Back,
            Key::Char('r' | 'R') => Move::Again,
            Key::Char('q' | 'Q') | Key::Escape => Move::Quit,
            _ => continue,
        });
    }
}
