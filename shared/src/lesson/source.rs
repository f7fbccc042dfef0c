use crate::Result;
use anyhow::Context;

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

    /// The step that is the function `name`.
    ///
    /// # Errors
    /// When the source has no such function at its outermost level, or it has
    /// no `///` comment.
    pub fn step(&self, name: &str) -> Result<Script> {
        let head = format!("fn {name}(");
        let lines: Vec<&str> = self.text.lines().collect();
        let at = lines.iter().position(|line| line.starts_with(&head));
        let at =
            at.with_context(|| format!("the source has no function `{name}`"))?;
        let above = lines[..at].iter().rev();
        let comment: Vec<&str> = above
            .map_while(|line| Some(line.strip_prefix("///")?.trim()))
            .collect();
        let sentence = paragraphs(comment.into_iter().rev());
        anyhow::ensure!(
            !sentence.is_empty(),
            "the step `{name}` has no /// comment"
        );
        let length = lines[at..].iter().position(|line| *line == "}");
        let end =
            at + length.with_context(|| format!("`{name}` does not end"))?;
        Ok(Script {
            name: name.to_owned(),
            sentence,
            code: lines[at..=end].join("\n"),
        })
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
               if true {\n    }\n}\n\nfn bare(stage: &Stage) -> Result {\n}\n",
    };

    #[test]
    fn header_is_title_and_question() {
        assert_eq!(SOURCE.title(), "Seats: a title.");
        assert_eq!(SOURCE.question(), "Why so?\n\nAnd how?");
    }

    #[test]
    fn step_has_sentence_and_code() {
        let step = SOURCE.step("sit").unwrap();
        assert_eq!(step.sentence, "One sentence.");
        assert!(step.code.starts_with("fn sit(") && step.code.ends_with("\n}"));
        assert_eq!(step.code.lines().count(), 4);
    }

    #[test]
    fn missing_step_and_missing_sentence_are_errors() {
        let missing = SOURCE.step("stand").unwrap_err().to_string();
        assert_eq!(missing, "the source has no function `stand`");
        let bare = SOURCE.step("bare").unwrap_err().to_string();
        assert_eq!(bare, "the step `bare` has no /// comment");
    }
}
