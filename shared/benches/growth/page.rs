//! What is left of it: a page, and its pictures.

use crate::growth::Growth;
use crate::picture;
use anyhow::{Context, Result};
use shared::machine::Machine;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Writes growth.md, and growth/NAME.svg for each picture.
pub fn write(
    target: &Path,
    machine: &Machine,
    rounds: usize,
    wanted: Option<&str>,
    grown: &[Growth<'_>],
) -> Result<()> {
    let folder = target.join("growth");
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let command = match wanted {
        None => "just bench growth".to_owned(),
        Some(name) => format!("just bench growth {name}"),
    };
    let rounds = match rounds {
        1 => "one round only".to_owned(),
        _ => format!("medians of {rounds} rounds"),
    };
    let mut page = format!(
        "# The growth of cost\n\n{machine}; load {:.1} when it began. \
         `{command}`: {rounds}. Both axes of the pictures are \
         logarithmic. Blue are the course's own processes, grey and dashed is \
         the limit, orange is Python.\n",
        machine.load
    );
    for growth in grown {
        let name = growth.family.name;
        let _ = write!(page, "\n## {name}\n\n{}\n", growth.family.about);
        for (index, view) in growth.family.views.iter().enumerate() {
            let file = format!("{}.svg", view.name);
            let path = folder.join(&file);
            fs::write(&path, picture::draw(growth, index, view)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
            let _ = write!(
                page,
                "\n![{}: {}](growth/{file})\n\n{}",
                view.title,
                view.axis,
                in_markdown(&growth.rows(index, view))
            );
        }
        for note in growth.notes() {
            let _ = write!(page, "\n- {note}");
        }
        if !growth.notes().is_empty() {
            page.push('\n');
        }
    }
    let path = target.join("growth.md");
    fs::write(&path, page)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("written: {}, {}", path.display(), folder.display());
    Ok(())
}

fn in_markdown(rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if index == 0 {
            let _ = writeln!(text, "|{}", "---:|".repeat(row.len()));
        }
    }
    text
}
