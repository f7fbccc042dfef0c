//! What can be chosen for this lesson.

use std::path::PathBuf;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Ask the service at URL, such as `http://ip-api.com/json/` or another, in
    /// place of the local site; each of three steps asks for all addresses
    #[arg(long, value_name = "URL", value_parser = base)]
    pub url: Option<String>,
    /// Look up the addresses in FILE, one a line
    #[arg(long, value_name = "FILE")]
    pub addresses: Option<PathBuf>,
}

/// What an address can be added to.
fn base(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let port = host.rsplit_once(':').filter(|_| !host.ends_with(']'));
    let strange = |c: char| c.is_whitespace() || c.is_control();
    let wrong = host.is_empty()
        || port.is_some_and(|(_, port)| port.parse::<u16>().is_err())
        || text.contains(['?', '#'])
        || text.contains(strange);
    if !wrong {
        return Ok(format!("{}/", text.trim_end_matches('/')));
    }
    let https = match text.starts_with("https://") {
        true => "https is not spoken here; ",
        false => "",
    };
    Err(format!(
        "{https}give the address of a service to which an IP address can be \
         added, such as http://ip-api.com/json/"
    ))
}
