//! What can be chosen for this lesson, and the program without its lesson.

use crate::crew::Crew;
use crate::gallery::Gallery;
use crate::{scrape, sheet, store};
use anyhow::{Context, ensure};
use shared::Stage;
use shared::client::{Discreet, check_address, nothing};
use shared::site::Plan;
use std::path::{Path, PathBuf};
use url::Url;

#[derive(clap::Args)]
pub struct Options {
    /// Keep the pictures in DIR, which is missing, empty, or of an earlier run
    /// for the same gallery; in place of the steps. Without --url they are
    /// those of the local site
    #[arg(long, value_name = "DIR")]
    #[arg(conflicts_with_all = STEPS)]
    to: Option<PathBuf>,
    /// Scrape the gallery at URL, such as `http://example.com/gallery/`: its
    /// pages are those below that folder
    #[arg(long, value_name = "URL", requires = "to")]
    #[arg(value_parser = Discreet(http))]
    url: Option<Url>,
    /// Whoever forgets `--url` may give it with a password, which nobody is to
    /// read
    #[arg(hide = true, value_name = "ARGUMENT")]
    #[arg(value_parser = Discreet(nothing))]
    other: Vec<String>,
}

/// What is about the steps.
const STEPS: [&str; 7] =
    ["step", "walk", "runs", "hold", "svg", "perfetto", "no_timeline"];

impl Options {
    pub fn keeps(&self) -> bool {
        self.to.is_some()
    }
}

fn http(text: &str) -> Result<Url, String> {
    let wanted =
        "the first page of a gallery, as in http://example.com/gallery/";
    check_address(text, wanted)?;
    let url = Url::parse(text).map_err(|why| format!("{why}; give {wanted}"));
    let mut url = url?;
    url.set_fragment(None); // of the same page
    Ok(url)
}

/// When the lesson has ended, however it did.
pub fn tidy(options: &Options, _: &Path) -> shared::Result {
    options.to.iter().for_each(|to| store::tidy_after(to));
    Ok(())
}

/// Takes the place of the steps.
pub fn keep(stage: &Stage) -> shared::Result {
    let options = stage.options::<Options>();
    let to = options.to.as_ref().context("no folder")?;
    let (_site, gallery) = match &options.url {
        Some(url) => (None, Gallery::at(stage, url)?),
        None => {
            let (site, gallery) = Gallery::local(stage, Plan::new())?;
            (Some(site), gallery)
        }
    };
    let crew = Crew::of(stage);
    crew.parent.say(format!("walks {}", gallery.start));
    let haul = scrape(&crew, &gallery, to)?;
    ensure!(
        haul.pictures + haul.problems.len() > 0,
        "there is no picture on this host that robots.txt allows, and {} links \
         are forbidden; name the first page of a gallery",
        haul.forbidden
    );
    let main = &crew.parent;
    main.say(format!(
        "{} pages, {} pictures; {} fetched now, {:.1} MB",
        haul.pages,
        haul.pictures,
        haul.fetched,
        haul.bytes as f64 / 1e6
    ));
    let sheet = sheet::draw(to)?;
    main.say(format!("all of them: {}", sheet.display()));
    haul.show(stage);
    ensure!(
        haul.problems.is_empty(),
        "{} not had, the rows above say why; run it again: of the pictures \
         only these are fetched, and 404 will stay",
        haul.problems.len()
    );
    Ok(())
}
