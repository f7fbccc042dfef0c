//! Where it is copied from and to, and what becomes of a copy.

use crate::cannot::cannot;
use crate::{Options, sample};
use anyhow::{Context, Result, bail, ensure};
use shared::Stage;
use std::fs::{self, Metadata, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The steps that copy what `--from` names.
const WAYS: [&str; 2] = ["serially", "with_a_pool"];
/// A file in the temporary folder of the run: DIR of `--to` was made by it.
const MADE: &str = "made";

/// Where a step copies from and to.
pub struct Place {
    pub from: PathBuf,
    /// Not there yet.
    pub to: PathBuf,
    /// The file that says that what is in `to` is not worth keeping.
    begun: Option<PathBuf>,
}

impl Place {
    /// The folders of `--from` and `--to`, or else a sample.
    pub fn open(stage: &Stage, way: &str) -> Result<Self> {
        let Options { from, to } = stage.options();
        let folder = stage.folder()?;
        let run = folder.parent().context("the run has no folder")?;
        let (Some(from), Some(to)) = (from, to) else {
            let from = run.join("source");
            if !fs::exists(&from).map_err(cannot("look for", &from))? {
                // One for all steps of the run.
                let made = folder.join("source");
                sample::everything(&made, &mut stage.choices("sample"))?;
                fs::rename(&made, &from).map_err(cannot("rename", &made))?;
            }
            return Ok(Self { from, to: folder.join(way), begun: None });
        };
        let from = checked_source(from).with_context(|| {
            format!(
                "cannot copy from {from:?}; name a folder that you may read"
            )
        })?;
        let to = checked_target(to, &from, run).with_context(|| {
            format!(
                "cannot copy to {to:?}; name a folder that is missing or \
                 empty, and not in the source"
            )
        })?;
        let (to, begun) = (to.join(way), run.join(way));
        if begun.exists() || kept(&begun).exists() {
            remove_tree(&to)?; // this step is run again
        }
        fs::write(&begun, "").map_err(cannot("write", &begun))?;
        Ok(Self { from, to, begun: Some(begun) })
    }

    /// The copy is complete: from now on it is the user's.
    pub fn keep(self) -> Result<()> {
        if let Some(begun) = self.begun {
            let kept = kept(&begun);
            fs::rename(&begun, kept).map_err(cannot("rename", &begun))?;
        }
        Ok(())
    }
}

/// The folder for a step that copies a sample of its own; nothing if another
/// tree is to be copied.
pub fn of_a_sample(stage: &Stage) -> Result<Option<PathBuf>> {
    if stage.options::<Options>().from.is_some() {
        let why = "it has a sample of its own; leave out --from and --to";
        stage.cannot_show("this step", why);
        return Ok(None);
    }
    stage.folder().map(Some)
}

fn kept(begun: &Path) -> PathBuf {
    begun.with_extension("kept")
}

fn checked_source(from: &Path) -> Result<PathBuf> {
    let from = fs::canonicalize(from)?;
    fs::read_dir(&from)?;
    Ok(from)
}

/// The folder `to`, which is made if it is missing. What this run, whose own
/// folder is `run`, has put there does not count.
fn checked_target(to: &Path, from: &Path, run: &Path) -> Result<PathBuf> {
    let (to, missing) = match fs::canonicalize(to) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let name = to.file_name().context("it has no name")?;
            let parent = to.parent().filter(|path| *path != Path::new(""));
            let parent = fs::canonicalize(parent.unwrap_or(Path::new(".")))?;
            (parent.join(name), true)
        }
        to => (to?, false),
    };
    let id = |found: Metadata| (found.dev(), found.ino());
    let source = id(fs::metadata(from)?);
    let mut above = to.ancestors().filter_map(|path| path.metadata().ok());
    ensure!(above.all(|folder| id(folder) != source), "it is in the source");
    if missing {
        fs::write(run.join(MADE), "")?;
        fs::create_dir(&to)?;
        return Ok(to);
    }
    for entry in fs::read_dir(&to)? {
        let name = entry?.file_name();
        let of_this_run = WAYS.into_iter().any(|way| {
            let begun = run.join(way);
            name == way && (begun.exists() || kept(&begun).exists())
        });
        if !of_this_run {
            bail!("{name:?} is in it already");
        }
    }
    Ok(to)
}

/// When the lesson has ended, however it did: removes copies that are not
/// complete.
pub fn tidy(options: &Options, folder: &Path) -> Result<()> {
    if let Some(to) = &options.to {
        for way in WAYS {
            if folder.join(way).exists() {
                remove_tree(&to.join(way))?;
            }
        }
        if folder.join(MADE).exists() {
            let _ = fs::remove_dir(to); // unless there is a copy in it
        }
    }
    match folder.exists() {
        true => open_up(folder).map_err(cannot("open", folder)),
        false => Ok(()),
    }
}

/// Removes a tree, also folders in it that may not be written to.
fn remove_tree(tree: &Path) -> Result<()> {
    let removed = match fs::exists(tree) {
        Ok(true) => open_up(tree).and_then(|()| fs::remove_dir_all(tree)),
        other => other.map(drop),
    };
    removed.map_err(cannot("remove", tree))
}

fn open_up(folder: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}
