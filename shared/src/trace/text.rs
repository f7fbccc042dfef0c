//! A timeline in the characters of a terminal.

use super::reader::Fate;
use super::timeline::{Line, Timeline};
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Where a bar stops that has no end.
const OPEN: char = '>';
/// Marks that have no place of their own.
const SEVERAL: char = '*';

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Columns.
    pub width: usize,
    /// More than ASCII.
    pub unicode: bool,
    /// Colour.
    pub colour: bool,
}

/// The colour of the row, track or column with this index.
pub fn colour(index: usize) -> Style {
    use AnsiColor::{BrightBlue, Cyan, Green, Magenta, Red, Yellow};
    let colours = [Cyan, Yellow, Green, Magenta, BrightBlue, Red];
    colours[index % colours.len()].on_default()
}

impl Terminal {
    /// `text` in that style, where colours are shown.
    pub fn paint(&self, style: Style, text: &str) -> String {
        match self.colour {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    /// `text` as it can be shown: names may come from anywhere.
    pub fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.unicode || text.is_ascii() {
            true => text.into(),
            false => text.replace(|c: char| !c.is_ascii(), "?").into(),
        }
    }

    /// The character for a span that is painted in this way.
    fn bar(&self, paint: Option<usize>) -> char {
        let (idle, busy) = match self.unicode {
            true => ('░', ['█', '▒', '▓', '━', '┄']),
            false => ('.', ['#', '=', '%', '-', '~']),
        };
        paint.map_or(idle, |number| busy[number % busy.len()])
    }

    fn cross(&self) -> char {
        if self.unicode { '╳' } else { 'X' }
    }

    fn curve(&self) -> &'static [char] {
        match self.unicode {
            true => &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            false => &['_', '.', ':', '-', '=', '+', '*', '#'],
        }
    }
}

/// Draws `timeline` with at most `most_rows` rows, the lines ending in `\n`;
/// nothing when there is nothing on it. Where there are more rows the first
/// and the last are drawn, and how many there are between is said.
pub fn draw(
    timeline: &Timeline,
    terminal: Terminal,
    most_rows: usize,
) -> String {
    let rows = timeline.rows();
    if rows.is_empty() {
        return String::new();
    }
    let longest = rows.iter().map(|row| row.label.width()).max().unwrap_or(0);
    let label_width = longest.min(terminal.width / 4);
    let width = terminal.width.saturating_sub(label_width + 3).max(10);
    let (first, last) = match rows.len() <= most_rows {
        true => (rows.len(), rows.len()),
        false => (most_rows * 2 / 3, rows.len() - most_rows / 3),
    };
    let mut text = String::new();
    let mut several = false;
    for (index, row) in rows.iter().enumerate() {
        if index < first || index >= last {
            let label = fit(&row.label, label_width);
            let cells = cells(timeline, row, terminal, width);
            several |= row.curve.is_empty() && cells.contains(SEVERAL);
            let line =
                terminal.paint(colour(index), &format!("{label} {cells}"));
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {line}");
        } else if index == first {
            let _ = writeln!(text, "  ({} more)", last - first);
        }
    }
    text + &axis(timeline, terminal, label_width, width)
        + &legend(timeline, terminal, several)
}

/// `text` in exactly `width` columns.
pub fn fit(text: &str, width: usize) -> String {
    let mut fitted = String::new();
    for character in text.chars() {
        if fitted.width() + character.width().unwrap_or(0) > width {
            break;
        }
        fitted.push(character);
    }
    fitted
        .extend(std::iter::repeat_n(' ', width.saturating_sub(fitted.width())));
    fitted
}

fn cells(
    timeline: &Timeline,
    row: &Line,
    terminal: Terminal,
    width: usize,
) -> String {
    let column =
        |t_ns| ((timeline.share(t_ns) * width as f64) as usize).min(width - 1);
    let mut cells = curve(timeline, row, terminal, width);
    for bar in &row.bars {
        let (from, to) = (column(bar.from_ns), column(bar.to_ns));
        // What is too short for a column of its own is drawn all the same.
        let to = to.max(from + 1).min(width);
        cells[from.min(to - 1)..to]
            .fill(terminal.bar(timeline.paint(bar.name)));
        match bar.fate {
            Fate::Killed(_) => cells[to - 1] = terminal.cross(),
            Fate::Open => cells[to - 1] = OPEN,
            Fate::Ended => {}
        }
    }
    let mut taken = vec![false; width];
    for mark in &row.marks {
        // The next free place within reach, so that neighbours stay legible.
        let at = column(mark.at_ns);
        let free = (at..width.min(at + 4)).find(|&at| !taken[at]);
        let (at, letter) = match free {
            Some(at) => (at, letter(mark.name)),
            None if cells[at] == letter(mark.name) => continue,
            None => (at, SEVERAL),
        };
        (cells[at], taken[at]) = (letter, true);
    }
    cells.iter().collect::<String>().trim_end().to_owned()
}

