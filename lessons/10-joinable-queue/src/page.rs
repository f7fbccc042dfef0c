//! A page: fetched, and read by a parser.

use fluent_uri::{Uri, UriRef};
use html5gum::{DefaultEmitter, Token, Tokenizer};
use serde::{Deserialize, Serialize};
use shared::client::{Client, Failure};
use std::collections::HashSet;
use thiserror::Error;

/// A title is cut here: what somebody else wrote may have any length.
const LONGEST_TITLE: usize = 60;
/// An address of more bytes is not followed.
const LONGEST_ADDRESS: usize = 2000;

/// What became of an address. It travels through a queue.
#[derive(Serialize, Deserialize)]
pub struct Visit {
    pub address: String,
    pub page: Result<Page, Problem>,
}

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub title: String,
    pub bytes: usize,
}

/// Why there is no page.
#[derive(Debug, Error, Serialize, Deserialize)]
pub enum Problem {
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error("no page, but {0}")]
    Kind(String),
    #[error("half a page: <html> has no end")]
    Half,
    #[error("it has no title")]
    NoTitle,
}

/// Fetches a page and reads its title.
pub fn fetch(client: &Client, address: &str) -> Result<Page, Problem> {
    let html = html(client, address)?;
    let title = title(&html)?;
    Ok(Page { title, bytes: html.len() })
}

fn html(client: &Client, address: &str) -> Result<Vec<u8>, Problem> {
    let reply = client.get(address)?;
    let kind = reply.kind.split(';').next().unwrap_or_default().trim();
    match kind {
        "text/html" | "application/xhtml+xml" => Ok(reply.body),
        kind => Err(Problem::Kind(kind.chars().take(40).collect())),
    }
}

/// The text of the first `<title>`, in one line.
fn title(html: &[u8]) -> Result<String, Problem> {
    let (mut title, mut inside) = (None, false);
    let (mut opened, mut closed) = (false, false);
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) if *tag.name == b"html" => opened = true,
            Token::EndTag(tag) if *tag.name == b"html" => closed = true,
            Token::StartTag(tag) => inside = *tag.name == b"title",
            Token::EndTag(_) => inside = false,
            Token::String(text) if inside && title.is_none() => {
                let text = String::from_utf8_lossy(&text).into_owned();
                title = Some(text);
            }
            _ => {}
        }
    }
    if opened && !closed {
        return Err(Problem::Half);
    }
    let title = title.as_deref().unwrap_or_default().split_whitespace();
    let title = title.collect::<Vec<_>>().join(" ");
    let title: String =
        title.chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect();
    if title.is_empty() { Err(Problem::NoTitle) } else { Ok(title) }
}

/// The pages of the same host to which the page at `address` has links: the
/// first `most`, each once.
pub fn links(
    client: &Client,
    address: &str,
    most: usize,
) -> Result<Vec<String>, Problem> {
    let html = html(client, address)?;
    let unknown = || Problem::Failure(Failure::Url(address.to_owned()));
    let list = Uri::parse(address).map_err(|_| unknown())?;
    let list = list.strip_fragment();
    let mut seen = HashSet::from([list.normalize().into_string()]);
    let found = tokens(&html).filter_map(|token| match token {
        Token::StartTag(tag) if *tag.name == b"a" => {
            let href = tag.attributes.get(b"href".as_slice())?;
            let href = str::from_utf8(href).ok()?.trim();
            let link = UriRef::parse(href).ok()?.resolve_against(&list).ok()?;
            let link = link.strip_fragment().normalize();
            let same = link.scheme() == list.scheme()
                && link.authority().map(|authority| authority.as_str())
                    == list.authority().map(|authority| authority.as_str());
            let short = link.as_str().len() <= LONGEST_ADDRESS;
            (same && short).then(|| link.into_string())
        }
        _ => None,
    });
    Ok(found.filter(|link| seen.insert(link.clone())).take(most).collect())
}

/// What HTML consists of; also what is wrong HTML, as browsers take it.
fn tokens(html: &[u8]) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    // So that a tag in a script or a title is taken for the text that it is.
    emitter.naively_switch_states(true);
    let tokens = Tokenizer::new_with_emitter(html, emitter);
    tokens.map(|token| match token {
        Ok(token) => token,
        Err(never) => match never {},
    })
}
