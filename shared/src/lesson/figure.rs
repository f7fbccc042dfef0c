use crate::trace::text::Terminal;
use crate::trace::{Event, Trace};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// A measured time, as the trace has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was measured; the same exercise in Python uses the same label.
    pub label: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What the measured work came to, as a number or a text; null if nobody
    /// told. The same exercise in Python has the same result.
    pub result: Value,
}

impl Figure {
    pub(super) const NAME: &'static str = "figure";

    /// The figures of a run, in order.
    pub fn all(trace: &Trace) -> Vec<Self> {
        let figures = trace.events().iter();
        let figures = figures.filter(|event| event.name == Self::NAME);
        figures.filter_map(Self::of).collect()
    }

    fn of(event: &Event) -> Option<Self> {
        Some(Self {
            label: event.args.get("label")?.as_str()?.to_owned(),
            seconds: event.args.get("seconds")?.as_f64()?,
            result: event.args.get("result").cloned().unwrap_or_default(),
        })
    }

    /// Its time in the unit that fits it.
    pub fn time(&self, unicode: bool) -> String {
        let micro = if unicode { "µs" } else { "us" };
        let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, micro), (1e-9, "ns")];
        let fits = units.iter().find(|(size, _)| self.seconds >= *size);
        let (size, unit) = fits.unwrap_or(&units[3]);
        format!("{:.1} {unit}", self.seconds / size)
    }
}

/// The widest bar, in columns.
const WIDEST: usize = 40;

/// Figures under each other, each with its label and time; two or more with
/// bars, as long as their times.
pub(super) fn bars(figures: &[Figure], terminal: Terminal) -> String {
    let times = figures.iter().map(|figure| figure.time(terminal.unicode));
    let times: Vec<String> = times.collect();
    let width = |texts: &mut dyn Iterator<Item = &String>| {
        texts.map(|text| text.width()).max().unwrap_or(0)
    };
    let labels = width(&mut figures.iter().map(|figure| &figure.label));
    let most = figures.iter().map(|figure| figure.seconds).fold(0.0, f64::max);
    // A margin, the label, the time, and what is between them.
    let room = terminal.width.saturating_sub(2 + labels + 2 + 10 + 2);
    let drawn = if figures.len() < 2 { 0 } else { room.min(WIDEST) };
    let lines = figures.iter().zip(&times).map(|(figure, time)| {
        let length = figure.seconds / most * drawn as f64;
        let bar = match drawn {
            0 => String::new(),
            _ => bar(length, terminal.unicode),
        };
        let label = &figure.label;
        let pad = " ".repeat(labels - label.width());
        let line = format!("  {label}{pad}  {time:>10}  {bar}");
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// A bar so many columns long, to an eighth of one where that can be drawn;
/// never nothing.
fn bar(columns: f64, unicode: bool) -> String {
    if !unicode {
        return "#".repeat((columns.round() as usize).max(1));
    }
    let eighths = ((columns * 8.0).round() as usize).max(1);
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    "█".repeat(eighths / 8) + rest[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(label: &str, seconds: f64) -> Figure {
        Figure { label: label.to_owned(), seconds, result: Value::Null }
    }

    #[test]
    fn bars_are_as_long_as_their_times() {
        let terminal = Terminal { width: 40, unicode: true, colour: false };
        let figures = [
            figure("one by one", 2.0),
            figure("all", 1.0),
            figure("none", 1e-9),
        ];
        let lines = bars(&figures, terminal);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[0], "  one by one       2.0 s  ██████████████");
        assert_eq!(lines[1], "  all              1.0 s  ███████");
        assert_eq!(lines[2], "  none            1.0 ns  ▏");
        let ascii = Terminal { unicode: false, ..terminal };
        let text = bars(&figures, ascii);
        assert!(text.is_ascii() && text.contains("  #######\n"), "{text}");
    }

    #[test]
    fn one_figure_has_no_bar() {
        let terminal = Terminal { width: 80, unicode: true, colour: false };
        let text = bars(&[figure("all", 1.0)], terminal);
        assert_eq!(text, "  all       1.0 s\n");
    }

    #[test]
    fn time_is_in_the_unit_that_fits() {
        let time = |seconds| figure("", seconds).time(true);
        assert_eq!(time(2.0), "2.0 s");
        assert_eq!(time(0.0123), "12.3 ms");
        assert_eq!(time(1.65e-4), "165.0 µs");
        assert_eq!(time(9.6e-9), "9.6 ns");
        assert_eq!(time(2e-10), "0.2 ns");
    }
}
