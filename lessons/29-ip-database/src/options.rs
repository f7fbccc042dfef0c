//! What can be chosen for this lesson.

use crate::addresses::MOST;
use crate::target::Target;
use shared::Stage;
use shared::client::{Discreet, nothing, service};

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Store in this database, sqlite://FILE or
    /// mysql://USER:PASSWORD@HOST/DATABASE, in place of a file that goes with
    /// the run; MYSQL_PWD may hold the password
    #[arg(long, value_name = "URL", value_parser = Discreet(Target::parse))]
    pub database: Option<Target>,
    /// Look up N addresses, 1 to 500
    #[arg(long, value_name = "N", default_value = "10", value_parser = count)]
    #[arg(allow_negative_numbers = true)]
    pub count: u16,
    /// Ask the service at URL, such as `http://ip-api.com/json/` or another, in
    /// place of the local site; two steps ask, one of them twice
    #[arg(long, value_name = "URL", value_parser = Discreet(service))]
    pub url: Option<String>,
    /// Whoever forgets `--database` gives its URL, which nobody is to read
    #[arg(hide = true, value_name = "ARGUMENT")]
    #[arg(value_parser = Discreet(nothing))]
    other: Vec<String>,
}

fn count(text: &str) -> Result<u16, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or_else(|| format!("give a whole number from 1 to {MOST}"))
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
