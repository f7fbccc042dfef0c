//! The pages of the book: whatever they lead to has to be there.

use anyhow::{Context, Result, bail};
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// What a link says that leads to nothing in the book.
const ELSEWHERE: [&str; 3] = ["http://", "https://", "data:"];

/// What a page has in it.
#[derive(Default)]
struct Page {
    /// Where links can lead to.
    anchors: BTreeSet<String>,
    /// Links, which may also leave the book.
    links: Vec<String>,
    /// What is needed to show it.
    needs: Vec<String>,
}

/// The number of pages, and all that is wrong with them, a line each.
pub fn faults(folder: &Path) -> Result<(usize, Vec<String>)> {
    let mut pages = BTreeMap::new();
    read(folder, &mut pages)?;
    if pages.is_empty() {
        bail!("no page is in {}: make them by `just book`", folder.display());
    }
    let mut faults = Vec::new();
    for (path, page) in &pages {
        let name = path.strip_prefix(folder).unwrap_or(path).display();
        let mut fault = |why| faults.push(format!("{name}: {why}"));
        for link in page.needs.iter().chain(&page.links) {
            let elsewhere = ELSEWHERE.iter().any(|from| link.starts_with(from));
            if !elsewhere {
                dead(path, link, &pages).into_iter().for_each(&mut fault);
            }
        }
        for link in page.needs.iter().filter(|link| link.starts_with("http")) {
            fault(format!("needs the network for {link}"));
        }
    }
    Ok((pages.len(), faults))
}

/// Why a link leads nowhere, if it does.
fn dead(
    from: &Path,
    link: &str,
    pages: &BTreeMap<PathBuf, Page>,
) -> Option<String> {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => from.to_owned(),
        file => plain(&from.with_file_name(file)),
    };
    if !target.is_file() {
        return Some(format!("links to `{link}`, which is not there"));
    }
    let page = pages.get(&target)?;
    let there = anchor.is_empty() || page.anchors.contains(anchor);
    (!there).then(|| format!("links to `{link}`: there is no such part"))
}

/// The same path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// All pages in a folder and in those below it, by path.
fn read(folder: &Path, pages: &mut BTreeMap<PathBuf, Page>) -> Result<()> {
    let advice =
        || format!("cannot read {}; `just book` makes it", folder.display());
    for entry in fs::read_dir(folder).with_context(advice)? {
        let path = entry.with_context(advice)?.path();
        if path.is_dir() {
            read(&path, pages)?;
        // 404.html is for a server, and knows where on it the book is.
        } else if path.extension().is_some_and(|kind| kind == "html")
            && !path.ends_with("404.html")
        {
            let html = fs::read(&path).with_context(advice)?;
            pages.insert(plain(&path), Page::of(&html));
        }
    }
    Ok(())
}

impl Page {
    fn of(html: &[u8]) -> Self {
        let mut page = Self::default();
        let mut emitter = DefaultEmitter::default();
        // So that a tag in a script is taken for the text that it is.
        emitter.naively_switch_states(true);
        for token in Tokenizer::new_with_emitter(html, emitter) {
            let Ok(Token::StartTag(tag)) = token else { continue };
            let value = |name: &str| value(&tag, name);
            page.anchors.extend(value("id"));
            match &**tag.name {
                b"a" => page.links.extend(value("href")),
                b"link" => page.needs.extend(value("href")),
                _ => page.needs.extend(value("src")),
            }
        }
        page
    }
}

fn value(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    Some(String::from_utf8_lossy(value).into_owned())
}
