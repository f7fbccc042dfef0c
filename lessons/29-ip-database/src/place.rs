//! Where an address is, as a service tells it.

use serde::Deserialize;
use serde_json::error::Category;
use std::fmt;

/// Nothing that names a place is longer, in characters.
const LONGEST: usize = 200;

/// A place on earth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub city: String,
    pub country: String,
}

/// What the service says.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success { city: String, country: String },
    Fail { message: String },
}

impl Place {
    /// Where the service says that it is.
    ///
    /// # Errors
    /// In a few words, why it does not say so.
    pub fn read(answer: &[u8]) -> Result<Self, String> {
        let answer = serde_json::from_slice(answer);
        match answer.map_err(|error| why_unread(&error))? {
            Answer::Success { city, country } => {
                Ok(Self { city: plain(&city), country: plain(&country) })
            }
            Answer::Fail { message } => Err(plain(&message)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.city, self.country)
    }
}

fn why_unread(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data => {
            let why = error.to_string();
            plain(why.split(" at line ").next().unwrap_or(&why))
        }
        Category::Eof => "JSON that breaks off".to_owned(),
        Category::Syntax | Category::Io => "no JSON".to_owned(),
    }
}

/// Whoever answers may send anything: text that moves the cursor, or a
/// novel.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
