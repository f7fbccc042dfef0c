//! Why a database did not do what it was asked for.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::mysql::MySqlDatabaseError;
use std::fmt;
use std::time::Duration;
use tokio::time::timeout;

/// The longest that a database may take for anything. It is never reached by
/// one that works, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The longest that a pool may take for a connection: it asks again and again.
pub const TO_CONNECT: Duration = Duration::from_secs(5);

/// Error numbers of MySQL and MariaDB.
const NO_SUCH_DATABASE: u16 = 1049;
/// To use a database; to do this or that in a table of it.
const DENIED: [u16; 2] = [1044, 1142];
/// In the column's character set. MySQL has no SQLSTATE for it.
const NO_SUCH_CHARACTER: u16 = 1366;

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    Late,
    Said(sqlx::Error),
}

/// What `asked` comes to; [`Trouble::Late`] after [`PATIENCE`].
///
/// # Errors
/// [`Trouble`]
pub async fn in_time<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Trouble> {
    let answer = timeout(PATIENCE, asked).await;
    answer.map_err(|_| Trouble::Late)?.map_err(Trouble::Said)
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use sqlx::Error::{
            Configuration, Database, Io, PoolTimedOut, Protocol,
        };
        match self {
            Self::Late => {
                write!(f, "no answer within {} s", PATIENCE.as_secs())
            }
            Self::Said(PoolTimedOut) => {
                write!(f, "no connection within {} s", TO_CONNECT.as_secs())
            }
            Self::Said(Io(error)) => error.fmt(f),
            Self::Said(Configuration(error)) => error.fmt(f),
            Self::Said(Protocol(error)) => f.write_str(error),
            Self::Said(Database(error)) => f.write_str(error.message()),
            Self::Said(error) => error.fmt(f),
        }
    }
}

impl Trouble {
    /// Whether it is about a value: another row may do.
    pub fn is_of_a_row(&self) -> bool {
        let Some(error) = self.said() else { return false };
        let kind = error.kind();
        let check = [ErrorKind::CheckViolation, ErrorKind::NotNullViolation];
        // SQLSTATE: class 22 is data, 23 a constraint.
        let state = error.code().filter(|code| code.len() == 5);
        check.contains(&kind)
            || self.number() == Some(NO_SUCH_CHARACTER)
            || state.is_some_and(|state| {
                state.starts_with("22") || state.starts_with("23")
            })
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        use sqlx::Error::{ColumnDecode, Configuration, Protocol};
        match self {
            Self::Said(Configuration(_)) => return "correct the URL",
            Self::Said(ColumnDecode { .. }) => {
                return "rename or drop the table ips, which is another one";
            }
            Self::Said(Protocol(_)) => return "see what listens there",
            _ => {}
        }
        let code = self.said().and_then(DatabaseError::code);
        let code = code.unwrap_or_default();
        match (code.len(), code.as_ref()) {
            (0, _) => "see whether its server runs and is to be reached",
            (5, "28000") => "correct user or password in --database",
            (5, _) if self.number() == Some(NO_SUCH_DATABASE) => {
                "create it, or name another one"
            }
            (5, _) if self.number().is_some_and(|n| DENIED.contains(&n)) => {
                "grant it to this user, or name another database"
            }
            (5, "08004") => "wait until others have disconnected",
            (5, _) => "mend that and run it again",
            (_, code) => match code.parse::<u32>().unwrap_or(0) & 0xff {
                5 | 6 => "wait until the other program is done with it",
                8 => "let it be written to, or name another file",
                10 | 13 => "make room, or name a file elsewhere",
                11 | 26 => "name another file",
                14 => "name a file that can be made and written to",
                _ => "mend that and run it again",
            },
        }
    }

    /// What MySQL and MariaDB number it, which says more than SQLSTATE.
    fn number(&self) -> Option<u16> {
        let error = self.said()?.try_downcast_ref::<MySqlDatabaseError>()?;
        Some(error.number())
    }

    fn said(&self) -> Option<&dyn DatabaseError> {
        match self {
            Self::Said(error) => error.as_database_error(),
            Self::Late => None,
        }
    }
}
