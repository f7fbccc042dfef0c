use super::choice::Choice;
use super::module::{Module, tokens};
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

    /// The module that has it.
    fn module(&self) -> &'a str {
        let module = self.path.rsplit_once("::");
        module.map_or("main", |(module, _)| module.trim())
    }

    /// The file below `src`.
    pub fn file(&self) -> String {
        format!("{}.rs", self.module())
    }
}

/// A step as the source tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The name of the function.
    pub name: String,
    /// Its `///` comment.
    pub sentence: String,
    /// What a class can choose from before it runs, if the comment lists it.
    pub choices: Vec<Choice>,
    /// Its code, without the comment.
    pub code: String,
    /// The functions and types that it uses up to its claims, and what those
    /// use, as far as they stand in the lesson's files and are no steps
    /// themselves.
    pub helpers: String,
    /// Those that only its claims use.
    provers: String,
}

impl Script {
    /// Its code up to where it begins to claim: what a class may see before
    /// the run without seeing how it ends.
    pub fn before_claims(&self) -> String {
        match self.claims_at() {
            None => self.code.clone(),
            Some(at) => {
                let lines: Vec<&str> = self.code.lines().take(at).collect();
                lines.join("\n") + "\n    // ... then come its claims"
            }
        }
    }

    /// The rest of its code, and what only that uses; empty if it claims
    /// nothing.
    pub fn proof(&self) -> String {
        let parts = [self.claims(), self.provers.clone()];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("\n\n")
    }

    fn claims(&self) -> String {
        let lines = self.code.lines();
        let rest = self.claims_at().map(|at| lines.skip(at));
        rest.map_or(String::new(), |rest| rest.collect::<Vec<_>>().join("\n"))
    }

    /// The line in which it begins to claim, or to ask the trace for what it
    /// claims: the first one of that statement.
    fn claims_at(&self) -> Option<usize> {
        let lines: Vec<&str> = self.code.lines().collect();
        let claim = lines.iter().position(|at| at.contains("stage.claim("))?;
        // A statement of the body begins at its first indent, where another
        // one has ended.
        let begins = |at: usize| {
            let indent = lines[at].len() - lines[at].trim_start().len();
            let before = lines[at - 1].split("//").next().unwrap_or("");
            let before = before.trim_end();
            let ended = before.ends_with([';', '}', '{']);
            indent == 4 && (before.is_empty() || ended)
        };
        let mut first = (1..=claim).rev().find(|&at| begins(at))?;
        while let Some(at) = (1..first).rev().find(|&at| begins(at)) {
            let statement = lines[at..first].concat();
            let asks = |token: &String| token == "trace" || token == "noted";
            let asks = tokens(&statement).iter().any(asks);
            if !statement.trim_start().starts_with("let ") || !asks {
                break;
            }
            first = at;
        }
        Some(first)
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
        let list = list.map_or("", |(list, _)| list);
        let steps = list.split_once(';').map_or(list, |(steps, _)| steps);
        let paths = steps.split(',');
        paths.map(str::trim).filter(|path| !path.is_empty()).collect()
    }
}

