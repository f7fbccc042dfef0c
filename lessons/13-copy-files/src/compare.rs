//! Whether a copy is the same as its source.

use crate::place::Place;
use crate::tree::Tree;
use shared::Track;

/// Reads source and copy again, every byte of them: which files have other
/// bytes, and what else is another. A copy that is the same is kept.
pub fn compare(
    track: &Track,
    place: Place,
) -> shared::Result<(Vec<String>, Vec<String>)> {
    let (source, copy) = (Tree::read(&place.from)?, Tree::read(&place.to)?);
    for (name, tree) in [("source", &source), ("copy", &copy)] {
        track.note(&format!("hash of the {name}"), tree.hash());
        track.record(&format!("bytes of the {name}"), tree.hash_of_bytes());
        track.record(&format!("rest of the {name}"), tree.hash_of_the_rest());
    }
    let (bytes, other) = (source.other_bytes(&copy), source.others(&copy));
    if bytes.is_empty() && other.is_empty() {
        place.keep()?;
    }
    Ok((bytes, other))
}
