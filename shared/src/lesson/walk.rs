//! A lesson stopped before and after each step, for a class.

use super::highlight::highlight;
use super::show::Show;
use crate::Result;
use anstyle::Style;
use anyhow::Context;
use console::{Key, Term};
use nix::sys::termios::{
    FlushArg, LocalFlags, SetArg, Termios, tcflush, tcgetattr, tcsetattr,
};
use std::io;

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
    Helpers,
    Quit,
}

/// Walks through the lesson, from the step on that has the index `first`.
pub(super) fn walk(show: &mut Show, first: usize) -> Result {
    let _silence = Silence::begin()?;
    let mut step = first;
    clear(show);
    show.say_title();
    while step < show.scripts.len() {
        open(show, step)?;
        let moved = match before(show, step)? {
            Move::Run => run(show, step)?,
            other => other,
        };
        match moved {
            Move::Back => step = step.saturating_sub(1),
            Move::Quit => break,
            _ => step += 1,
        }
        clear(show);
    }
    Ok(())
}

/// Empties the screen, if it can be.
fn clear(show: &Show) {
    let voice = show.stage.voice;
    let clear = if voice.terminal.colour { "\u{1b}[2J\u{1b}[H" } else { "\n" };
    voice.write(clear);
}

/// Shows a step before it runs: its source up to the claims, which would give
/// the answer away, and its question.
fn open(show: &Show, step: usize) -> Result {
    show.say_heading(step);
    let code = show.scripts[step].before_claims();
    show.stage
        .voice
        .write(&format!("{}\n\n", highlight(&code, show.stage.voice.terminal)));
    show.say_sentence(step);
    Ok(())
}

/// Asks what to do before the step has run.
fn before(show: &Show, step: usize) -> Result<Move> {
    let helpers = &show.scripts[step].helpers;
    let keys =
        keys("Enter: run", step, [(!helpers.is_empty(), "c: what it calls")]);
    loop {
        match ask(show, &keys)? {
            Move::Again => return Ok(Move::Run),
            Move::Helpers => say_code(show, helpers),
            other => return Ok(other),
        }
    }
}

/// Runs the step as often as is wished; what to do then.
fn run(show: &mut Show, step: usize) -> Result<Move> {
    let next = if step + 1 < show.scripts.len() {
        "Enter: next"
    } else {
        "Enter: end"
    };
    let claims = show.scripts[step].claims();
    let more = [(true, "r: run again"), (!claims.is_empty(), "c: its claims")];
    let keys = keys(next, step, more);
    loop {
        show.run_step(step)?;
        loop {
            match ask(show, &keys)? {
                Move::Again => break,
                Move::Helpers => say_code(show, &claims),
                other => return Ok(other),
            }
        }
    }
}

/// Shows more of the source, if there is more.
fn say_code(show: &Show, code: &str) {
    let voice = show.stage.voice;
    match code {
        "" => voice.tell(Style::new(), "", "\nthere is no more of it"),
        _ => {
            let code = highlight(code, voice.terminal);
            voice.write(&format!("\n{code}\n"));
        }
    }
}

fn keys<const N: usize>(
    enter: &str,
    step: usize,
    more: [(bool, &str); N],
) -> String {
    let back = (step > 0, "b: previous step");
    let more = more.into_iter().chain([back, (true, "q: end")]);
    let more = more.filter(|(has, _)| *has).map(|(_, key)| key);
    [enter].into_iter().chain(more).collect::<Vec<_>>().join("   ")
}

fn ask(show: &Show, keys: &str) -> Result<Move> {
    let voice = show.stage.voice;
    // What was typed while something ran was not meant for this question.
    tcflush(io::stdin(), FlushArg::TCIFLUSH)?;
    voice.write("\n");
    voice.tell(Style::new().invert(), "", &format!(" {keys} "));
    loop {
        let key = Term::stdout().read_key();
        let key = key.context("cannot read a key from the terminal")?;
        return Ok(match key {
            Key::Enter | Key::Char(' ') | Key::ArrowRight => Move::Run,
            Key::Char('b' | 'B') | Key::ArrowLeft => Move::Back,
            Key::Char('r' | 'R') => Move::Again,
            Key::Char('c' | 'C') => Move::Helpers,
            Key::Char('q' | 'Q') | Key::Escape => Move::Quit,
            _ => continue,
        });
    }
}

/// As long as it lives, keys are not shown where they are typed.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSADRAIN, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}
