//! A lesson stopped before and after each step, for a class.

use super::choice;
use super::highlight::highlight;
use super::pages::pages;
use super::show::{FEWEST_ROWS, Show};
use crate::Result;
use anstyle::Style;
use anyhow::Context;
use console::{Key, Term};
use nix::sys::termios::{
    FlushArg, LocalFlags, SetArg, Termios, tcflush, tcgetattr, tcsetattr,
};
use std::io;

/// Where to go from a step.
enum Move {
    On,
    Back,
    Quit,
}

/// A key that may be pressed, and what is said of it.
type Offer<'a> = (char, &'a str);

const ENTER: char = '\n';

/// A timeline of so many rows is worth to be shown below what was told; else it
/// gets a screen of its own.
const ENOUGH_ROWS: usize = 8;

/// Walks through the lesson, from the step on that has the index `first`.
pub(super) fn walk(show: &mut Show, first: usize) -> Result {
    let _silence = Silence::begin()?;
    let mut step = first;
    let mut moved = title(show)?;
    while !matches!(moved, Move::Quit) && step < show.scripts.len() {
        let (next, chosen) = before(show, step)?;
        moved = match next {
            Move::On => run(show, step, chosen)?,
            other => other,
        };
        match moved {
            Move::On => step += 1,
            Move::Back => step = step.saturating_sub(1),
            Move::Quit => {}
        }
    }
    show.stage.voice.clear();
    Ok(())
}

/// What the lesson is about, and its steps.
fn title(show: &Show) -> Result<Move> {
    show.stage.voice.clear();
    show.say_title();
    let voice = show.stage.voice;
    let names = show.scripts.iter().enumerate();
    let names = names.map(|(at, step)| format!("{}  {}", at + 1, step.name));
    let names = names.collect::<Vec<_>>().join("\n");
    voice.write("\n");
    voice.tell(Style::new(), "  ", &names);
    let key = ask(show, &[(ENTER, "Enter: begin"), ('q', "q: end")])?;
    Ok(if key == 'q' { Move::Quit } else { Move::On })
}

/// Shows a step before it runs, screen by screen: its source up to the claims,
/// which would give the answer away, then its question, and what there is to
/// choose from. What to do then, and what was chosen.
fn before(show: &Show, step: usize) -> Result<(Move, Option<usize>)> {
    let script = &show.scripts[step];
    let (mut at, mut chosen) = (0, None);
    loop {
        let pages = source(show, step);
        at = at.min(pages.len() - 1);
        let last = at + 1 == pages.len();
        show.stage.voice.clear();
        show.say_heading(step);
        let voice = show.stage.voice;
        voice.write(&(pages[at].join("\n") + "\n"));
        if last {
            voice.write(if pages[at].is_empty() { "" } else { "\n" });
            show.say_sentence(step);
            for (style, line) in choice::listed(&script.choices, chosen) {
                voice.tell(style, "", &line);
            }
        }
        let enter = if last { "Enter: run" } else { "Enter: more" };
        let mut offers = vec![(ENTER, enter)];
        let predict = format!("1-{}: predict", script.choices.len());
        for number in (1..=script.choices.len()).filter(|_| last) {
            let words = if number == 1 { predict.as_str() } else { "" };
            offers.extend(
                char::from_digit(number as u32, 10).map(|key| (key, words)),
            );
        }
        let helpers = !script.helpers.is_empty();
        offers.extend(helpers.then_some(('c', "c: what it calls")));
        offers.extend(match (at, step) {
            (0, 0) => None,
            (0, _) => Some(('b', "b: previous")),
            _ => Some(('b', "b: back")),
        });
        offers.push(('q', "q: end"));
        match ask(show, &offers)? {
            ENTER if last => return Ok((Move::On, chosen)),
            ENTER => at += 1,
            'b' if at > 0 => at -= 1,
            'b' => return Ok((Move::Back, chosen)),
            'c' => read(show, step, &script.helpers)?,
            'q' => return Ok((Move::Quit, chosen)),
            number => chosen = number.to_digit(10).map(|n| n as usize - 1),
        }
    }
}

/// The source of a step in screens; the last one has room for its question.
fn source(show: &Show, step: usize) -> Vec<Vec<String>> {
    let script = &show.scripts[step];
    let voice = show.stage.voice;
    let (rows, columns) = room(show);
    let code = highlight(&script.before_claims(), voice.terminal);
    let question = voice.wrapped(&script.sentence, 0).len();
    let listed = script.choices.iter();
    let listed = listed.map(|choice| voice.wrapped(&choice.text, 6).len());
    let question = question + listed.sum::<usize>() + 1;
    if pages(&code, rows.saturating_sub(question), columns).len() == 1 {
        return pages(&code, rows, columns);
    }
    let mut screens = pages(&code, rows, columns);
    let end = screens.last().map_or(0, |last| {
        pages(&last.join("\n"), rows.saturating_sub(question), columns).len()
    });
    if end != 1 {
        screens.push(Vec::new());
    }
    screens
}

/// The rows and columns that a screen has between its heading and its keys.
fn room(show: &Show) -> (usize, usize) {
    let (rows, columns) = show.stage.voice.size().unwrap_or((24, 80));
    (rows.saturating_sub(3).max(4), columns)
}

