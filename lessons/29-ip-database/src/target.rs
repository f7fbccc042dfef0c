//! Which database, and how it is called where others may read it.

use crate::engine::Engine;
use anyhow::Context;
use sqlx::any::AnyConnectOptions;
use std::env;
use std::fmt::{self, Write};
use std::path::Path;

const ADVICE: &str = "give sqlite://FILE, or \
     mysql://USER:PASSWORD@HOST/DATABASE, where %40 is an @ and %2F a /";

/// A database that can be connected to.
#[derive(Clone)]
pub struct Target {
    pub engine: Engine,
    pub options: AnyConnectOptions,
    /// Without the password.
    shown: String,
}

impl Target {
    /// The database in that file, which is made if it is not there.
    ///
    /// # Errors
    /// When its name is no text.
    pub fn file(path: &Path) -> shared::Result<Self> {
        let name = path.to_str().map(|name| name.replace('%', "%25"));
        let target = name.and_then(|name| Self::sqlite(&name));
        target.with_context(|| {
            let path = path.display();
            format!("{path} is no name for SQLite; set TMPDIR to another place")
        })
    }

    /// What the URL says.
    ///
    /// # Errors
    /// What to give, if it can be none.
    pub fn parse(url: &str) -> Result<Self, String> {
        let file = url.strip_prefix("sqlite:");
        let target = match file {
            Some(file) => Self::sqlite(file.strip_prefix("//").unwrap_or(file)),
            None => Self::mysql(url),
        };
        target.ok_or_else(|| ADVICE.to_owned())
    }

    fn sqlite(file: &str) -> Option<Self> {
        let (name, how) = file.split_once('?').unwrap_or((file, "mode=rwc"));
        // One that is in memory is another one for each connection.
        let memory = name == ":memory:" || how.contains("memory");
        if name.is_empty() || memory {
            return None;
        }
        let path = std::path::absolute(name).ok()?;
        let url = format!("sqlite://{}?{how}", escaped(path.to_str()?));
        let options: AnyConnectOptions = url.parse().ok()?;
        let shown = format!("sqlite://{name}");
        Some(Self { engine: Engine::Sqlite, options, shown })
    }

    fn mysql(url: &str) -> Option<Self> {
        let mut options: AnyConnectOptions = url.parse().ok()?;
        let url = &mut options.database_url;
        let database = url.path().strip_prefix('/').unwrap_or_default();
        // A password with a character that should have been written as %40
        // or %2F makes a URL of another host, or of another database.
        let wrong = !["mysql", "mariadb"].contains(&url.scheme())
            || url.host_str().is_none_or(str::is_empty)
            || url.fragment().is_some()
            || database.is_empty()
            || database.contains(['@', '/', ':']);
        if wrong {
            return None;
        }
        if let (None, Ok(password)) = (url.password(), env::var("MYSQL_PWD")) {
            url.set_password(Some(&password)).ok()?;
        }
        let mut shown = url.clone();
        shown.set_password(None).ok()?;
        shown.set_query(None);
        let shown = shown.into();
        Some(Self { engine: Engine::MySql, options, shown })
    }
}

/// All but what stands for itself in a URL as %20 and the like.
fn escaped(path: &str) -> String {
    let mut escaped = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                escaped.push(char::from(byte));
            }
            b'/' | b'.' | b'_' | b'-' | b'%' => escaped.push(char::from(byte)),
            _ => write!(escaped, "%{byte:02X}").expect("a String takes all"),
        }
    }
    escaped
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}
