//! What a page leads to.

use html5gum::{DefaultEmitter, Token, Tokenizer};
use url::Url;

/// An address of more bytes is not followed.
const LONGEST: usize = 2000;
/// Nobody reads a page of more links to its end.
pub const MOST: usize = 5000;
const PICTURES: [&str; 5] = [".png", ".jpg", ".jpeg", ".gif", ".webp"];

/// Addresses of `http://`, without a part behind `#`, in the order of the
/// page.
#[derive(Default)]
pub struct Links {
    pub pages: Vec<Url>,
    pub pictures: Vec<Url>,
    /// Whether there are more than [`MOST`].
    pub more: bool,
}

/// Reads the tags `<a href>`, `<img src>` and the first `<base href>`. Tags are
/// enough: what is inside of what, as a tree would tell it, nobody asks. Any
/// bytes are HTML.
pub fn links(html: &[u8], page: &Url) -> Links {
    let (mut links, mut base) = (Links::default(), None);
    let mut emitter = DefaultEmitter::default();
    // So that a tag in a script or a title is taken for the text that it is.
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(Token::StartTag(tag)) = token else { continue };
        let attribute: &[u8] = match &**tag.name {
            b"a" => b"href",
            b"img" => b"src",
            b"base" if base.is_none() => b"href",
            _ => continue,
        };
        let address = tag.attributes.get(attribute);
        let address = address.and_then(|text| str::from_utf8(text).ok());
        if &**tag.name == b"base" {
            base = address.and_then(|text| join(text, page));
            continue;
        }
        let from = base.as_ref().unwrap_or(page);
        let url = address.and_then(|text| resolve(text, from));
        let Some(url) = url else { continue };
        if links.pages.len() + links.pictures.len() == MOST {
            links.more = true;
            break;
        }
        let path = url.path().to_ascii_lowercase();
        let picture = PICTURES.iter().any(|end| path.ends_with(end));
        match picture || attribute == b"src" {
            true => links.pictures.push(url),
            false => links.pages.push(url),
        }
    }
    links
}

/// As a browser does it: `..` never leads out of the host.
fn resolve(address: &str, from: &Url) -> Option<Url> {
    if address.trim().is_empty() {
        return None; // the page itself
    }
    join(address, from).filter(|url| url.scheme() == "http")
}

fn join(address: &str, from: &Url) -> Option<Url> {
    let short = Some(address).filter(|address| address.len() <= LONGEST)?;
    let mut url = from.join(short).ok()?;
    url.set_fragment(None);
    Some(url).filter(|url| url.as_str().len() <= LONGEST)
}
