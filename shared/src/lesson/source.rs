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

    /// The steps that are the functions called `names`.
    ///
    /// # Errors
    /// When the source has no such function at its outermost level, or one of
    /// them has no `///` comment.
    pub fn steps(&self, names: &[&str]) -> Result<Vec<Script>> {
        let lines: Vec<&str> = self.text.lines().collect();
        let spots = names.iter().map(|name| Spot::of(name, &lines));
        let spots = spots.collect::<Result<Vec<_>>>()?;
        let scripts = spots.iter().zip(names).map(|(spot, name)| {
            let after = spots.iter().map(|other| other.comment);
            let after = after.filter(|&comment| comment > spot.end).min();
            let helpers = &lines[spot.end + 1..after.unwrap_or(lines.len())];
            let comment = lines[spot.comment..spot.code].iter();
            let comment =
                comment.map(|line| line.trim_start_matches('/').trim());
            Script {
                name: (*name).to_owned(),
                sentence: paragraphs(comment),
                code: lines[spot.code..=spot.end].join("\n"),
                helpers: helpers.join("\n").trim().to_owned(),
            }
        });
        Ok(scripts.collect())
    }
}

/// Where a step stands in the source, in lines from 0.
struct Spot {
    comment: usize,
    code: usize,
    end: usize,
}

impl Spot {
    fn of(name: &str, lines: &[&str]) -> Result<Self> {
        let head = format!("fn {name}(");
        let code = lines.iter().position(|line| line.starts_with(&head));
        let code = code
            .with_context(|| format!("the source has no function `{name}`"))?;
        let above = lines[..code].iter().rev();
        let comment = above.take_while(|line| line.starts_with("///")).count();
        ensure!(comment > 0, "the step `{name}` has no /// comment");
        let end = lines[code..].iter().position(|line| *line == "}");
        let end =
            end.with_context(|| format!("the step `{name}` does not end"))?;
        Ok(Self { comment: code - comment, code, end: code + end })
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

    #[test]
    fn step_has_sentence_code_and_helpers() {
        let steps = SOURCE.steps(&["sit", "stand"]).unwrap();
        assert_eq!(steps[0].sentence, "One sentence.");
        assert!(
            steps[0].code.starts_with("fn sit(")
                && steps[0].code.ends_with("\n}")
        );
        assert_eq!(steps[0].code.lines().count(), 5);
        assert_eq!(steps[0].helpers, "fn helps() {\n}");
        assert!(steps[1].helpers.starts_with("fn bare("));
        assert!(!steps[0].before_claims().contains("claim("));
        assert_eq!(steps[1].before_claims(), steps[1].code);
    }

    #[test]
    fn missing_step_and_missing_sentence_are_errors() {
        let missing = SOURCE.steps(&["fly"]).unwrap_err().to_string();
        assert_eq!(missing, "the source has no function `fly`");
        let bare = SOURCE.steps(&["bare"]).unwrap_err().to_string();
        assert_eq!(bare, "the step `bare` has no /// comment");
    }
}
