//! The list of pages that are to be fetched.

use crate::page::{self, Visit};
use anyhow::{Context, ensure};
use clap::value_parser;
use fluent_uri::Uri;
use shared::Stage;
use shared::client::{Client, Limits};
use shared::site::{Fault, Plan, Site};
use std::thread::available_parallelism;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Options {
    /// Fetch the pages to which the page at URL has links (same host only),
    /// such as http://example.com/
    #[arg(long, value_name = "URL", value_parser = http)]
    url: Option<String>,
    /// Fetch so many pages at most
    #[arg(long, value_name = "N", default_value_t = 12)]
    #[arg(value_parser = value_parser!(u16).range(1..=100))]
    pages: u16,
    /// Use so many workers [default: one for each core, but at least two]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = value_parser!(u16).range(1..=100))]
    workers: Option<u16>,
}

fn http(url: &str) -> Result<String, &'static str> {
    let host = |url: &Uri<&str>| Some(url.authority()?.host().to_owned());
    let parsed = Uri::parse(url).ok();
    let whole = parsed.is_some_and(|url| {
        url.scheme().as_str() == "http"
            && host(&url).is_some_and(|host| !host.is_empty())
    });
    let asked =
        "give the address of a page, as in http://127.0.0.1:8000/pages/";
    whole.then(|| url.to_owned()).ok_or(asked)
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
        let most = usize::from(options.pages);
        let addresses = page::links(&Client::new(limits), &url, most);
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
        let workers = options.workers.map_or(cores, usize::from);
        let workers = workers.min(addresses.len());
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

    /// How many pages have no result, or more than one.
    pub fn without_one_result(&self, visits: &[Visit]) -> usize {
        let wrong = self.addresses.iter().filter(|address| {
            let of = |visit: &&Visit| visit.address == **address;
            visits.iter().filter(of).count() != 1
        });
        wrong.count()
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
