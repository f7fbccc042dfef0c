//! What a tree is, read again from the disk: to be compared with another.

use crate::cannot::cannot;
use crate::copy::kept_bits;
use anyhow::{Context, Result};
use blake3::{Hash, Hasher};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Folders, files and links, by their path below the root.
pub struct Tree(BTreeMap<PathBuf, Entry>);

struct Entry {
    found: Metadata,
    /// Of a file, the hash of what is in it.
    bytes: Option<Hash>,
    /// Of a link, where it leads.
    target: Option<PathBuf>,
}

/// So many names are shown of those that differ.
const SHOWN: usize = 3;
/// The part of a mode that says what it is (inode(7)).
const KIND: u32 = 0o170_000;

impl Tree {
    pub fn read(root: &Path) -> Result<Self> {
        let mut entries = BTreeMap::new();
        for entry in WalkDir::new(root) {
            let entry = entry.context(
                "cannot look into all of the tree; see to it that you may",
            )?;
            let entry_path = entry.path();
            let read = Entry::read(entry_path, entry.metadata()?);
            let read = read.map_err(cannot("read", entry_path))?;
            let path = entry_path.strip_prefix(root)?.to_path_buf();
            entries.extend(read.map(|read| (path, read)));
        }
        Ok(Self(entries))
    }

    /// Files of both trees with other bytes in them.
    pub fn other_bytes(&self, copy: &Self) -> Vec<String> {
        self.differing(copy, |one, other| match (one, other) {
            (Some(one), Some(other)) => one.bytes == other.bytes,
            _ => true,
        })
    }

    /// What is in one of the trees only, or is something else there.
    pub fn others(&self, copy: &Self) -> Vec<String> {
        self.differing(copy, |one, other| match (one, other) {
            (Some(one), Some(other)) => one.alike(other),
            _ => false,
        })
    }

    /// What is in one of the trees only.
    pub fn unpaired(&self, copy: &Self) -> Vec<String> {
        self.differing(copy, |one, other| one.is_some() == other.is_some())
    }

    fn differing(
        &self,
        copy: &Self,
        same: impl Fn(Option<&Entry>, Option<&Entry>) -> bool,
    ) -> Vec<String> {
        let extra = copy.0.keys().filter(|path| !self.0.contains_key(*path));
        let paths = self.0.keys().chain(extra);
        let other =
            paths.filter(|path| !same(self.0.get(*path), copy.0.get(*path)));
        let shown = other.take(SHOWN).map(|path| format!("{path:?}"));
        shown.map(|path| path.trim_matches('"').to_owned()).collect()
    }

    /// One number for all of it.
    pub fn hash(&self) -> String {
        let all = |entry: &Entry| Some((entry.bytes, entry.shown_state()));
        self.hash_of(all)
    }

    /// One number for the bytes of its files.
    pub fn hash_of_bytes(&self) -> String {
        self.hash_of(|entry| entry.bytes)
    }

    /// One number for all but the bytes of its files.
    pub fn hash_of_the_rest(&self) -> String {
        self.hash_of(|entry| Some(entry.shown_state()))
    }

    /// Leaves out those of which there is nothing to be hashed.
    fn hash_of<T: Debug>(&self, what: impl Fn(&Entry) -> Option<T>) -> String {
        let mut hasher = Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&bytes.len().to_le_bytes()).update(bytes);
        };
        for (path, entry) in &self.0 {
            if let Some(what) = what(entry) {
                part(path.as_os_str().as_bytes());
                part(format!("{what:?}").as_bytes());
            }
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

impl Entry {
    /// Nothing of what is no folder, file or link.
    fn read(path: &Path, found: Metadata) -> Result<Option<Self>> {
        let kind = found.file_type();
        let mut entry = Self { found, bytes: None, target: None };
        if kind.is_file() {
            let mut hasher = Hasher::new();
            hasher.update_reader(File::open(path)?)?;
            entry.bytes = Some(hasher.finalize());
        } else if kind.is_symlink() {
            entry.target = Some(fs::read_link(path)?);
        } else if !kind.is_dir() {
            return Ok(None);
        }
        Ok(Some(entry))
    }

    fn alike(&self, copy: &Self) -> bool {
        let bits = kept_bits(&self.found, &copy.found);
        self.state(bits) == copy.state(bits)
    }

    fn shown_state(&self) -> String {
        format!("{:?}", self.state(0o1777))
    }

    /// All but the bytes of a file: the kind and these bits, when it was
    /// changed, and where it leads.
    fn state(&self, bits: u32) -> (u32, i64, i64, Option<&PathBuf>) {
        let Self { found, target, .. } = self;
        let mode = found.mode() & (KIND | bits);
        (mode, found.mtime(), found.mtime_nsec(), target.as_ref())
    }
}
