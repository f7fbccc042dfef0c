//! What an error says to whoever is to mend it.

use anyhow::{Error, anyhow};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Tells what was tried, on what, what to do, and why it failed. A name is
/// shown as Rust writes it, since it may hold anything.
pub fn cannot<E: Into<Error>>(
    what: &str,
    path: &Path,
) -> impl FnOnce(E) -> Error {
    move |error| {
        let error = error.into();
        let kind = error.downcast_ref().map(io::Error::kind);
        let advice = match kind.unwrap_or(ErrorKind::Other) {
            ErrorKind::PermissionDenied => "ask its owner, or leave it out",
            ErrorKind::NotFound => "let nobody remove it meanwhile",
            ErrorKind::ResourceBusy => "copy it when nobody writes to it",
            ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::FileTooLarge => "make room, or copy to elsewhere",
            _ => "mend that and run it again",
        };
        anyhow!("cannot {what} {path:?}; {advice}: {error:#}")
    }
}
