//! What a page leads to.

use html5gum::{DefaultEmitter, Token, Tokenizer};
use url::Url;

/// An address of more bytes is not followed.
const LONGEST: usize = 2000;
const PICTURES: [&str; 5] = [".png", ".jpg", ".jpeg", ".gif", ".webp"];

/// Addresses of `http://`, without a part behind `#`, in the order of the
/// page.
#[derive(Default)]
pub struct Links {
    pub pages: Vec<Url>,
    pub pictures: Vec<Url>,
}

/// Reads the tags `<a href>` and `<img src>`. Tags are enough: what is inside
/// of what, as a tree would tell it, nobody asks. Any bytes are HTML.
pub fn links(html: &[u8], page: &Url) -> Links {
    let mut links = Links::default();
    let mut emitter = DefaultEmitter::default();
    // So that a tag in a script or a title is taken for the text that it is.
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        let Ok(Token::StartTag(tag)) = token else { continue };
        let attribute: &[u8] = match &**tag.name {
            b"a" => b"href",
            b"img" => b"src",
            _ => continue,
        };
        let address = tag.attributes.get(attribute);
        let address = address.and_then(|text| str::from_utf8(text).ok());
        let url = address.and_then(|text| resolve(text, page));
        let Some(url) = url else { continue };
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
fn resolve(address: &str, page: &Url) -> Option<Url> {
    if address.trim().is_empty() || address.len() > LONGEST {
        return None; // an empty one is the page itself
    }
    let mut url = page.join(address).ok()?;
    url.set_fragment(None);
    let fits = url.scheme() == "http" && url.as_str().len() <= LONGEST;
    fits.then_some(url)
}
