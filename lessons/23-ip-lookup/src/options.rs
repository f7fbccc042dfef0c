//! What can be chosen for this lesson.

use shared::client::{Discreet, service};
use std::path::PathBuf;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Ask the service at URL, such as `http://ip-api.com/json/` or another, in
    /// place of the local site; each of three steps asks for all addresses
    #[arg(long, value_name = "URL", value_parser = Discreet(service))]
    pub url: Option<String>,
    /// Look up the addresses in FILE, one a line
    #[arg(long, value_name = "FILE")]
    pub addresses: Option<PathBuf>,
}
