use super::supervisor;
use crate::trace::text::{Terminal, colour, fit};
use anstyle::{AnsiColor, Style};
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::time::Instant;
use unicode_width::UnicodeWidthStr;

/// Widest text that is still pleasant to read.
const WIDEST: usize = 120;
/// The narrowest terminal that lines are folded for.
const NARROWEST: usize = 40;
/// More columns than this tell nothing.
const MOST_COLUMNS: usize = 6;
/// The columns that a track's name gets.
const NAME: usize = 9;
/// The columns that a long one gets, such as an address.
const LONG_NAME: usize = 19;
/// The columns that what is said gets.
const LEAST: usize = 16;

/// Speaks on standard output, one `write` a line, so that what many processes
/// say never mixes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    pub terminal: Terminal,
    start: Instant,
}

impl Voice {
    pub fn new() -> Self {
        let stdout = std::io::stdout();
        // anstream takes a machine of continuous integration for one that
        // shows colours whatever its terminal says.
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let choice = anstream::AutoStream::choice(&stdout);
        let colour = choice != anstream::ColorChoice::Never && !dumb;
        let width = console::Term::stdout().size_checked();
        let width = width.map_or(80, |(_, columns)| usize::from(columns));
        Self {
            terminal: Terminal {
                width: width.clamp(NARROWEST, WIDEST),
                unicode: locale_is_utf8(),
                colour,
            },
            start: Instant::now(),
        }
    }

    /// Rows and columns of the terminal, if it is one.
    pub fn size(&self) -> Option<(usize, usize)> {
        let size = console::Term::stdout().size_checked();
        size.map(|(rows, columns)| (rows.into(), columns.into()))
    }

    /// Counts the time from now on.
    pub fn restart(&mut self) {
        self.start = Instant::now();
    }

    /// Speaks for a track, in its colour and, if there are few, in its column;
    /// in how many lines.
    pub fn narrate(
        &self,
        (lane, lanes): (usize, usize),
        name: &str,
        text: &str,
    ) -> usize {
        let seconds = self.start.elapsed().as_secs_f64();
        let columns = if lanes <= MOST_COLUMNS { lane } else { 0 };
        let name = called(name);
        let prefix = format!("{seconds:>7.3} {name} ");
        // What is said needs room too.
        let room = self.terminal.width.saturating_sub(prefix.width() + LEAST);
        let prefix = prefix + &" ".repeat((2 * columns).min(room));
        let rest = " ".repeat(prefix.width());
        let lines = self.wrapped(text, prefix.width());
        let style = colour(lane);
        let told = lines.iter().enumerate().map(|(number, line)| {
            let prefix = if number == 0 { &prefix } else { &rest };
            let line = format!("{prefix}{line}");
            self.terminal.paint(style, line.trim_end()) + "\n"
        });
        self.write(&told.collect::<String>());
        lines.len()
    }

    /// What was claimed, with a tick or with a cross.
    pub fn claimed(&self, held: bool, text: &str) -> String {
        let (sign, colour) = match (held, self.terminal.unicode) {
            (true, true) => ("✓ ", AnsiColor::Green),
            (true, false) => ("ok ", AnsiColor::Green),
            (false, true) => ("✗ ", AnsiColor::Red),
            (false, false) => ("NO ", AnsiColor::Red),
        };
        let sign = self.terminal.paint(colour.on_default().bold(), sign);
        self.folded(Style::new(), "  ", &format!("{sign}{text}"))
    }

    /// Prints paragraphs, folded, each line after `margin`; in how many lines.
    pub fn tell(&self, style: Style, margin: &str, text: &str) -> usize {
        let told = self.folded(style, margin, text);
        self.write(&told);
        told.lines().count()
    }

    /// Paragraphs, folded, each line after `margin`.
    pub fn folded(&self, style: Style, margin: &str, text: &str) -> String {
        let lines = text
            .split('\n')
            .flat_map(|line| self.wrapped(line, margin.width()));
        let lines = lines.map(|line| {
            let line = format!("{margin}{line}");
            self.terminal.paint(style, line.trim_end()) + "\n"
        });
        lines.collect()
    }

