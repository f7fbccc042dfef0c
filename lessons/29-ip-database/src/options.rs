//! What can be chosen for this lesson.

use crate::addresses::MOST;
use crate::target::{Target, TargetParser};
use shared::Stage;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Store in this database, sqlite://FILE or
    /// mysql://USER:PASSWORD@HOST/DATABASE, in place of a file that goes with
    /// the run; MYSQL_PWD may hold the password
    #[arg(long, value_name = "URL", value_parser = TargetParser)]
    pub database: Option<Target>,
    /// Look up N addresses, 1 to 500
    #[arg(long, value_name = "N", default_value = "10", value_parser = count)]
    #[arg(allow_negative_numbers = true)]
    pub count: u16,
    /// Ask the service at URL, such as `http://ip-api.com/json/` or another, in
    /// place of the local site; two steps ask, one of them twice
    #[arg(long, value_name = "URL", value_parser = base)]
    pub url: Option<String>,
}

fn count(text: &str) -> Result<u16, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or_else(|| format!("give a whole number from 1 to {MOST}"))
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

/// Says of a step that it does not use what was chosen, if anything was.
pub fn has_its_own(stage: &Stage) {
    let options: &Options = stage.options();
    let why = "this step has its own";
    if options.url.is_some() {
        stage.cannot_show("the service of --url", why);
    }
    if options.database.is_some() {
        stage.cannot_show("the database of --database", why);
    }
}
