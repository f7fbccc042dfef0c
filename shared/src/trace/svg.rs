//! A timeline as SVG, for a page or a book.

use super::reader::Fate;
use super::timeline::{Line, Timeline};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

const WIDTH: f64 = 900.0;
const MARGIN: f64 = 16.0;
const ROW: f64 = 26.0;
/// A character of the 13 px monospaced font.
const CHARACTER: f64 = 7.9;
/// Of spans in which nothing is done.
const IDLE: &str = "#d3dbe2";
const BUSY: [&str; 5] = ["#2f7ebc", "#e08a2e", "#57a05a", "#a463a8", "#8c6d4f"];
/// More arrows than this would hide what they connect.
const MOST_ARROWS: usize = 80;

/// Draws timelines one below the other, each under its title.
pub fn draw(sections: &[(String, Timeline)]) -> String {
    let mut body = String::new();
    let mut y = MARGIN;
    for (title, timeline) in sections {
        let mut section = Section::new(timeline, y);
        section.draw(title);
        y = section.y + MARGIN;
        body += &section.out;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y:.0}\" \
         width=\"{WIDTH}\" height=\"{y:.0}\" font-family=\"DejaVu Sans Mono, Menlo, \
         Consolas, monospace\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    )
}

struct Section<'a> {
    timeline: &'a Timeline,
    out: String,
    /// Where the next thing is drawn.
    y: f64,
    /// Where the bars begin.
    left: f64,
    /// Where they end at last; what stands behind has room there.
    right: f64,
    /// Where the rows begin.
    top: f64,
}

impl<'a> Section<'a> {
    fn new(timeline: &'a Timeline, y: f64) -> Self {
        let labels = timeline.rows().iter().map(|row| row.label.width());
        let label = labels.max().unwrap_or(0) as f64 * CHARACTER;
        let bars = timeline.rows().iter().flat_map(|row| &row.bars);
        let signals = bars.filter_map(|bar| match &bar.fate {
            Fate::Killed(signal) => {
                Some(8.0 + signal.width() as f64 * CHARACTER)
            }
            _ => None,
        });
        // At least for the letter of a mark at the very end.
        let behind = signals.fold(14.0, f64::max);
        Self {
            timeline,
            out: String::new(),
            y,
            left: MARGIN + label + MARGIN,
            right: WIDTH - MARGIN - behind,
            top: 0.0,
        }
    }

    fn x(&self, t_ns: u64) -> f64 {
        self.at(self.timeline.share(t_ns))
    }

    fn at(&self, share: f64) -> f64 {
        self.left + share * (self.right - self.left)
    }