    /// Prints a paragraph, folded; its first line after `label`, the others
    /// below that. In how many lines.
    pub fn paragraph(&self, style: Style, label: &str, text: &str) -> usize {
        let rest = " ".repeat(label.width());
        let lines = self.wrapped(text, label.width());
        let told = lines.iter().enumerate().map(|(number, line)| {
            let label = if number == 0 { label } else { &rest };
            let line = format!("{label}{line}");
            self.terminal.paint(style, line.trim_end()) + "\n"
        });
        self.write(&told.collect::<String>());
        lines.len()
    }

    /// `text` in lines that leave so many columns free.
    pub fn wrapped(&self, text: &str, used: usize) -> Vec<String> {
        let width = self.terminal.width.saturating_sub(used).max(LEAST);
        let lines = textwrap::wrap(text, width).into_iter();
        lines.map(|line| line.into_owned()).collect()
    }

    /// A line across the screen with something at its beginning and its end.
    pub fn rule(&self, left: &str, right: &str) {
        let dash = if self.terminal.unicode { "─" } else { "-" };
        let used = 2 + 1 + left.width() + 1 + 1 + right.width() + 1 + 2;
        let between =
            dash.repeat(self.terminal.width.saturating_sub(used).max(1));
        let ends = dash.repeat(2);
        let line = format!("{ends} {left} {between} {right} {ends}");
        let line = self.terminal.paint(Style::new().bold(), &line);
        self.write(&format!("{line}\n"));
    }

    /// Empties the screen, if it can be.
    pub fn clear(&self) {
        let clear = self.can_draw().then_some("\u{1b}[2J\u{1b}[H");
        self.write(clear.unwrap_or("\n"));
    }

    /// Writes `text` by one call: as it is, or, where the terminal shows only
    /// ASCII, with a question mark for what it cannot show.
    pub fn write(&self, text: &str) {
        let text = self.terminal.shown(text);
        let fd = std::io::stdout().as_raw_fd();
        // SAFETY: standard output stays open as long as the process runs, and
        // ManuallyDrop keeps this view of it from closing it.
        #[expect(unsafe_code, reason = "std's buffered stdout splits lines")]
        let mut stdout = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
        match stdout.write_all(text.as_bytes()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                supervisor::nobody_listens()
            }
            Err(error) => supervisor::cannot_speak(&error),
        }
    }

    /// Whether what was drawn can be drawn over.
    pub fn can_draw(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        std::io::stdout().is_terminal() && !dumb
    }

    /// Whether somebody can answer: both ends are a terminal.
    pub fn can_ask() -> bool {
        std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
    }
}

/// Says that there is nobody to ask and ends with the status of a wrong
/// command line.
pub(super) fn needs_a_terminal(package: &str, option: &str) -> ! {
    eprintln!(
        "{package}: {option} waits for keys: run it in a terminal, or leave it out"
    );
    std::process::exit(2)
}

/// Writes a line to standard error; on a terminal apart from what stands above
/// it, and folded.
pub(super) fn complain(line: &str) {
    let stderr = console::Term::stderr();
    let text = match stderr.size_checked() {
        Some((_, columns)) => {
            let width = usize::from(columns).max(NARROWEST);
            format!("\n{}\n", textwrap::fill(line, width))
        }
        None => format!("{line}\n"),
    };
    // Where even that cannot be written the status must do.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// What stands for a track in a line: its name, or as many words of it as there
/// is room for; half a number would be another one.
fn called(name: &str) -> String {
    let mut short = name;
    while short.width() > LONG_NAME {
        let Some((words, _)) = short.rsplit_once(' ') else { break };
        short = words;
    }
    fit(short, NAME.max(short.width().min(LONG_NAME)))
}

/// As setlocale(3) decides: the first of these that is set and not empty.
fn locale_is_utf8() -> bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let mut values = names.iter().filter_map(std::env::var_os);
    let locale = values.find(|value| !value.is_empty()).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_cut_off_in_the_middle() {
        for (name, shown) in [
            ("anna", "anna     "),
            ("114.114.114.114", "114.114.114.114"),
            ("192.5.5.241 (2)", "192.5.5.241 (2)"),
            ("208.67.222.222 (2)", "208.67.222.222 (2)"),
            ("208.67.222.222 (100)", "208.67.222.222"),
            ("a name of very many words", "a name of very many"),
            ("one_very_very_long_word", "one_very_very_long_"),
        ] {
            assert_eq!(called(name), shown);
        }
    }
}
