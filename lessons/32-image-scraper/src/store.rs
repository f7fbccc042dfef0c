//! Where the pictures are kept.

use crate::name::is_of_a_picture;
use crate::picture::Picture;
use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use thiserror::Error;

/// Says whose pictures these are; locked by the run that works here.
const LABEL: &str = ".scraped-from";
/// Files are written in here, and renamed when they are whole.
const ASIDE: &str = ".unfinished";
/// Which picture is in which file.
pub const INDEX: &str = "pictures.tsv";
/// What to do about a file that cannot be written.
pub const ROOM: &str = "see that this user may, and that there is room";
/// What to do about one that cannot be read or removed.
pub const MAY: &str = "see that this user may";
const HEADER: &str = "path\tfile\tbytes\tblake3\n";

/// A folder of pictures. What is there under its name is whole: that is all
/// that a run has to know of the one before it.
pub struct Store {
    folder: PathBuf,
    /// By path, as far as an earlier run came: the file that has the picture.
    known: HashMap<String, String>,
    /// Whether this run has made the folder.
    made: bool,
    /// Locked as long as it is open in this process.
    _label: File,
}

impl Store {
    /// Opens it, or makes it. `label` says whose pictures are to be in it.
    pub fn open(folder: &Path, label: &str) -> Result<Self> {
        let (made, label) = open(folder, label).map_err(|why| {
            let advice = match why.is::<AtWork>() {
                true => "wait until it has ended",
                false => {
                    "name a folder that is missing or empty, or in which the \
                     same gallery was kept before"
                }
            };
            why.context(format!("cannot keep pictures in {folder:?}; {advice}"))
        })?;
        let (folder, known) = (folder.to_owned(), HashMap::new());
        let mut store = Self { folder, known, made, _label: label };
        let known =
            fs::read_to_string(store.folder.join(INDEX)).unwrap_or_default();
        let known = known.lines().filter_map(|line| {
            let mut fields = line.split('\t');
            let (path, file) = (fields.next()?, fields.next()?);
            let there = is_of_a_picture(file) && store.is_there(file);
            there.then(|| (path.to_owned(), file.to_owned()))
        });
        store.known = known.collect();
        Ok(store)
    }

    fn is_there(&self, file: &str) -> bool {
        self.folder.join(file).is_file()
    }

    /// The file that has the picture: its own, or that of one that is the same.
    fn file<'a>(&'a self, picture: &'a Picture) -> Option<&'a str> {
        match self.is_there(&picture.name) {
            true => Some(&picture.name),
            false => self.known.get(picture.path()).map(String::as_str),
        }
    }

    /// Those that are not there.
    pub fn missing<'a>(&self, pictures: &'a [Picture]) -> Vec<&'a Picture> {
        let missing = |picture: &&Picture| self.file(picture).is_none();
        pictures.iter().filter(missing).collect()
    }

    /// Stores a picture: written aside, and renamed when it is whole. Whoever
    /// is killed in between leaves nothing under the name.
    pub fn put(&self, picture: &Picture, bytes: &[u8]) -> Result<(), String> {
        let put = self.write(&picture.name, bytes);
        put.map_err(|error| format!("cannot write it: {error}"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // Another process, of a run that is just dying, has another name.
        let aside = format!("{ASIDE}/{name}.{}", process::id());
        let aside = self.folder.join(aside);
        let written = File::create_new(&aside)
            .and_then(|mut file| file.write_all(bytes))
            .and_then(|()| fs::rename(&aside, self.folder.join(name)));
        if written.is_err() {
            let _ = fs::remove_file(&aside); // goes with its folder, too
        }
        written
    }

    /// Looks for pictures that are there twice, in the order of the gallery,
    /// writes the index, and then removes them: the first one stays.
    pub fn finish(&self, pictures: &[Picture]) -> Result<()> {
        let mut first: HashMap<blake3::Hash, &str> = HashMap::new();
        let (mut index, mut twice) = (HEADER.to_owned(), HashSet::new());
        for picture in pictures {
            let Some(file) = self.file(picture) else { continue };
            let bytes = read(&self.folder.join(file))?;
            let hash = blake3::hash(&bytes);
            let kept = *first.entry(hash).or_insert(file);
            if kept != file {
                twice.insert(file);
            }
            let (path, size) = (picture.path(), bytes.len());
            index += &format!("{path}\t{kept}\t{size}\t{hash}\n");
        }
        let written = self.write(INDEX, index.as_bytes());
        written.with_context(|| {
            format!("cannot write {:?}; {ROOM}", self.folder.join(INDEX))
        })?;
        for file in twice {
            let path = self.folder.join(file);
            fs::remove_file(&path).with_context(|| {
                format!("cannot remove {path:?}, which is there twice; {MAY}")
            })?;
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        tidy(&self.folder);
        let left = fs::read_dir(&self.folder).map(Iterator::count);
        if left.is_ok_and(|left| left == 1) {
            let _ = fs::remove_file(self.folder.join(LABEL)); // for nothing
            if self.made {
                let _ = fs::remove_dir(&self.folder);
            }
        }
    }
}

/// Reads a file of the folder.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {path:?}; {MAY}"))
}

/// Somebody else has the lock.
#[derive(Debug, Error)]
#[error("another run is at work in it")]
struct AtWork;

/// Removes what nobody needs; if it cannot, the next run does.
fn tidy(folder: &Path) {
    let _ = fs::remove_dir_all(folder.join(ASIDE));
}

/// The same when a run was interrupted, unless another one is at work there.
pub fn tidy_after(folder: &Path) {
    let label = File::options().write(true).open(folder.join(LABEL));
    if label.is_ok_and(|label| lock(&label).is_ok()) {
        tidy(folder);
    }
}

/// Whether it had to be made, and the file with its label, locked.
fn open(folder: &Path, label: &str) -> Result<(bool, File)> {
    let made = match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            // Its name alone has no parent that could be missing.
            let above = folder.parent().filter(|above| *above != "");
            match above.filter(|above| !above.exists()) {
                Some(above) => bail!("there is no {above:?} to make it in"),
                None => return Err(error.into()),
            }
        }
        made => made.is_ok(),
    };
    let path = folder.join(LABEL);
    if !path.try_exists()? && fs::read_dir(folder)?.next().is_some() {
        bail!("something else is in it");
    }
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path)?;
    lock(&file)?;
    let mut found = String::new();
    (&mut file).take(4096).read_to_string(&mut found)?;
    if found.is_empty() {
        file.write_all(label.as_bytes())?;
    } else if found != label {
        bail!("it has the pictures of {found:?}");
    }
    let aside = folder.join(ASIDE);
    if aside.exists() {
        fs::remove_dir_all(&aside)?; // what a killed run left
    }
    fs::create_dir(aside)?;
    Ok((made, file))
}

/// A lock of this process alone, which ends with it: its children, who may
/// live a moment longer, do not have it.
fn lock(file: &File) -> Result<()> {
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let locked = fcntl(file, FcntlArg::F_SETLK(&whole));
    locked.map(drop).map_err(|errno| match errno {
        nix::Error::EACCES | nix::Error::EAGAIN => AtWork.into(),
        errno => errno.into(),
    })
}
