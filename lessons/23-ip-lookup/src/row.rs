//! A row of the table: an address, and what came of looking it up.

use anyhow::ensure;
use serde::Deserialize;
use serde_json::error::Category;
use shared::Stage;
use std::fmt;
use std::net::IpAddr;

/// No name of a city needs more characters.
const LONGEST: usize = 40;

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

    pub fn why_not(&self) -> Option<&str> {
        self.place.as_ref().err().map(String::as_str)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Ok(place) => write!(f, "{}: {place}", self.address),
            Err(why) => write!(f, "{}: {why}", self.address),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.city, self.country)
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
        Category::Data => plain(&error.to_string()),
        Category::Eof => "JSON that breaks off".to_owned(),
        Category::Syntax | Category::Io => "no JSON".to_owned(),
    }
}

/// Whoever answers may send anything: text that moves the cursor, or a
/// novel.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The rows as a table. In two columns it fits everywhere.
pub fn table(stage: &Stage, rows: &[Row]) {
    let cells = rows.iter().map(|row| {
        let told = match &row.place {
            Ok(place) => place.to_string(),
            Err(why) => format!("- {why}"),
        };
        [row.address.to_string(), told]
    });
    stage.table(["address", "city and country, or why not"], cells);
}

/// Of rows that somebody chose: whether all are complete.
///
/// # Errors
/// When one is not.
pub fn finish(stage: &Stage, rows: &[Row]) -> shared::Result {
    let (failed, all) = (rows.iter().filter_map(Row::why_not), rows.len());
    let failed = failed.count();
    ensure!(
        failed == 0,
        "{failed} of {all} look-ups failed; their rows say why"
    );
    let why = "only the local site counts, and for its own 24 addresses";
    stage.cannot_show("how many at once", why);
    Ok(())
}
