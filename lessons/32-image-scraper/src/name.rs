//! The name of a picture's file.

use percent_encoding::percent_decode_str;
use url::Url;

/// Of the part that the server chose, in bytes; a name may have 255.
const LONGEST: usize = 100;
const LONGEST_ENDING: usize = 5;

/// The name of the file for the picture at `url`. It depends on nothing else:
/// every process, in every run, comes to the same. What the server chose is
/// cut down to letters and digits, and says neither where the file is nor
/// whether it can be seen; eight digits of a hash tell apart what is alike.
pub fn file_name(url: &Url) -> String {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let last = percent_decode_str(last).decode_utf8_lossy();
    let (stem, ending) = match last.rsplit_once('.') {
        Some((stem, ending)) if is_ending(ending) => {
            (stem, format!(".{}", ending.to_ascii_lowercase()))
        }
        _ => (&*last, String::new()),
    };
    let plain = |c: char| match c.is_alphanumeric() || c == '-' {
        true => c,
        false => '_',
    };
    let mut stem: String = stem.chars().map(plain).collect();
    stem.truncate(stem.floor_char_boundary(LONGEST));
    let stem = match stem.trim_matches(['_', '-']) {
        "" => "picture",
        stem => stem,
    };
    let place = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let hash = blake3::hash(place.as_bytes()).to_hex();
    format!("{stem}-{}{ending}", &hash[..8])
}

fn is_ending(text: &str) -> bool {
    (1..=LONGEST_ENDING).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether [`file_name`] may have made this name. It never makes a path: what
/// stands in an index may have come from elsewhere.
pub fn is_of_a_picture(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let hash = stem.rsplit_once('-').map_or("", |(_, hash)| hash);
    hash.len() == 8
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !name.contains('/')
}