fn curve(
    timeline: &Timeline,
    row: &Line,
    terminal: Terminal,
    width: usize,
) -> Vec<char> {
    let mut cells = vec![' '; width];
    let most = row.curve.iter().map(|&(_, value)| value).fold(1.0, f64::max);
    let heights = terminal.curve();
    let top = (heights.len() - 1) as f64;
    for (index, &(from, value)) in row.curve.iter().enumerate() {
        let until =
            row.curve.get(index + 1).map_or(timeline.to_ns(), |next| next.0);
        let column = |t_ns| (timeline.share(t_ns) * width as f64) as usize;
        let (from, to) =
            (column(from).min(width - 1), column(until).min(width));
        let height = (value.max(0.0) / most * top).round() as usize;
        cells[from..to.max(from + 1)].fill(heights[height]);
    }
    cells
}

/// a, b, c …; from the 27th name on there is only a dot.
fn letter(name: usize) -> char {
    let letters = b'a'..=b'z';
    letters.into_iter().nth(name).map_or('.', char::from)
}

fn axis(
    timeline: &Timeline,
    terminal: Terminal,
    label_width: usize,
    width: usize,
) -> String {
    let mut line = vec![' '; width];
    for (place, text) in timeline.ticks(width / 12) {
        let text =
            if terminal.unicode { text } else { text.replace('µ', "u") };
        let at = ((place * width as f64) as usize).min(width - 1);
        let tick = if terminal.unicode { '└' } else { '|' };
        let characters: Vec<char> =
            [tick].into_iter().chain(text.chars()).collect();
        let free = line[at..].iter().all(|&cell| cell == ' ');
        if free && at + characters.len() <= width {
            line[at..at + characters.len()].copy_from_slice(&characters);
        }
    }
    let line: String = line.iter().collect();
    format!("  {:label_width$} {}\n", "", line.trim_end())
}

fn legend(timeline: &Timeline, terminal: Terminal, several: bool) -> String {
    let mut spans: Vec<(char, String)> = Vec::new();
    for (name, text) in timeline.span_names().iter().enumerate() {
        let bar = terminal.bar(timeline.paint(name));
        match spans.iter_mut().find(|(other, _)| *other == bar) {
            Some((_, texts)) => *texts += &format!(", {text}"),
            None => spans.push((bar, text.clone())),
        }
    }
    let spans = spans.iter().map(|(bar, texts)| format!("{bar} {texts}"));
    let marks = timeline.mark_names().iter().enumerate();
    let marks = marks.map(|(index, name)| format!("{} {name}", letter(index)));
    let killed = timeline.has_killed();
    let killed = killed.then(|| format!("{} killed", terminal.cross()));
    let open = timeline.has_open();
    let open = open.then(|| format!("{OPEN} not ended"));
    let several = several.then(|| format!("{SEVERAL} several"));
    let entries: Vec<String> =
        spans.chain(marks).chain(killed).chain(open).chain(several).collect();
    let mut lines = vec![String::new()];
    for entry in entries {
        // Two columns before the line, two between entries.
        let length = lines.last().map_or(0, |line| line.width());
        if length > 0 && 2 + length + 2 + entry.width() > terminal.width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let gap = if line.is_empty() { "" } else { "  " };
            let _ = write!(line, "{gap}{entry}");
        }
    }
    let lines = lines.iter().filter(|line| !line.is_empty());
    lines.map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_shown_is_a_question_mark() {
        let terminal = Terminal { width: 80, unicode: false, colour: false };
        assert_eq!(terminal.shown("São Paulo"), "S?o Paulo");
        let terminal = Terminal { unicode: true, ..terminal };
        assert_eq!(terminal.shown("São Paulo"), "São Paulo");
    }
}
