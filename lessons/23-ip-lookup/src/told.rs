//! How rows are told: each in a line, all in a table, or by their number.

use crate::row::{Place, Row};
use anyhow::ensure;
use shared::Stage;
use std::fmt;

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

impl Row {
    pub fn why_not(&self) -> Option<&str> {
        self.place.as_ref().err().map(String::as_str)
    }
}

/// How many rows have a city and a country.
pub fn complete(rows: &[Row]) -> usize {
    rows.iter().filter(|row| row.place.is_ok()).count()
}

/// The rows as a table. In two columns it fits everywhere.
pub fn table<'a>(stage: &Stage, rows: impl IntoIterator<Item = &'a Row>) {
    let cells = rows.into_iter().map(|row| {
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
    let (failed, all) = (rows.len() - complete(rows), rows.len());
    ensure!(
        failed == 0,
        "{failed} of {all} look-ups failed; their rows say why"
    );
    let why = "only the local site counts, and for its own 24 addresses";
    stage.cannot_show("how many at once", why);
    Ok(())
}
