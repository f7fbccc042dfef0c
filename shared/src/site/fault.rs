//! The ways in which an answer can be wrong.

use std::fmt;
use std::str::FromStr;

/// What is wrong with an answer.
///
/// As text, as in `?fault=cut` or [`Plan::fault`](super::Plan::fault):
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `404`: there is no such page.
    NotFound,
    /// `429`: too many requests; Retry-After says when to come again.
    TooMany,
    /// `500`: the server failed.
    Failed,
    /// `silent`: the request is taken, and never answered.
    Silent,
    /// `closed`: the connection is closed without an answer.
    Closed,
    /// `cut`: the connection is closed half-way through the answer.
    Cut,
    /// `length`: Content-Length promises more than ever comes, and the
    /// connection stays open.
    Length,
    /// `drip`: a few bytes at a time, so that something always comes and the
    /// whole takes very long.
    Drip,
    /// `garbled`: a text that stops in the middle, and says that it is whole.
    Garbled,
    /// `html`: an HTML page with status 200, whatever was asked for.
    Html,
    /// `bare`: JSON that says that all is well, and nothing else, with status
    /// 200.
    Bare,
    /// `redirect`: go elsewhere; and there again, without end.
    Redirect,
    /// `huge`: an answer of 1 GiB.
    Huge,
}

/// All faults with their names.
const NAMES: [(&str, Fault); 13] = [
    ("404", Fault::NotFound),
    ("429", Fault::TooMany),
    ("500", Fault::Failed),
    ("silent", Fault::Silent),
    ("closed", Fault::Closed),
    ("cut", Fault::Cut),
    ("length", Fault::Length),
    ("drip", Fault::Drip),
    ("garbled", Fault::Garbled),
    ("html", Fault::Html),
    ("bare", Fault::Bare),
    ("redirect", Fault::Redirect),
    ("huge", Fault::Huge),
];

impl Fault {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(_, fault)| fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMES.iter().find(|(_, fault)| fault == self);
        f.pad(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, fault)| *fault).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name).join(", ");
            format!("there is no fault `{text}`; there are {names}")
        })
    }
}
