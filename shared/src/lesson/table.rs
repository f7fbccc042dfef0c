use crate::trace::text::Terminal;
use comfy_table::{
    CellAlignment, ContentArrangement, LineStyle, Table, TableStyle,
};

/// A table for the terminal, after a margin. A column of numbers stands at
/// its right; where there is none a cell may be empty.
pub(super) fn draw<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
    terminal: Terminal,
) -> String {
    let mut table = Table::new();
    let dash = if terminal.unicode { '─' } else { '-' };
    let rule = LineStyle::none().fill(dash).junction(dash);
    table
        .load_style(TableStyle::new().header_separator(rule))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal.width.saturating_sub(2) as u16)
        .set_header(header)
        .add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        let cells = rows.iter().map(|row| &row[index]);
        let mut cells = cells.filter(|cell| !cell.is_empty()).peekable();
        if cells.peek().is_some() && cells.all(|cell| cell.starts_with(digit)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let lines = table.lines().map(|line| format!("  {}\n", line.trim_end()));
    lines.collect()
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_at_the_right() {
        let terminal = Terminal { width: 40, unicode: false, colour: false };
        let rows = [["one", "7"], ["none", ""], ["all", "1000"]];
        let rows = rows.map(|row| row.map(String::from));
        let text = draw(["way", "times"], &rows, terminal);
        assert!(text.contains("  one        7\n"), "{text}");
        assert!(text.contains("  all     1000\n"), "{text}");
        assert!(text.is_ascii(), "{text}");
        let narrow = Terminal { width: 12, ..terminal };
        let text = draw(["way", "times"], &rows, narrow);
        assert!(text.lines().all(|line| line.len() <= 14), "{text}");
    }
}
