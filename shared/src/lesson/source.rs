use crate::Result;
use anyhow::{Context, ensure};

/// The source of a lesson, which is also its script: title and question from
/// the `//!` header, each step's sentence from its `///` comment.
///
/// Made by [`lesson!`](crate::lesson!).
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The package's name.
    pub package: &'a str,
    /// The text of `src/main.rs`.
    pub text: &'a str,
}

/// Where a step stands: `name` in `src/main.rs`, or `module::name` in the file
/// of that module beside it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The path of the function, as the list of steps has it.
    pub path: &'a str,
    /// The text of the file.
    pub text: &'a str,
}

impl<'a> Place<'a> {
    /// The step's name: what stands last in its path.
    pub fn name(&self) -> &'a str {
        self.path.rsplit(':').next().unwrap_or(self.path).trim()
    }

    /// The file below `src`.
    pub fn file(&self) -> String {
        let module = self.path.rsplit_once("::");
        let module = module.map_or("main", |(module, _)| module.trim());
        format!("{module}.rs")
    }
}

/// A step as the source tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The name of the function.
    pub name: String,
    /// Its `///` comment.
    pub sentence: String,
    /// Its code, without the comment.
    pub code: String,
    /// What stands below it and is no step itself: the functions and types
    /// that it uses.
    pub helpers: String,
}

impl Script {
    /// Its code up to the first claim: what a class may see before the run
    /// without seeing how it ends.
    pub fn before_claims(&self) -> String {
        let claims = |line: &str| line.contains("stage.claim(");
        let lines: Vec<&str> = self.code.lines().collect();
        match lines.iter().position(|line| claims(line)) {
            None => self.code.clone(),
            Some(at) => {
                lines[..at].join("\n")
                    + "\n    // ... and what it claims: see after the run"
            }
        }
    }
}

impl<'a> Source<'a> {
    /// The first line of the header.
    pub fn title(&self) -> &'a str {
        self.header().next().unwrap_or(self.package)
    }

    /// What the header says below the title, a paragraph a string.
    pub fn question(&self) -> String {
        paragraphs(self.header().skip(1))
    }

    fn header(&self) -> impl Iterator<Item = &'a str> {
        let lines = self.text.lines();
        lines.map_while(|line| Some(line.strip_prefix("//!")?.trim()))
    }

    /// The paths of the steps, as they are listed in `lesson![...]`.
    pub fn listed(&self) -> Vec<&'a str> {
        let list = self.text.split_once("lesson![");
        let list = list.and_then(|(_, rest)| rest.split_once(']'));
        let paths = list.map_or("", |(list, _)| list).split(',');
        paths.map(str::trim).filter(|path| !path.is_empty()).collect()
    }
}

