//! A long text, a screen at a time.

/// Lines that fill screens of so many rows. A screen ends at an empty line if
/// there is one near its end, and no line is wider than the screen.
pub(super) fn pages(
    text: &str,
    rows: usize,
    columns: usize,
) -> Vec<Vec<String>> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut pages = Vec::new();
    while !lines.is_empty() {
        let mut fits = 0;
        let mut used = 0;
        while fits < lines.len() {
            used += height(&lines[fits], columns);
            if used > rows && fits > 0 {
                break;
            }
            fits += 1;
        }
        if fits < lines.len() {
            let near = fits.saturating_sub(rows / 3).max(1)..fits;
            let empty = near.rev().find(|&at| lines[at].trim().is_empty());
            fits = empty.map_or(fits, |at| at + 1);
        }
        let rest = lines.split_off(fits);
        while lines.last().is_some_and(|line| line.trim().is_empty()) {
            lines.pop();
        }
        pages.push(std::mem::replace(&mut lines, rest));
    }
    pages
}

/// How many rows a line takes. It may be coloured.
fn height(line: &str, columns: usize) -> usize {
    console::measure_text_width(line).div_ceil(columns.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_at_an_empty_line_if_one_is_near() {
        let text = "1\n2\n3\n4\n\n6\n7\n8\n9";
        assert_eq!(
            pages(text, 6, 80),
            [vec!["1", "2", "3", "4"], vec!["6", "7", "8", "9"]]
        );
        assert_eq!(
            pages("1\n2\n3\n4\n5", 3, 80),
            [vec!["1", "2", "3"], vec!["4", "5"]]
        );
        assert_eq!(pages("1\n2", 3, 80), [vec!["1", "2"]]);
        assert!(pages("", 3, 80).is_empty());
    }

    #[test]
    fn a_line_that_is_folded_takes_two_rows() {
        let wide = "x".repeat(81);
        assert_eq!(pages(&format!("1\n{wide}\n3"), 3, 80).len(), 2);
        assert_eq!(pages(&format!("1\n{wide}\n3"), 4, 80).len(), 1);
        // However low the screen is, all is shown.
        assert_eq!(pages(&format!("{wide}\n{wide}"), 0, 80).len(), 2);
        let coloured = format!("\u{1b}[31m{}\u{1b}[0m", "x".repeat(80));
        assert_eq!(pages(&format!("1\n{coloured}\n3"), 3, 80).len(), 1);
    }
}