impl Script {
    /// The scripts of the steps at these places, which use also what stands in
    /// the modules `beside`: their names and texts.
    ///
    /// # Errors
    /// When a file has no such function at its outermost level, or one of
    /// them has no `///` comment.
    pub fn read(
        places: &[Place<'_>],
        beside: &[(&str, &str)],
    ) -> Result<Vec<Self>> {
        let spots = places.iter().map(Spot::of);
        let spots = spots.collect::<Result<Vec<_>>>()?;
        let modules = modules(places, beside);
        let scripts = spots.iter().zip(places).map(|(spot, place)| {
            let lines: Vec<&str> = place.text.lines().collect();
            let comment = lines[spot.comment..spot.code].iter();
            let comment =
                comment.map(|line| line.trim_start_matches('/').trim());
            let (listed, told): (Vec<&str>, Vec<&str>) =
                comment.partition(|line| Choice::of(line).is_some());
            let code = lines[spot.code..=spot.end].join("\n");
            let mut script = Self {
                name: place.name().to_owned(),
                sentence: paragraphs(told.into_iter()),
                choices: listed.into_iter().filter_map(Choice::of).collect(),
                code: code.strip_prefix("pub ").unwrap_or(&code).to_owned(),
                helpers: String::new(),
                provers: String::new(),
            };
            let module = modules.iter();
            let mut module = module.filter(|it| it.name() == place.module());
            if let Some(module) = module.next() {
                let used = |code: &str| module.used_by(code, &modules);
                let helpers = used(&script.before_claims());
                let mut provers = used(&script.claims());
                provers.retain(|prover| !helpers.contains(prover));
                script.helpers = helpers.join("\n\n");
                script.provers = provers.join("\n\n");
            }
            script
        });
        Ok(scripts.collect())
    }
}

/// The files that have these steps, and those beside them, without the steps
/// themselves.
fn modules(places: &[Place<'_>], beside: &[(&str, &str)]) -> Vec<Module> {
    let steps = places.iter().map(Place::name).chain(["main"]);
    let steps: Vec<&str> = steps.collect();
    let files = places.iter().map(|place| (place.module(), place.text));
    let mut modules: Vec<Module> = Vec::new();
    for (name, text) in files.chain(beside.iter().copied()) {
        if modules.iter().all(|module| module.name() != name) {
            modules.push(Module::of(name, text, &steps));
        }
    }
    modules
}

/// Where a step stands in its file, in lines from 0.
struct Spot {
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
        text: "\
//! Seats: a title.
//!
//! Why
//! so?
//!
//! And how?
use std::fmt;

const SEATS: usize = 5;

/// One
/// sentence.
fn sit(stage: &Stage) -> Result {
    if helps() {
        stage.trace()?;
    }
    let more = fit(\"trace\");
    let trace = stage.trace()?;
    let (one, other) =
        (trace.count(\"x\"), proves(more));
    for (text, value) in [
        (\"x\", 1),
    ] {
        stage.claim(text, value);
    }
}

/// Helps.
fn helps() {
    Chair::new(SEATS)
}

/// Proves.
fn proves() {
}

/// Nobody asks for it.
fn idle() {
}

/// Two.
///
/// - [ ] one
/// - [x] two
fn stand(stage: &Stage) -> Result {
}

fn bare(stage: &Stage) -> Result {
}

#[derive(Debug)]
struct Chair<'a> {
    legs: usize,
}

impl<'a> Chair<'a> {
}
",
    };

    #[test]
    fn header_is_title_and_question() {
        assert_eq!(SOURCE.title(), "Seats: a title.");
        assert_eq!(SOURCE.question(), "Why so?\n\nAnd how?");
    }

    fn read(paths: &[&'static str]) -> Result<Vec<Script>> {
        let text = |path: &str| match path.contains(':') {
            true => {
                "use crate::bed::rest;\n\n/// Three.\npub fn lie(stage: &Stage) -> Result {\n    rest();\n}\n\nfn sleep() {\n}\n"
            }
            false => SOURCE.text,
        };
        let places = paths.iter().map(|path| Place { path, text: text(path) });
        let bed = "/// Rests.\npub fn rest() {\n    sleep();\n}\n\nfn sleep() {\n    snore();\n}\n";
        Script::read(&places.collect::<Vec<_>>(), &[("bed", bed)])
    }

    #[test]
    fn step_has_sentence_code_and_helpers() {
        let steps = read(&["sit", "down::lie", "stand"]).unwrap();
        assert_eq!(steps[0].sentence, "One sentence.");
        assert!(
            steps[0].code.starts_with("fn sit(")
                && steps[0].code.ends_with("\n}")
        );
        let helpers = &steps[0].helpers;
        for used in
            ["const SEATS", "/// Helps.\nfn helps() {", "impl<'a> Chair"]
        {
            assert!(helpers.contains(used), "{used}: {helpers}");
        }
        assert!(helpers.contains("#[derive(Debug)]\nstruct Chair"));
        assert!(!helpers.contains("idle") && !helpers.contains("stand"));
        assert_eq!(steps[1].name, "lie");
        assert_eq!(steps[1].sentence, "Three.");
        assert!(steps[1].code.starts_with("fn lie("));
        // Not the other one that sleeps.
        let helpers = "/// Rests.\npub fn rest() {\n    sleep();\n}\n\nfn sleep() {\n    snore();\n}";
        assert_eq!(steps[1].helpers, helpers);
        assert_eq!(steps[2].helpers, "");
        assert_eq!(steps[2].sentence, "Two.");
        let right = steps[2].choices.iter().map(|choice| choice.right);
        assert_eq!(right.collect::<Vec<_>>(), [false, true]);
        assert_eq!(steps[2].before_claims(), steps[2].code);
        assert_eq!(steps[2].proof(), "");
    }

    #[test]
    fn claims_are_cut_off_with_their_whole_statement() {
        let step = &read(&["sit"]).unwrap()[0];
        let before = step.before_claims();
        let cut =
            "    let more = fit(\"trace\");\n    // ... then come its claims";
        assert!(before.ends_with(cut), "{before}");
        let proof = step.proof();
        assert!(proof.starts_with("    let trace = stage.trace()?;"));
        assert!(proof.ends_with("}\n\n/// Proves.\nfn proves() {\n}"));
        assert_eq!(proof.lines().count(), 13);
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
        let text = "fn main() {\n    lesson![\n    sit, down::lie,\n    stand;\n    bed, chair\n    ]\n";
        let source = Source { text, ..SOURCE };
        assert_eq!(source.listed(), ["sit", "down::lie", "stand"]);
    }
}