impl Script {
    /// The scripts of the steps at these places.
    ///
    /// # Errors
    /// When a file has no such function at its outermost level, or one of
    /// them has no `///` comment.
    pub fn read(places: &[Place<'_>]) -> Result<Vec<Self>> {
        let spots = places.iter().map(Spot::of);
        let spots = spots.collect::<Result<Vec<_>>>()?;
        let scripts = spots.iter().zip(places).map(|(spot, place)| {
            let lines: Vec<&str> = place.text.lines().collect();
            let same = |other: &&Spot| other.file == spot.file;
            let after = spots.iter().filter(same).map(|other| other.comment);
            let after = after.filter(|&comment| comment > spot.end).min();
            let helpers = &lines[spot.end + 1..after.unwrap_or(lines.len())];
            let comment = lines[spot.comment..spot.code].iter();
            let comment =
                comment.map(|line| line.trim_start_matches('/').trim());
            let code = lines[spot.code..=spot.end].join("\n");
            Self {
                name: place.name().to_owned(),
                sentence: paragraphs(comment),
                code: code.strip_prefix("pub ").unwrap_or(&code).to_owned(),
                helpers: helpers.join("\n").trim().to_owned(),
            }
        });
        Ok(scripts.collect())
    }
}

/// Where a step stands in its file, in lines from 0.
struct Spot {
    file: String,
    comment: usize,
    code: usize,
    end: usize,
}

impl Spot {
    fn of(place: &Place<'_>) -> Result<Self> {
        let (name, file) = (place.name(), place.file());
        let lines: Vec<&str> = place.text.lines().collect();
        let head = format!("fn {name}(");
        let begins = |line: &&str| {
            line.strip_prefix("pub ").unwrap_or(line).starts_with(&head)
        };
        let code = lines.iter().position(begins);
        let code =
            code.with_context(|| format!("{file} has no function `{name}`"))?;
        let above = lines[..code].iter().rev();
        let comment = above.take_while(|line| line.starts_with("///")).count();
        ensure!(comment > 0, "the step `{name}` has no /// comment");
        let end = lines[code..].iter().position(|line| *line == "}");
        let end =
            end.with_context(|| format!("the step `{name}` does not end"))?;
        Ok(Self { file, comment: code - comment, code, end: code + end })
    }
}

/// Joins the lines of each paragraph; paragraphs stay apart by an empty line.
fn paragraphs<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let text: Vec<&str> = lines.collect();
    let text = text.join("\n");
    let paragraphs = text.trim().split("\n\n");
    let joined = paragraphs.map(|paragraph| paragraph.replace('\n', " "));
    joined.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source<'static> = Source {
        package: "seats",
        text: "//! Seats: a title.\n//!\n//! Why\n//! so?\n//!\n//! And how?\n\
               use std::fmt;\n\n/// One\n/// sentence.\nfn sit(stage: &Stage) -> Result {\n    \
               if true {\n    }\n    stage.claim(\"x\");\n}\n\nfn helps() {\n}\n\n/// Two.\n\
               fn stand(stage: &Stage) -> Result {\n}\n\nfn bare(stage: &Stage) -> Result {\n}\n",
    };

    #[test]
    fn header_is_title_and_question() {
        assert_eq!(SOURCE.title(), "Seats: a title.");
        assert_eq!(SOURCE.question(), "Why so?\n\nAnd how?");
    }

    fn read(paths: &[&'static str]) -> Result<Vec<Script>> {
        let text = |path: &str| match path.contains(':') {
            true => {
                "/// Three.\npub fn lie(stage: &Stage) -> Result {\n}\n\nfn rest() {\n}\n"
            }
            false => SOURCE.text,
        };
        let places = paths.iter().map(|path| Place { path, text: text(path) });
        Script::read(&places.collect::<Vec<_>>())
    }

    #[test]
    fn step_has_sentence_code_and_helpers() {
        let steps = read(&["sit", "down::lie", "stand"]).unwrap();
        assert_eq!(steps[0].sentence, "One sentence.");
        assert!(
            steps[0].code.starts_with("fn sit(")
                && steps[0].code.ends_with("\n}")
        );
        assert_eq!(steps[0].code.lines().count(), 5);
        assert_eq!(steps[0].helpers, "fn helps() {\n}");
        assert_eq!(steps[1].name, "lie");
        assert_eq!(steps[1].sentence, "Three.");
        assert!(steps[1].code.starts_with("fn lie("));
        assert_eq!(steps[1].helpers, "fn rest() {\n}");
        assert!(steps[2].helpers.starts_with("fn bare("));
        assert!(!steps[0].before_claims().contains("claim("));
        assert_eq!(steps[2].before_claims(), steps[2].code);
    }

    #[test]
    fn missing_step_and_missing_sentence_are_errors() {
        let missing = read(&["fly"]).unwrap_err().to_string();
        assert_eq!(missing, "main.rs has no function `fly`");
        let missing = read(&["down :: fly"]).unwrap_err().to_string();
        assert_eq!(missing, "down.rs has no function `fly`");
        let bare = read(&["bare"]).unwrap_err().to_string();
        assert_eq!(bare, "the step `bare` has no /// comment");
    }

    #[test]
    fn steps_are_listed_with_their_paths() {
        let text = "fn main() {\n    lesson![\n    sit, down::lie,\n    stand,\n    ]\n";
        let source = Source { text, ..SOURCE };
        assert_eq!(source.listed(), ["sit", "down::lie", "stand"]);
    }
}
