//! What a file is besides its bytes.

use crate::copy::Copy;
use crate::place::of_a_sample;
use crate::plan::{Plan, kind_name};
use crate::sample;
use shared::Stage;
use shared::lesson::{at_most, equals};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use walkdir::WalkDir;

/// A name that is no text, a file of holes, a link to nowhere. What becomes of
/// them?
///
/// - [x] they are copied as they are, and the holes as holes
/// - [ ] they are copied, and the holes become bytes on the disk
/// - [ ] the name and the link are refused
pub fn more_than_bytes(stage: &Stage) -> shared::Result {
    let Some(folder) = of_a_sample(stage)? else { return Ok(()) };
    let (from, to) = (folder.join("source"), folder.join("copy"));
    sample::odd_ones(&from, &mut stage.choices("sample"))?;
    let (copier, plan) = (stage.track("copier"), Plan::of(&from)?);
    let copy = Copy::begin(&plan, &to)?;
    for number in 0..plan.files.len() {
        copy.file_told(number, &copier)?;
    }
    copy.finish()?;
    let mut rows = Vec::new();
    for entry in WalkDir::new(&from).min_depth(1).max_depth(1) {
        let name = entry?.file_name().to_os_string();
        let [there, here] = [&from, &to].map(|tree| look(&tree.join(&name)));
        let name = format!("{name:?}");
        copier.record(&name, vec![there.clone(), here.clone()]);
        rows.push([shortened(&name), there, here]);
    }
    rows.sort();
    stage.table(["name", "source", "copy"], rows);

    let there = |name: &str| fs::symlink_metadata(from.join(name));
    let here = |name: &str| fs::symlink_metadata(to.join(name));
    let no_text = to.join(OsStr::from_bytes(sample::NO_TEXT)).exists();
    stage.claim("the name that is no text: there", no_text, equals(true));
    let (source, copied) = (there("holes")?.blocks(), here("holes")?.blocks());
    if source * 512 < sample::HOLES / 2 {
        let times = copied as f64 / source as f64;
        let text = "the file of holes: its blocks, as a part of the source's";
        stage.claim(text, times, at_most(2.0));
    } else {
        stage.cannot_show("a file of holes", "the file system fills them");
    }
    let led = |tree: &Path| -> io::Result<Vec<_>> {
        let links = plan.links.iter().map(|link| tree.join(&link.path));
        links.map(fs::read_link).collect()
    };
    stage.claim("links: to where they led", led(&to)?, equals(led(&from)?));
    let modes = |look: &dyn Fn(&str) -> io::Result<Metadata>| {
        ["program", "locked", "locked/read only"]
            .map(|name| look(name).map(|found| as_ls(&found)).ok())
    };
    stage.claim(
        "permissions: as they were",
        modes(&here),
        equals(modes(&there)),
    );
    stage.claim("the fifo: not copied", here("fifo").is_ok(), equals(false));
    Ok(())
}

/// What somebody sees of it.
fn look(path: &Path) -> String {
    let Ok(found) = fs::symlink_metadata(path) else { return "-".to_owned() };
    let (kind, rights) = (found.file_type(), as_ls(&found));
    if let Ok(target) = fs::read_link(path) {
        return format!("link to {target:?}");
    }
    if kind.is_dir() {
        return format!("folder {rights}");
    }
    if !kind.is_file() {
        return kind_name(kind).to_owned();
    }
    let kib = |bytes: u64| format!("{} KiB", bytes >> 10);
    match found.len() {
        bytes if bytes < 1 << 10 => format!("{rights} {bytes} bytes"),
        bytes => format!(
            "{rights} {}, {} on the disk",
            kib(bytes),
            kib(found.blocks() * 512)
        ),
    }
}

/// Its permissions, as ls(1) shows them.
fn as_ls(found: &Metadata) -> String {
    let shown = |(place, letter)| match found.mode() >> (8 - place) & 1 {
        1 => letter,
        _ => '-',
    };
    "rwxrwxrwx".chars().enumerate().map(shown).collect()
}

/// At most as long as is good for a table.
fn shortened(name: &str) -> String {
    match name.len() {
        ..=20 => name.to_owned(),
        long => format!("{}...\" ({} bytes)", &name[..4], long - 2),
    }
}
