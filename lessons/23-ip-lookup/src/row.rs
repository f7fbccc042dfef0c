//! A row of the table: an address, and what came of looking it up.

use serde::Deserialize;
use serde_json::error::Category;
use std::net::IpAddr;

/// Nothing that is worth a row needs more characters.
const LONGEST: usize = 60;

pub struct Row {
    pub address: IpAddr,
    /// Where it is, or why nobody knows.
    pub place: Result<Place, String>,
}

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

impl Row {
    pub fn of(address: IpAddr) -> Self {
        Self { address, place: Err("not asked".to_owned()) }
    }
}

impl Place {
    /// Where the service says that it is.
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
