use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::{BookItem, Chapter, SectionNumber};
use mdbook_driver::config::Config;
use pulldown_cmark::{Event, Options, Parser, Tag};
use shared::catalogue::{Catalogue, GLOSSARY, Lesson, PARTS};
use shared::lesson::Script;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What book.toml would say of a page that a search is to leave out.
const NOT_SEARCHED: [(&str, bool); 1] = [("enable", false)];

/// The code of a lesson stands before this part of its chapter.
const WHY: &str = "\n## Why\n";

/// Makes the book, and returns the folder in which it is.
pub fn build(catalogue: &Catalogue) -> Result<PathBuf> {
    let mut items = vec![BookItem::Chapter(introduction()?)];
    let mut sources = Vec::new();
    for part in &PARTS {
        let lessons = part.of(&catalogue.lessons);
        if !lessons.is_empty() {
            items.push(BookItem::PartTitle(part.title.to_owned()));
        }
        for lesson in lessons {
            items.push(BookItem::Chapter(chapter(lesson, &mut sources)?));
        }
    }
    let glossary = fs::read_to_string(GLOSSARY)
        .with_context(|| format!("cannot read {GLOSSARY}"))?;
    items.push(BookItem::Separator);
    let glossary = with_pages(&glossary);
    let glossary = Chapter::new("Glossary", glossary, "GLOSSARY.md", vec![]);
    items.push(BookItem::Chapter(glossary));

    let mut config = Config::from_disk("book.toml")?;
    // A search is to find the chapters, which say where to look.
    let unsearched =
        sources.into_iter().map(|page| (page, BTreeMap::from(NOT_SEARCHED)));
    let unsearched = unsearched.collect::<BTreeMap<_, _>>();
    config.set("output.html.search.chapter", unsearched)?;
    let nothing = Default::default();
    let mut book = MDBook::load_with_config_and_summary(".", config, nothing)?;
    book.book.items = items;
    book.build()?;
    Ok(book.build_dir_for("html"))
}

/// The first half of the README, which is for whoever learns.
fn introduction() -> Result<Chapter> {
    let readme =
        fs::read_to_string("README.md").context("cannot read README.md")?;
    let (ours, _) = readme
        .split_once("\n## Where things are\n")
        .context("README.md has no part `Where things are`")?;
    let text = with_pages(&ours.replace("](lessons/", "]("));
    Ok(Chapter::new("Introduction", text, "index.md", vec![]))
}

/// A lesson's chapter, and below it the pages of its sources.
fn chapter(lesson: &Lesson, sources: &mut Vec<String>) -> Result<Chapter> {
    let folder = lesson.folder.strip_prefix("lessons")?;
    let (saw, why) = lesson.chapter.split_once(WHY).with_context(|| {
        format!("the chapter of `{}` has no part `Why`", lesson.package)
    })?;
    let text = with_pages(&format!("{saw}{}{WHY}{why}", code(lesson)?));
    let page = folder.join("index.md");
    let mut chapter = Chapter::new(lesson.title(), text, page, vec![]);
    chapter.number = Some(SectionNumber::new([lesson.number]));
    let mut files = vec![lesson.folder.join("peer.py")];
    rust_files(&lesson.folder.join("src"), &mut files)?;
    // main.rs first, and Python last.
    files.sort_by_key(|file| {
        (
            file.ends_with("peer.py"),
            !file.ends_with("src/main.rs"),
            file.clone(),
        )
    });
    for (number, file) in (1..).zip(files) {
        let name = file.strip_prefix(&lesson.folder)?.display().to_string();
        let text = fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let language = if name.ends_with(".py") { "python" } else { "rust" };
        let text = format!(
            "# {}\n\n``````{language}\n{}\n``````\n",
            file.display(),
            text.trim_end()
        );
        let page = page_of(&folder.join(&name).display().to_string());
        sources.push(page.clone());
        let parents = vec![lesson.title().to_owned()];
        let mut page = Chapter::new(&name, text, page, parents);
        page.number = Some(SectionNumber::new([lesson.number, number]));
        chapter.sub_items.push(BookItem::Chapter(page));
    }
    Ok(chapter)
}

/// What a lesson's steps run, as their files have it today.
fn code(lesson: &Lesson) -> Result<String> {
    let places = lesson.places();
    let scripts = Script::read(&places, &[])?;
    let mut text = "\n## The code\n".to_owned();
    for (place, script) in places.iter().zip(scripts) {
        let file = format!("src/{}", place.file());
        let Script { name, sentence, code, .. } = script;
        text += &format!(
            "\n### {name}\n\n{sentence} ([{file}]({file}))\n\n\
             ``````rust\n{code}\n``````\n"
        );
    }
    Ok(text)
}

/// The Rust files in a folder and in those below it.
fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let advice = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(advice)? {
        let path = entry.with_context(advice)?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The same with links to sources and chapters leading to their pages.
fn with_pages(chapter: &str) -> String {
    let mut text = chapter.to_owned();
    let events = Parser::new_ext(chapter, Options::ENABLE_TABLES);
    let links = events.into_offset_iter().filter_map(|(event, range)| {
        let Event::Start(Tag::Link { dest_url, .. }) = event else {
            return None;
        };
        let ends = [".rs", ".py", "README.md"];
        let shown = ends.iter().any(|end| dest_url.ends_with(end));
        (shown && !dest_url.contains("://")).then_some((dest_url, range))
    });
    // From the last to the first: what is before them stays where it is.
    for (url, range) in links.collect::<Vec<_>>().into_iter().rev() {
        let link = &chapter[range.clone()];
        let link = link
            .replace(&format!("]({url})"), &format!("]({})", page_of(&url)));
        text.replace_range(range, &link);
    }
    text
}

/// The page of a source or of a chapter: that of `main.rs` is `main.rs.md`.
fn page_of(file: &str) -> String {
    match file.strip_suffix("README.md") {
        Some(folder) => format!("{folder}index.md"),
        None => format!("{file}.md"),
    }
}
