//! The list of pages that are to be fetched.

use crate::page::{self, Visit};
use anyhow::{Context, ensure};
use fluent_uri::Uri;
use shared::Stage;
use shared::client::{Client, Limits};
use shared::site::{Fault, Plan, Site};
use std::thread::available_parallelism;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Options {
    /// Fetch the pages to which the page at URL has links (same host only),
    /// such as `http://example.com/`
    #[arg(long, value_name = "URL", value_parser = http)]
    url: Option<String>,
    /// Fetch N pages at most, 1 to 100; the site of this machine has 24
    #[arg(long, value_name = "N", default_value = "12")]
    #[arg(value_parser = number, allow_negative_numbers = true)]
    pages: usize,
    /// Use N workers, 1 to 100 [default: one for each core, at least two]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = number, allow_negative_numbers = true)]
    workers: Option<usize>,
}

fn number(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=100).contains(n));
    number.ok_or_else(|| "give a whole number from 1 to 100".to_owned())
}

fn http(url: &str) -> Result<String, String> {
    let parsed = Uri::parse(url).ok();
    let scheme = parsed.as_ref().map(|url| url.scheme().as_str());
    let server = parsed.as_ref().and_then(|url| url.authority());
    let server = server.filter(|server| !server.host().is_empty());
    let problem = match (scheme, server.map(|server| server.port_to_u16())) {
        (Some("https"), _) => "only http is spoken here, not https",
        (Some("http"), Some(Ok(None | Some(1..)))) => {
            return Ok(url.to_owned());
        }
        (Some("http"), Some(_)) => "a port is a number from 1 to 65535",
        _ => "that is not the address of a page",
    };
    Err(format!("{problem}; give one as in http://127.0.0.1:8000/pages/"))
}

/// The addresses of pages, and who is to fetch them.
pub struct List<'a> {
    stage: &'a Stage,
    /// Whether the pages are those of a site of our own.
    pub ours: bool,
    pub addresses: Vec<String>,
    pub workers: usize,
    pub limits: Limits,
}

impl<'a> List<'a> {
    /// Reads it from the page of `--url`, or else from that of a site of our
    /// own, in which these pages are wrong. The site ends when it is dropped.
    pub fn read(
        stage: &'a Stage,
        wrong: impl IntoIterator<Item = (String, Fault)>,
    ) -> shared::Result<(Option<Site>, Self)> {
        let options = stage.options::<Options>();
        let (site, url) = match &options.url {
            Some(url) => (None, url.clone()),
            None => {
                let plan = Plan::new().latency(stage.time(0.3));
                let plan = wrong
                    .into_iter()
                    .fold(plan, |plan, (path, fault)| plan.fault(&path, fault));
                let site = Site::start(plan)?;
                let url = site.url() + "/pages/";
                (Some(site), url)
            }
        };
        let time = stage.time(5.0).max(Duration::from_secs(5));
        let limits = Limits { time, ..Limits::default() };
        let addresses = page::links(&Client::new(limits), &url, options.pages);
        let addresses = addresses.with_context(|| {
            format!(
                "cannot read the list of pages at {url}; name another by --url"
            )
        })?;
        ensure!(
            !addresses.is_empty(),
            "no link at {url} leads to a page of the same host; \
             name another page by --url"
        );
        let cores = available_parallelism()?.get().max(2);
        let workers = options.workers.unwrap_or(cores).min(addresses.len());
        let ours = site.is_some();
        Ok((site, Self { stage, ours, addresses, workers, limits }))
    }

    /// The pages of which there is no result, in short.
    pub fn not_in(&self, visits: &[Visit]) -> Vec<&str> {
        let missing = self.addresses.iter().filter(|address| {
            visits.iter().all(|visit| visit.address != **address)
        });
        missing.map(|address| short(address)).collect()
    }

    /// How many pages have one result, neither none nor more.
    pub fn with_one_result(&self, visits: &[Visit]) -> usize {
        let right = self.addresses.iter().filter(|address| {
            let of = |visit: &&Visit| visit.address == **address;
            visits.iter().filter(of).count() == 1
        });
        right.count()
    }

    /// Prints a table of the pages, in the order of the list.
    pub fn show(&self, visits: &[Visit]) {
        let found = self.addresses.iter().filter_map(|address| {
            visits.iter().find(|visit| visit.address == *address)
        });
        let rows = found.map(|visit| {
            let (title, bytes) = match &visit.page {
                Ok(page) => (page.title.clone(), page.bytes.to_string()),
                Err(problem) => (format!("({problem})"), String::new()),
            };
            [short(&visit.address).to_owned(), bytes, title]
        });
        self.stage.table(["page", "bytes", "title"], rows);
    }
}

/// Whose results these are, in the order in which they came.
pub fn addresses(visits: &[Visit]) -> Vec<&str> {
    visits.iter().map(|visit| short(&visit.address)).collect()
}

/// An address without its host, which is that of all the others.
pub fn short(address: &str) -> &str {
    let path = address.match_indices('/').nth(2);
    path.map_or(address, |(at, _)| &address[at..])
}
