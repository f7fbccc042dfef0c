//! What can be chosen for this lesson, and the program without its lesson.

use crate::crew::Crew;
use crate::gallery::Gallery;
use crate::{scrape, sheet, store};
use anyhow::{Context, ensure};
use shared::Stage;
use shared::site::Plan;
use std::path::{Path, PathBuf};
use url::{ParseError, Url};

#[derive(clap::Args)]
pub struct Options {
    /// Keep the pictures in DIR, which is missing, empty, or of an earlier run
    /// for the same gallery; in place of the steps. Without --url they are
    /// those of the local site
    #[arg(long, value_name = "DIR")]
    #[arg(conflicts_with_all = ["step", "walk", "svg", "perfetto"])]
    to: Option<PathBuf>,
    /// Scrape the gallery at URL, such as `http://example.com/gallery/`: its
    /// pages are those below that folder
    #[arg(long, value_name = "URL", value_parser = http, requires = "to")]
    url: Option<Url>,
}

impl Options {
    pub fn keeps(&self) -> bool {
        self.to.is_some()
    }
}

fn http(text: &str) -> Result<Url, String> {
    let example = "give one as in http://example.com/gallery/";
    let url = Url::parse(text).map_err(|why| match why {
        ParseError::RelativeUrlWithoutBase => {
            format!("it does not begin with http://; {example}")
        }
        why => format!("{why}; {example}"),
    })?;
    // It would stand in the index, with every picture.
    let named = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        "http" if named => Err(format!("leave out who you are; {example}")),
        "http" => Ok(url),
        "https" => Err(format!("https is not spoken here; {example}")),
        _ => Err(format!("that is not the address of a page; {example}")),
    }
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
        Some(url) => (None, Gallery::at(stage, url)),
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
        "no page has a picture; name the first page of a gallery"
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
        "{} not had, the rows above say why; run it again to ask for these \
         alone",
        haul.problems.len()
    );
    Ok(())
}
