//! Why a page could not be had.

use serde::{Deserialize, Serialize};
use std::io;
use std::time::SystemTime;
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
    /// In a few words, and when to ask again if the server said so.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Status { retry_after: Some(seconds), .. } => {
                format!("{self}, again in {seconds} s")
            }
            _ => self.to_string(),
        }
    }

    /// `wait` is the text of Retry-After, if there is one.
    pub(super) fn status(status: StatusCode, wait: Option<&str>) -> Self {
        Self::Status {
            status: status.as_u16(),
            reason: status.canonical_reason().unwrap_or("").to_owned(),
            retry_after: wait.and_then(|wait| seconds(wait, SystemTime::now())),
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

/// Retry-After has seconds or a date (RFC 9110, 10.2.3). A date that is over
/// means now.
fn seconds(text: &str, now: SystemTime) -> Option<u64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // So many that there is no number for them are a long time, too.
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let left = date.duration_since(now).unwrap_or_default();
    Some(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn retry_after_is_a_number_or_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT is the RFC's own example.
        let then = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let early = then - Duration::from_millis(2500);
        for (text, now, expected) in [
            ("0", then, Some(0)),
            (" 120 ", then, Some(120)),
            ("99999999999999999999", then, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", early, Some(3)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", then, Some(0)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", early, Some(3)),
            ("Sun Nov  6 08:49:37 1994", early, Some(3)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", then, Some(0)),
            ("-1", then, None),
            ("1.5", then, None),
            ("soon", then, None),
            ("", then, None),
        ] {
            assert_eq!(seconds(text, now), expected, "{text}");
        }
    }
}
