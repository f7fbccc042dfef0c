//! What no compiler sees.

use super::glossary;
use super::plan;
use anyhow::{Context, Result};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use shared::catalogue::{Catalogue, GLOSSARY, Lesson};
use shared::lesson::{Place, Script};
use std::fs;
use std::path::Path;

/// The parts of a chapter, in this order.
const HEADINGS: [&str; 7] = [
    "Run it", "Predict", "What you saw", "Why", "In Python, in Rust", "Try",
    "For the teacher",
];

/// What each chapter has in its parts: a recorded run with its picture, what
/// goes beyond it, and what a teacher asks.
const PHRASES: [(&str, &str); 5] = [
    ("What you saw", "One possible run"),
    ("What you saw", "!["),
    ("What you saw", "What is always true"),
    ("For the teacher", "Common wrong beliefs"),
    ("For the teacher", "Ask"),
];

/// More lines than these a class does not follow from screen to screen.
const LONGEST: usize = 140;

/// A choice is read at a glance.
const WIDEST: usize = 70;

/// All that is wrong, a line each: where, and what.
pub fn faults(catalogue: &Catalogue) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let readme =
        fs::read_to_string("README.md").context("cannot read README.md")?;
    for twins in catalogue.lessons.windows(2) {
        if twins[0].number == twins[1].number {
            let [one, other] = [&twins[0].package, &twins[1].package];
            faults.push(format!(
                "lessons: {one} and {other} have the same number"
            ));
        }
    }
    for lesson in &catalogue.lessons {
        let folder = lesson.folder.display();
        let found = lesson_faults(lesson, &readme)?;
        faults.extend(
            found.into_iter().map(|fault| format!("{folder}: {fault}")),
        );
    }
    faults.extend(dead_links(Path::new("README.md"), &readme));
    faults.extend(plan::faults(catalogue));
    faults.extend(glossary::faults(catalogue));
    if let Ok(glossary) = fs::read_to_string(GLOSSARY) {
        faults.extend(dead_links(Path::new(GLOSSARY), &glossary));
    }
    Ok(faults)
}

fn lesson_faults(lesson: &Lesson, readme: &str) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for part in ["Cargo.toml", "README.md", "src/main.rs", "peer.py"] {
        if !lesson.folder.join(part).is_file() {
            faults.push(format!("has no {part}"));
        }
    }
    let test = lesson.test();
    let manifest = fs::read_to_string(lesson.folder.join("Cargo.toml"))
        .unwrap_or_default();
    if !test.is_file() {
        faults.push(format!("has no test {}", test.display()));
    } else if !manifest
        .contains(&format!("path = \"../../{}\"", test.display()))
    {
        faults.push(format!("its Cargo.toml does not name {}", test.display()));
    }
    if !manifest.contains(&format!("name = \"{}\"", lesson.package)) {
        faults.push("the package has another name than the folder".to_owned());
    }
    faults.extend(source_faults(lesson));
    faults.extend(chapter_faults(lesson));
    let chapter = lesson.folder.join("README.md");
    let row = format!(
        "| {} | [{}]({}) | {} |",
        lesson.number,
        lesson.package,
        chapter.display(),
        lesson.title()
    );
    if !readme.contains(&row) {
        faults.push(format!("README.md has no row `{row}`"));
    }
    Ok(faults)
}

/// Every step is to be found in the source, and every line on a screen.
fn source_faults(lesson: &Lesson) -> Vec<String> {
    let mut faults = Vec::new();
    let places = lesson.places();
    if places.is_empty() {
        faults.push("src/main.rs has no `lesson![...]` with steps".to_owned());
    }
    match Script::read(&places, &[]) {
        Ok(scripts) => faults.extend(scripts.iter().filter_map(choice_fault)),
        Err(unreadable) => faults.push(unreadable.to_string()),
    }
    let names: Vec<&str> = places.iter().map(Place::name).collect();
    for (index, name) in names.iter().enumerate() {
        if names[..index].contains(name) {
            faults.push(format!("two steps are called `{name}`"));
        }
    }
    let length = lesson.source.lines().count();
    if length > LONGEST {
        faults.push(format!(
            "src/main.rs has {length} lines, more than {LONGEST}: move a part of it into a file beside it"
        ));
    }
    let main = ("main.rs", lesson.source.as_str());
    let files = lesson.modules.iter();
    let files = files.map(|(name, text)| (name.as_str(), text.as_str()));
    for (file, text) in [main].into_iter().chain(files) {
        for (number, line) in (1..).zip(text.lines()) {
            if line.len() > 80 || !line.is_ascii() {
                faults.push(format!(
                    "src/{file}:{number} is no line of 80 columns of ASCII"
                ));
            }
        }
    }
    faults
}

