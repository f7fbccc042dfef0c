//! Which addresses were seen before.

use std::collections::HashSet;
use url::Url;

/// Addresses, each once; not more than so many, whatever a site leads to.
pub struct Seen {
    urls: HashSet<Url>,
    /// How many more it takes.
    left: usize,
    /// Whether there was one more than it takes.
    pub full: bool,
}

impl Seen {
    pub fn new(most: usize) -> Self {
        Self { urls: HashSet::new(), left: most, full: false }
    }

    /// Whether this is a new one for which there is room.
    pub fn add(&mut self, url: &Url) -> bool {
        if self.urls.contains(url) {
            return false;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.full = true;
            return false;
        };
        self.left = left;
        self.urls.insert(url.clone());
        true
    }

    pub fn count(&self) -> usize {
        self.urls.len()
    }
}
