//! Which lessons there are, as their folders have it.

mod part;

pub use part::{PARTS, Part};

use crate::lesson::{Place, Source};
use anyhow::{Context, Result};
use comfy_table::{Table, presets};
use std::fs;
use std::path::{Path, PathBuf};

/// The terms of the course, beside its lessons.
pub const GLOSSARY: &str = "lessons/GLOSSARY.md";

/// The lessons, in order.
pub struct Catalogue {
    /// All of them.
    pub lessons: Vec<Lesson>,
}

/// A folder below `lessons`, named `NN-package`.
pub struct Lesson {
    /// Its number.
    pub number: u32,
    /// The name of its package.
    pub package: String,
    /// Where it stands.
    pub folder: PathBuf,
    /// The text of its `src/main.rs`; empty if there is none.
    pub source: String,
    /// What stands beside it: the names and the texts.
    pub modules: Vec<(String, String)>,
    /// The text of its chapter; empty if there is none.
    pub chapter: String,
}

impl Catalogue {
    /// Reads the folder `lessons`.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn read() -> Result<Self> {
        let advice = "cannot read the folder `lessons`; run this at the top of the repository";
        let mut lessons = Vec::new();
        for entry in fs::read_dir("lessons").context(advice)? {
            let folder = entry.context(advice)?.path();
            lessons.extend(Lesson::read(folder));
        }
        lessons.sort_by_key(|lesson| lesson.number);
        Ok(Self { lessons })
    }

    /// By number or by name.
    pub fn find(&self, wanted: &str) -> Option<&Lesson> {
        let number = wanted.parse().ok();
        let mut lessons = self.lessons.iter();
        lessons.find(|lesson| {
            Some(lesson.number) == number || lesson.package == wanted
        })
    }

    /// A table of them, with their minutes.
    pub fn table(&self) -> String {
        let mut table = table(["", "lesson", "title", "min"]);
        for lesson in &self.lessons {
            let minutes =
                lesson.minutes().map_or("?".to_owned(), |min| min.to_string());
            let number = lesson.number.to_string();
            table.add_row([&number, &lesson.package, lesson.title(), &minutes]);
        }
        let minutes: u32 =
            self.lessons.iter().filter_map(Lesson::minutes).sum();
        format!(
            "{}\n\njust lesson N   runs one; all together {minutes} min",
            table.trim_fmt()
        )
    }
}

impl Lesson {
    /// Nothing if the folder has no name of that form.
    fn read(folder: PathBuf) -> Option<Self> {
        let (number, package) =
            folder.file_name()?.to_str()?.split_once('-')?;
        Some(Self {
            number: number.parse().ok()?,
            package: package.to_owned(),
            source: fs::read_to_string(folder.join("src/main.rs"))
                .unwrap_or_default(),
            modules: modules(&folder.join("src")),
            chapter: fs::read_to_string(folder.join("README.md"))
                .unwrap_or_default(),
            folder,
        })
    }

    /// Its script.
    pub fn script(&self) -> Source<'_> {
        Source { package: &self.package, text: &self.source }
    }

    /// Where its steps stand.
    pub fn places(&self) -> Vec<Place<'_>> {
        let listed = self.script().listed().into_iter();
        let places = listed.map(|path| {
            let place = Place { path, text: &self.source };
            let file = place.file();
            let module = self.modules.iter().find(|(name, _)| *name == file);
            Place { text: module.map_or(place.text, |(_, text)| text), ..place }
        });
        places.collect()
    }

    /// Its title, without a full stop.
    pub fn title(&self) -> &str {
        self.script().title().trim_end_matches('.')
    }

    /// What the chapter says to the teacher in its first words: `8 minutes`.
    pub fn minutes(&self) -> Option<u32> {
        let (_, part) = self.chapter.split_once("\n## For the teacher\n")?;
        part.trim_start().split_once(" minutes")?.0.parse().ok()
    }

    /// Where its test is to be.
    pub fn test(&self) -> PathBuf {
        Path::new("tests").join(&self.package).with_extension("rs")
    }
}

/// The Rust files of a folder besides `main.rs`, by name.
fn modules(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut modules: Vec<(String, String)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let wanted = name.ends_with(".rs") && name != "main.rs";
            let text = fs::read_to_string(entry.path()).ok()?;
            wanted.then_some((name, text))
        })
        .collect();
    modules.sort();
    modules
}

/// A table without lines, under these headings.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}