/// Runs the step as often as is wished; what to do then.
fn run(show: &mut Show, step: usize, chosen: Option<usize>) -> Result<Move> {
    let next = match step + 1 < show.scripts.len() {
        true => "Enter: next",
        false => "Enter: end",
    };
    let proof = show.scripts[step].proof();
    let verdict = verdict(show, step, chosen);
    loop {
        say_head(show, step);
        show.run_step(step)?;
        let mut offers = vec![(ENTER, next), ('r', "r: run again")];
        offers.extend((!proof.is_empty()).then_some(('c', "c: its claims")));
        let drawn = show.has_timeline(step);
        offers.extend(drawn.then_some(('t', "t: timeline")));
        offers.extend((step > 0).then_some(('b', "b: previous")));
        offers.push(('q', "q: end"));

        // Between the question and what was right there is so much room.
        let sentence = &show.scripts[step].sentence;
        let sentence = show.stage.voice.wrapped(sentence, 0).len();
        let below = verdict.lines().count() + keys(show, &offers).len() + 1;
        let room = room(show).0.saturating_sub(sentence + below);
        let rows = show.rows_within(room, step, FEWEST_ROWS);
        let rows = rows.unwrap_or(FEWEST_ROWS);
        match show.told(step) {
            0 => show.say_outcome(step, "", rows),
            told => {
                let room = room.saturating_sub(told + 1);
                match show.rows_within(room, step, ENOUGH_ROWS) {
                    Some(rows) => show.say_outcome(step, "\n", rows),
                    // Else the question would scroll away.
                    None => {
                        let offers = [(ENTER, "Enter: what came of it")];
                        ask(show, &offers)?;
                        say_head(show, step);
                        show.say_outcome(step, "\n", rows);
                    }
                }
            }
        }
        loop {
            show.stage.voice.write(&verdict);
            match ask(show, &offers)? {
                'r' => break,
                'c' => read(show, step, &proof)?,
                't' => {
                    show.stage.voice.clear();
                    show.say_heading(step);
                    show.say_timeline(step, self::room(show).0);
                    ask(show, &[(ENTER, "Enter: back")])?;
                }
                'b' => return Ok(Move::Back),
                'q' => return Ok(Move::Quit),
                _ => return Ok(Move::On),
            }
            say_head(show, step);
            show.say_outcome(step, "\n", rows);
        }
    }
}

/// Begins a screen with the question of a step.
fn say_head(show: &Show, step: usize) {
    show.stage.voice.clear();
    show.say_heading(step);
    show.say_sentence(step);
}

/// What was predicted, and what was right, below an empty line.
fn verdict(show: &Show, step: usize, chosen: Option<usize>) -> String {
    let verdict = choice::verdict(&show.scripts[step].choices, chosen);
    verdict.map_or(String::new(), |(style, text)| {
        let text = show.stage.voice.folded(style, "  ", &text);
        format!("\n{text}")
    })
}

/// Shows more of the source, screen by screen.
fn read(show: &Show, step: usize, code: &str) -> Result {
    let voice = show.stage.voice;
    let (rows, columns) = room(show);
    let pages = pages(&highlight(code, voice.terminal), rows, columns);
    let mut at = 0;
    while at < pages.len() {
        show.stage.voice.clear();
        show.say_heading(step);
        voice.write(&(pages[at].join("\n") + "\n"));
        let more = at + 1 < pages.len();
        let enter = if more { "Enter: more" } else { "Enter: back" };
        let mut offers = vec![(ENTER, enter)];
        offers.extend((at > 0).then_some(('b', "b: back")));
        offers.extend(more.then_some(('q', "q: leave")));
        match ask(show, &offers)? {
            'b' => at -= 1,
            'q' => break,
            _ => at += 1,
        }
    }
    Ok(())
}

/// Says which keys there are, and waits for one of them.
fn ask(show: &Show, offers: &[Offer<'_>]) -> Result<char> {
    let voice = show.stage.voice;
    // What was typed while something ran was not meant for this question.
    tcflush(io::stdin(), FlushArg::TCIFLUSH)?;
    let paint =
        |line: &String| voice.terminal.paint(Style::new().invert(), line);
    let lines: Vec<String> = keys(show, offers).iter().map(paint).collect();
    // The cursor stays behind the last one, so that nothing scrolls away.
    voice.write(&format!("\n{}", lines.join("\n")));
    loop {
        let key = Term::stdout().read_key();
        let key = match key.context("cannot read a key from the terminal")? {
            Key::Enter | Key::Char(' ') | Key::ArrowRight => ENTER,
            Key::ArrowLeft => 'b',
            Key::Escape => 'q',
            Key::Char(key) => key.to_ascii_lowercase(),
            _ => continue,
        };
        if offers.iter().any(|(offered, _)| *offered == key) {
            return Ok(key);
        }
    }
}

/// The lines that say which keys there are.
fn keys(show: &Show, offers: &[Offer<'_>]) -> Vec<String> {
    let words = offers.iter().map(|(_, words)| *words);
    let words = words.filter(|words| !words.is_empty());
    let words = words.collect::<Vec<_>>().join("  ");
    show.stage.voice.wrapped(&format!(" {words} "), 0)
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
