//! Why a page could not be had.

use serde::{Deserialize, Serialize};
use std::io;
use thiserror::Error;
use ureq::http::StatusCode;

/// Why a page could not be had. As text: a few words for a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error, Serialize, Deserialize)]
pub enum Failure {
    /// No whole answer came in time.
    #[error("no answer in time")]
    Timeout,
    /// The server answered that it cannot, or will not.
    #[error("{status} {reason}")]
    Status {
        /// 404, say.
        status: u16,
        /// What that means.
        reason: String,
        /// The seconds after which to ask again, if it said so (Retry-After).
        retry_after: Option<u64>,
    },
    /// More came than was wanted, in bytes.
    #[error("more than {0} bytes")]
    TooLarge(u64),
    /// The server sent the client on and on.
    #[error("too many redirects")]
    Redirects,
    /// The server sent the client on to `https://`.
    #[error("sent on to https, which is not spoken here")]
    Https,
    /// The server sent the client on to where it may not go.
    #[error("sent on to {0}, where it may not go")]
    Astray(String),
    /// Nobody listens there.
    #[error("nobody listens there")]
    Refused,
    /// The connection ended before the answer did.
    #[error("the connection ended early")]
    Cut,
    /// There is no such host.
    #[error("there is no such host")]
    Host,
    /// That is no address of a page that can be asked for.
    #[error("not an http:// address: {0}")]
    Url(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    pub(super) fn status(status: StatusCode, retry_after: Option<u64>) -> Self {
        Self::Status {
            status: status.as_u16(),
            reason: status.canonical_reason().unwrap_or("").to_owned(),
            retry_after,
        }
    }

    pub(super) fn of(error: ureq::Error, url: &str) -> Self {
        use ureq::Error::{
            BadUri, BodyExceedsLimit, ConnectionFailed, HostNotFound, Http, Io,
            RequireHttpsOnly, Timeout, TlsRequired, TooManyRedirects,
        };
        match error {
            Timeout(_) => Self::Timeout,
            BodyExceedsLimit(limit) => Self::TooLarge(limit),
            TooManyRedirects => Self::Redirects,
            ConnectionFailed => Self::Refused,
            HostNotFound => Self::Host,
            // What was asked for is `http://`: it was sent on.
            TlsRequired => Self::Https,
            BadUri(_) | Http(_) | RequireHttpsOnly(_) => {
                Self::Url(url.to_owned())
            }
            Io(error) => Self::of_system(&error),
            error => Self::Other(error.to_string()),
        }
    }

    pub(super) fn of_system(error: &io::Error) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset,
            TimedOut, UnexpectedEof, WouldBlock,
        };
        match error.kind() {
            ConnectionRefused => Self::Refused,
            TimedOut | WouldBlock => Self::Timeout,
            BrokenPipe | ConnectionAborted | ConnectionReset
            | UnexpectedEof => Self::Cut,
            _ => Self::Other(error.to_string()),
        }
    }
}