    fn fill(&self, name: usize) -> &'static str {
        let paint = self.timeline.paint(name);
        paint.map_or(IDLE, |number| BUSY[number % BUSY.len()])
    }

    fn draw(&mut self, title: &str) {
        self.y += 14.0;
        self.text(MARGIN, self.y, "#1c2833\" font-weight=\"bold", title);
        self.y += 12.0;
        self.top = self.y;
        let timeline = self.timeline;
        self.grid();
        for row in timeline.rows() {
            self.row(row);
        }
        self.arrows();
        self.y += 18.0;
        self.axis();
        self.y += 22.0;
        self.legend();
    }

    fn text(&mut self, x: f64, y: f64, fill: &str, text: &str) {
        let text = escape(text);
        // Writing to a String cannot fail.
        let _ = writeln!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{fill}\">{text}</text>"
        );
    }

    fn rect(
        &mut self,
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        fill: &str,
        hover: &str,
    ) {
        let hover = escape(hover);
        let _ = writeln!(
            self.out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
             height=\"{height:.1}\" rx=\"2\" fill=\"{fill}\">\
             <title>{hover}</title></rect>"
        );
    }

    fn line(
        &mut self,
        (x1, y1): (f64, f64),
        (x2, y2): (f64, f64),
        stroke: &str,
    ) {
        let _ = writeln!(
            self.out,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" \
             stroke=\"{stroke}\"/>"
        );
    }

    fn grid(&mut self) {
        let bottom = self.top + self.timeline.rows().len() as f64 * ROW;
        for (share, _) in self.timeline.ticks(8) {
            let x = self.at(share);
            self.line((x, self.top), (x, bottom), "#e4e9ee");
        }
    }

    fn row(&mut self, row: &Line) {
        let timeline = self.timeline;
        let top = self.y;
        self.text(MARGIN, top + 17.0, "#1c2833", &row.label);
        self.curve(row);
        for bar in &row.bars {
            let name = &timeline.span_names()[bar.name];
            let (x, end) = (self.x(bar.from_ns), self.x(bar.to_ns));
            let width = (end - x).max(2.0);
            let seconds = (bar.to_ns - bar.from_ns) as f64 / 1e9;
            let hover = format!("{name}, {seconds:.6} s");
            let fill = self.fill(bar.name);
            self.rect(x, top + 4.0, width, ROW - 8.0, fill, &hover);
            if let Fate::Killed(signal) = &bar.fate {
                let (low, high) = (top + 4.0, top + ROW - 4.0);
                let cross = "#c0392b\" stroke-width=\"3";
                self.line((end - 5.0, low), (end + 5.0, high), cross);
                self.line((end - 5.0, high), (end + 5.0, low), cross);
                self.text(end + 8.0, top + 17.0, "#c0392b", signal);
            }
        }
        for mark in &row.marks {
            let x = self.x(mark.at_ns);
            let stroke = "#1c2833\" stroke-width=\"1.5";
            self.line((x, top + 3.0), (x, top + ROW - 3.0), stroke);
        }
        self.y += ROW;
    }

    fn curve(&mut self, row: &Line) {
        if row.curve.is_empty() {
            return;
        }
        let most =
            row.curve.iter().map(|&(_, value)| value).fold(1.0, f64::max);
        let bottom = self.y + ROW - 4.0;
        let mut path = format!("M {:.1} {bottom:.1}", self.x(row.curve[0].0));
        for &(t_ns, value) in &row.curve {
            let y = bottom - value.max(0.0) / most * (ROW - 8.0);
            let _ = write!(path, " H {:.1} V {y:.1}", self.x(t_ns));
        }
        let end = self.x(self.timeline.to_ns());
        let _ = writeln!(
            self.out,
            "<path d=\"{path} H {end:.1} V {bottom:.1} Z\" fill=\"#57a05a\"/>"
        );
    }

    fn arrows(&mut self) {
        let timeline = self.timeline;
        let middle = |row: usize| self.top + (row as f64 + 0.5) * ROW;
        let lines: Vec<_> = timeline
            .arrows()
            .iter()
            .take(MOST_ARROWS)
            .map(|&((row, at), (to_row, to))| {
                let start = (self.x(at), middle(row));
                (start, (self.x(to), middle(to_row)))
            })
            .collect();
        for (start, (x, y)) in lines {
            self.line(start, (x, y), "#c0392b\" stroke-opacity=\"0.7");
            let _ = writeln!(
                self.out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"#c0392b\"/>"
            );
        }
    }

    fn axis(&mut self) {
        for (share, text) in self.timeline.ticks(8) {
            let widest = WIDTH - text.width() as f64 * CHARACTER;
            let x = self.at(share).min(widest);
            self.text(x, self.y, "#5d6d7e", &text);
        }
    }

    fn legend(&mut self) {
        let timeline = self.timeline;
        let mut x = MARGIN;
        for (index, name) in timeline.span_names().iter().enumerate() {
            self.wrap(&mut x, name);
            let fill = self.fill(index);
            self.rect(x, self.y - 10.0, 12.0, 12.0, fill, name);
            self.text(x + 18.0, self.y, "#1c2833", name);
            x += 18.0 + (name.width() + 3) as f64 * CHARACTER;
        }
        if !timeline.mark_names().is_empty() {
            let text = format!("| {}", timeline.mark_names().join(", "));
            self.wrap(&mut x, &text);
            self.text(x, self.y, "#1c2833", &text);
        }
    }

    fn wrap(&mut self, x: &mut f64, text: &str) {
        let end = *x + 18.0 + text.width() as f64 * CHARACTER;
        if end > WIDTH - MARGIN && *x > MARGIN {
            *x = MARGIN;
            self.y += 20.0;
        }
    }
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}
