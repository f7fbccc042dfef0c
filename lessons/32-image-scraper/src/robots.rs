//! Where no robot is to go: robots.txt, as RFC 9309 has it.

use serde::{Deserialize, Serialize};
use url::{Position, Url};

/// How this robot is called, in robots.txt and in each request.
pub const NAME: &str = "image-scraper";
/// A longer text is not read to its end.
const LONGEST: usize = 512 << 10;

/// The rules for this robot. Kept is what RFC 9309 asks for: groups, this
/// robot's own before those of `*`, the longest rule, `*` and `$` in rules, and
/// that one address can be written in several ways.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Robots(Vec<Rule>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Rule {
    allow: bool,
    path: String,
}

impl Robots {
    pub fn read(text: &[u8]) -> Self {
        let text = &text[..text.len().min(LONGEST)];
        let text = String::from_utf8_lossy(text);
        // Some programs mark a text as UTF-8 by a character before it.
        let text = text.trim_start_matches('\u{feff}');
        let (mut own, mut all) = (None, None);
        let (mut for_own, mut for_all, mut in_rules) = (false, false, true);
        for line in text.split(['\n', '\r']) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            let allow = match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    if in_rules {
                        (for_own, for_all, in_rules) = (false, false, false);
                    }
                    for_all |= value == "*";
                    for_own |= value.eq_ignore_ascii_case(NAME);
                    continue;
                }
                "allow" => true,
                "disallow" => false,
                _ => continue,
            };
            in_rules = true;
            let rule = Rule { allow, path: in_one_way(value) };
            for (group, is_for) in [(&mut own, for_own), (&mut all, for_all)] {
                if is_for {
                    let rules = group.get_or_insert_with(Vec::new);
                    // An empty rule says nothing.
                    rules.extend(
                        Some(rule.clone()).filter(|_| !value.is_empty()),
                    );
                }
            }
        }
        Self(own.or(all).unwrap_or_default())
    }

    /// Whether this robot may fetch `url`: the longest rule that fits decides,
    /// and of two the friendly one.
    pub fn allow(&self, url: &Url) -> bool {
        let path = in_one_way(&url[Position::BeforePath..Position::AfterQuery]);
        let fitting = self.0.iter().filter(|rule| rule.fits(&path));
        let rule = fitting.max_by_key(|rule| (rule.path.len(), rule.allow));
        rule.is_none_or(|rule| rule.allow)
    }
}

impl Rule {
    /// A rule is the beginning of a path; `*` stands for anything, `$` for the
    /// end.
    fn fits(&self, path: &str) -> bool {
        let (rule, to_the_end) = match self.path.strip_suffix('$') {
            Some(rule) => (rule, true),
            None => (self.path.as_str(), false),
        };
        let mut parts = rule.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = path.strip_prefix(first) else { return false };
        let mut last = None;
        for part in parts {
            // The earliest place leaves most room for the others.
            if let Some(before) = last.replace(part) {
                let Some(at) = rest.find(before) else { return false };
                rest = &rest[at + before.len()..];
            }
        }
        match (last, to_the_end) {
            (None, to_the_end) => !to_the_end || rest.is_empty(),
            (Some(last), true) => rest.ends_with(last),
            (Some(last), false) => rest.contains(last),
        }
    }
}

/// Of the ways in which a path can be written the one of RFC 9309, 2.2.2: in
/// `%` and two digits is what a URL cannot have, and no letter or digit.
fn in_one_way(path: &str) -> String {
    let mut written = String::new();
    let mut rest = path.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let (byte, encoded);
        (byte, encoded, rest) = match others {
            [high, low, later @ ..] if first == b'%' => {
                match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => (high << 4 | low, true, later),
                    _ => (first, false, others),
                }
            }
            _ => (first, false, others),
        };
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let reserved = b":/?#[]@!$&'()*+,;=%".contains(&byte);
        match plain || (reserved && !encoded) {
            true => written.push(byte.into()),
            false => written += &format!("%{byte:02X}"),
        }
    }
    written
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}
