//! What can go wrong with a manager.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::process::error::SpawnError;

/// Why a manager did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// Its process could not be started.
    #[error("cannot start a manager")]
    Spawn(#[from] SpawnError),
    /// Its socket could not be made.
    #[error("cannot make a manager's socket in {path}")]
    Socket {
        /// Where it was to be.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The manager's process has ended: it was stopped, dropped or killed. What
    /// it kept is gone.
    #[error("the manager at {path} has ended, and what it kept is gone")]
    Gone {
        /// Where its socket is, or was.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The manager's process lives, but does not answer: it is stopped, or has
    /// too much to do.
    #[error(
        "the manager at {path} has not answered for {after:?}; the request may still be carried out"
    )]
    NoAnswer {
        /// Where its socket is.
        path: PathBuf,
        /// How long it was waited for.
        after: Duration,
    },
    /// This process has no descriptor left for a connection.
    #[error("cannot connect to the manager at {path}")]
    Connect {
        /// Where its socket is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The request, with its key and value, is larger than the manager takes.
    #[error(
        "a request of {bytes} bytes is more than the {limit} that the manager takes at a time"
    )]
    TooLarge {
        /// What it has, encoded.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// A list has no such place.
    #[error("there is no place {index} in a list of {len} items")]
    OutOfRange {
        /// The place asked for, from 0.
        index: usize,
        /// How many items there are.
        len: usize,
    },
    /// The handle is of another manager that used the same socket.
    #[error("the manager knows no such dict or list")]
    NoSuchObject,
    /// The manager could not read the request.
    #[error("the manager could not read the request")]
    Malformed,
    /// The manager's answer cannot be read.
    #[error("the manager's answer cannot be read")]
    Answer,
    /// A key or a value cannot be encoded.
    #[error("a key or a value cannot be encoded")]
    Encode(#[source] postcard::Error),
    /// A key or a value cannot be decoded: another type was put in, or
    /// `Serialize` and `Deserialize` do not agree.
    #[error(
        "a key or a value that the manager keeps is not of the type asked for"
    )]
    Decode(#[source] postcard::Error),
}
