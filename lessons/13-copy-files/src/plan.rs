//! What there is to copy.

use anyhow::{Context, Result};
use std::fs::{FileType, Metadata};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// All that is in a tree, sorted by name, each folder before what is in it.
pub struct Plan {
    pub from: PathBuf,
    pub folders: Vec<Item>,
    pub files: Vec<Item>,
    pub links: Vec<Item>,
    /// What is not copied, and of what kind it is: opening it could wait for
    /// ever, or do something.
    pub others: Vec<(PathBuf, &'static str)>,
}

pub struct Item {
    /// Below the root of the tree; of the root itself empty.
    pub path: PathBuf,
    pub found: Metadata,
}

impl Plan {
    pub fn of(from: &Path) -> Result<Self> {
        let mut plan = Self {
            from: from.to_path_buf(),
            folders: Vec::new(),
            files: Vec::new(),
            links: Vec::new(),
            others: Vec::new(),
        };
        for entry in WalkDir::new(from).sort_by_file_name() {
            let entry = entry.context(
                "cannot look into all of the source; see to it that you may",
            )?;
            let path = entry.path().strip_prefix(from)?.to_path_buf();
            let found = entry.metadata()?; // of a link its own
            let kind = found.file_type();
            let item = Item { path, found };
            match () {
                () if kind.is_dir() => plan.folders.push(item),
                () if kind.is_file() => plan.files.push(item),
                () if kind.is_symlink() => plan.links.push(item),
                () => plan.others.push((item.path, kind_name(kind))),
            }
        }
        Ok(plan)
    }
}

pub fn kind_name(kind: FileType) -> &'static str {
    match () {
        () if kind.is_fifo() => "fifo",
        () if kind.is_socket() => "socket",
        () => "device",
    }
}
