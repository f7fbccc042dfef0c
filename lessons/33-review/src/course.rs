//! The course from which this lesson was built: what its lessons show.

use crate::question::Proof;
use shared::lesson::{Place, Source};
use std::fs;
use std::path::{Path, PathBuf};

/// The checkout with the lessons.
pub struct Course {
    pub top: PathBuf,
}

/// A lesson in its folder `NN-package`.
pub struct Folder {
    pub number: String,
    path: PathBuf,
}

impl Course {
    /// Nothing where the program was taken elsewhere and its source is gone.
    pub fn find() -> Option<Self> {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
        let mut tops = above.filter(|top| top.join("lessons").is_dir());
        tops.next().map(|top| Self { top: top.to_owned() })
    }

    pub fn lesson(&self, package: &str) -> Option<Folder> {
        let folders = fs::read_dir(self.top.join("lessons")).ok()?;
        folders.flatten().find_map(|folder| {
            let name = folder.file_name().into_string().ok()?;
            let (number, named) = name.split_once('-')?;
            let number = number.trim_start_matches('0').to_owned();
            (named == package).then(|| Folder { number, path: folder.path() })
        })
    }

    /// Whether the claim stands in the source of its lesson. (`--prove` runs
    /// the lesson and sees whether it holds.)
    pub fn claims(&self, proof: &Proof) -> bool {
        let lesson = self.lesson(&proof.lesson);
        lesson.is_some_and(|lesson| lesson.claims(&proof.claim))
    }
}

impl Folder {
    /// The names of the steps, as `lesson![...]` lists them.
    pub fn steps(&self) -> Vec<String> {
        let text = self.text("main.rs");
        let listed = Source { package: "", text: &text }.listed();
        let places = listed.iter().map(|path| Place { path, text: &text });
        places.map(|place| place.name().to_owned()).collect()
    }

    fn claims(&self, claim: &str) -> bool {
        let quoted = format!("\"{claim}\"");
        let files = fs::read_dir(self.path.join("src")).into_iter().flatten();
        let mut names = files.flatten().map(|file| file.file_name());
        names.any(|name| self.text(name).contains(&quoted))
    }

    fn text(&self, file: impl AsRef<Path>) -> String {
        let path = self.path.join("src").join(file);
        fs::read_to_string(path).unwrap_or_default()
    }
}