/// What is wrong with the choices that a step gives, if it gives any.
fn choice_fault(script: &Script) -> Option<String> {
    let (name, choices) = (&script.name, &script.choices);
    let right = choices.iter().filter(|choice| choice.right).count();
    let wide = choices.iter().find(|choice| choice.text.len() > WIDEST);
    match choices.len() {
        0 => None,
        2..=4 if right != 1 => Some(format!(
            "the step `{name}` has {right} right choices, not one"
        )),
        2..=4 if !script.sentence.contains('?') => {
            Some(format!("the step `{name}` has choices and no question"))
        }
        2..=4 => wide.map(|choice| {
            format!("the step `{name}`: wider than {WIDEST}: {}", choice.text)
        }),
        number => {
            Some(format!("the step `{name}` has {number} choices, not 2 to 4"))
        }
    }
}

fn chapter_faults(lesson: &Lesson) -> Vec<String> {
    let chapter = &lesson.chapter;
    let mut faults = Vec::new();
    let (titles, headings) = headings(chapter);
    if titles != [lesson.title()] {
        faults.push(format!("the chapter's title is not `{}`", lesson.title()));
    }
    if headings != HEADINGS {
        faults.push(format!(
            "the chapter's headings are not {}",
            HEADINGS.join(", ")
        ));
    }
    let missing = PHRASES.iter().filter(|(heading, phrase)| {
        !flowing(part(chapter, heading)).contains(phrase)
    });
    faults.extend(missing.map(|(heading, phrase)| {
        format!("the chapter has no `{phrase}` in `{heading}`")
    }));
    let question = flowing(&lesson.script().question());
    let (_, below) = chapter.split_once('\n').unwrap_or_default();
    if !flowing(below).starts_with(&question) {
        faults.push(
            "the chapter does not begin with the lesson's question".to_owned(),
        );
    }
    if lesson.minutes().is_none() {
        faults.push(
            "`For the teacher` does not begin with `N minutes`".to_owned(),
        );
    }
    faults.extend(dead_links(&lesson.folder.join("README.md"), chapter));
    faults
}

/// What stands below a heading of the second level.
fn part<'a>(chapter: &'a str, heading: &str) -> &'a str {
    let below = chapter.split_once(&format!("\n## {heading}\n"));
    let below = below.map_or("", |(_, below)| below);
    below.split("\n## ").next().unwrap_or(below)
}

/// The words, however they are folded.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The headings of the first and of the second level.
fn headings(markdown: &str) -> (Vec<String>, Vec<String>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut heading: Option<String> = None;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(level)) => match level {
                HeadingLevel::H1 => first.extend(heading.take()),
                HeadingLevel::H2 => second.extend(heading.take()),
                _ => heading = None,
            },
            _ => {}
        }
    }
    (first, second)
}

/// Links and pictures of a page that lead to no file. Links that leave the
/// repository are not followed.
fn dead_links(page: &Path, markdown: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        let (Event::Start(Tag::Link { dest_url, .. })
        | Event::Start(Tag::Image { dest_url, .. })) = event
        else {
            continue;
        };
        let path = dest_url.split('#').next().unwrap_or_default();
        let inside = !dest_url.contains("://") && !path.is_empty();
        let target = page.parent().unwrap_or(Path::new("")).join(path);
        if inside && !target.exists() {
            faults.push(format!(
                "{} links to `{path}`, which is not there",
                page.display()
            ));
        }
    }
    faults
}
