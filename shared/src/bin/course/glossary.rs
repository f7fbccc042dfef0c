//! The terms of the course and the lessons that introduce them.

use shared::catalogue::{Catalogue, GLOSSARY, Lesson};
use std::fs;
use std::path::Path;

/// One term.
struct Row<'a> {
    term: &'a str,
    chinese: Vec<&'a str>,
    /// A link to a chapter, seen from the glossary.
    lesson: &'a str,
}

/// What is wrong with the glossary, and with the terms in the chapters.
pub fn faults(catalogue: &Catalogue) -> Vec<String> {
    let Ok(text) = fs::read_to_string(GLOSSARY) else {
        return vec![format!("there is no {GLOSSARY}")];
    };
    let mut faults = Vec::new();
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")).skip(1) {
        match Row::read(line) {
            Some(row) => rows.push(row),
            None => faults.push(format!(
                "{GLOSSARY}: `{line}` has not the six columns of a term"
            )),
        }
    }
    for rows in rows.windows(2) {
        let [one, next] = [rows[0].term, rows[1].term];
        if one.to_lowercase() >= next.to_lowercase() {
            faults.push(format!("{GLOSSARY}: `{next}` comes after `{one}`"));
        }
    }
    for row in &rows {
        faults.extend(row.fault(catalogue));
    }
    for lesson in &catalogue.lessons {
        let mut told = Vec::new();
        for term in chinese(&lesson.chapter) {
            let known = rows.iter().any(|row| row.chinese.contains(&term));
            if !known && !told.contains(&term) {
                told.push(term);
                faults.push(format!(
                    "{}: {term} is not in {GLOSSARY}, or not spelled so",
                    lesson.folder.display()
                ));
            }
        }
    }
    faults
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let line = line.strip_prefix('|')?.strip_suffix('|')?;
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [term, chinese_cell, _, _, lesson, what] = cells[..] else {
            return None;
        };
        let chinese = chinese(chinese_cell);
        let whole = !term.is_empty() && !chinese.is_empty() && !what.is_empty();
        whole.then_some(Self { term, chinese, lesson })
    }

    fn fault(&self, catalogue: &Catalogue) -> Option<String> {
        let link = |lesson: &&Lesson| {
            let folder = lesson.folder.file_name().map(Path::new);
            let page = folder.map(|folder| folder.join("README.md"));
            page.is_some_and(|page| {
                let (number, page) = (lesson.number, page.display());
                self.lesson == format!("[{number}]({page})")
            })
        };
        let row = format!("{GLOSSARY}: `{}`", self.term);
        let Some(lesson) = catalogue.lessons.iter().find(link) else {
            return Some(format!(
                "{row} has `{}`, which is no link to a lesson",
                self.lesson
            ));
        };
        let used = chinese(&lesson.chapter);
        let missing = self.chinese.iter().find(|term| !used.contains(term))?;
        Some(format!(
            "{row}: the chapter of lesson {} has no {missing}",
            lesson.number
        ))
    }
}

/// The runs of Chinese characters in a text.
fn chinese(text: &str) -> Vec<&str> {
    let han = |sign: char| ('\u{3400}'..='\u{9fff}').contains(&sign);
    let runs = text.split(move |sign| !han(sign));
    runs.filter(|run| !run.is_empty()).collect()
}
