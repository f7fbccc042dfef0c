//! The gallery that is scraped, and what the local site counts.

use crate::name::is_of_a_picture;
use crate::quiet::Quiet;
use anyhow::Context;
use serde::Deserialize;
use shared::Stage;
use shared::client::{Client, Limits};
use shared::site::{PICTURES, Plan, Site, picture};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Builder;
use url::Url;

/// Requests for robots.txt in a walk.
pub const ROBOTS_TXT: usize = 1;

pub struct Gallery {
    pub start: Url,
    /// How it is called where its pictures are kept: the port of the local
    /// site is another one in each run.
    pub label: String,
    pub limits: Limits,
    /// The first pause before something is asked for again.
    pub back_off: Duration,
    /// When it wants to be left alone.
    pub quiet: Quiet,
}

/// What the local site tells of itself.
#[derive(Deserialize)]
pub struct Counts {
    pub requests: usize,
    pub disallowed: usize,
}

impl Gallery {
    /// That of another site.
    pub fn at(stage: &Stage, start: &Url) -> shared::Result<Self> {
        let time = Duration::from_secs(20);
        Ok(Self {
            start: start.clone(),
            label: start.to_string(),
            limits: Limits { time, bytes: 16 << 20, redirects: 5 },
            back_off: stage.time(0.5),
            quiet: Quiet::new()?,
        })
    }

    /// That of a site of our own, which takes its time for each answer, and
    /// ends when it is dropped.
    pub fn local(stage: &Stage, plan: Plan) -> shared::Result<(Site, Self)> {
        Self::local_at(stage, plan, "/gallery/")
    }

    pub fn local_at(
        stage: &Stage,
        plan: Plan,
        path: &str,
    ) -> shared::Result<(Site, Self)> {
        // Painted once here, all sites have them.
        let _ = (1..=PICTURES).filter_map(picture).count();
        let site = Site::start(plan.latency(stage.time(0.08)))?;
        let start = Url::parse(&(site.url() + path))?;
        let label = format!("{path} of the local site");
        Ok((site, Self { label, ..Self::at(stage, &start)? }))
    }

    /// What the local site has counted.
    pub fn counts(&self) -> shared::Result<Counts> {
        let url = self.start.join("/stats")?;
        let stats = Client::new(self.limits).get(url.as_str()).context(
            "the local site does not tell its counts; run the lesson again",
        )?;
        Ok(serde_json::from_slice(&stats.body)?)
    }
}

/// Runs a future on this thread. A process that has done that must not fork.
pub fn run<F: Future>(future: F) -> shared::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.context("no runtime; raise the limit with `ulimit -n N`")?;
    Ok(runtime.block_on(future))
}

/// What is kept, beside what the local site has.
pub struct Kept {
    /// How many of its pictures are in a file, byte for byte.
    pub same: usize,
    /// The files of pictures that are there: names and hashes.
    pub files: Vec<String>,
    /// Those that are none of its pictures.
    pub others: Vec<String>,
}

/// Compares files with the pictures of the local site, which are computed
/// again, not asked for.
pub fn compare(folder: &Path) -> shared::Result<Kept> {
    let pictures: Vec<_> = (1..=PICTURES).filter_map(picture).collect();
    let (mut files, mut others) = (vec![], vec![]);
    let mut found = BTreeSet::new();
    for (file, bytes) in contents(folder)? {
        if is_of_a_picture(&file) {
            files.push(format!("{file} {}", blake3::hash(&bytes)));
            if !pictures.contains(&bytes.as_slice()) {
                others.push(file);
            }
            found.insert(bytes);
        }
    }
    let same = pictures.iter().filter(|bytes| found.contains(**bytes)).count();
    Ok(Kept { same, files, others })
}

/// All files of a folder, by name.
fn contents(folder: &Path) -> shared::Result<BTreeMap<String, Vec<u8>>> {
    let mut contents = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        contents.insert(name, fs::read(entry.path())?);
    }
    Ok(contents)
}

/// A number for all that is in a folder.
pub fn hash(folder: &Path) -> shared::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for (file, bytes) in contents(folder)? {
        hasher.update(format!("{file} {}\n", bytes.len()).as_bytes());
        hasher.update(&bytes);
    }
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}
