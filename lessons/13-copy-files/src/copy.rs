//! The copy of a tree, and how a file of it is made.

use crate::cannot::cannot;
use crate::plan::{Item, Plan};
use anyhow::{Context, Result, ensure};
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Whence, lseek};
use shared::Track;
use std::fs::{self, DirBuilder, File, FileTimes, Metadata, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink,
};
use std::path::{Path, PathBuf};

/// So much is copied by one call of the system, so that one hears how it goes.
const PIECE: u64 = 1 << 20;
/// More files than these make no picture.
const MOST_TOLD: usize = 2000;

/// The copy of a tree while it is being made.
pub struct Copy<'a> {
    plan: &'a Plan,
    to: PathBuf,
    /// The folder below `to` in which files are written.
    unfinished: PathBuf,
}

impl<'a> Copy<'a> {
    /// Makes the folders, into which only this user may look until the end.
    pub fn begin(plan: &'a Plan, to: &Path) -> Result<Self> {
        let names = (1..).map(|n| format!(".unfinished-{n}"));
        let free =
            |name: &String| fs::symlink_metadata(plan.from.join(name)).is_err();
        let mut names = names.filter(free);
        let name = names.next().context("every name is taken")?;
        let unfinished = to.join(name);
        let copy = Self { plan, to: to.to_path_buf(), unfinished };
        let folders = plan.folders.iter().map(|folder| copy.at(folder));
        for folder in folders.chain([copy.unfinished.clone()]) {
            let made = DirBuilder::new().mode(0o700).create(&folder);
            made.map_err(cannot("make the folder", &folder))?;
        }
        Ok(copy)
    }

    /// Copies the file of this number in the plan; how many bytes it read.
    pub fn file(&self, number: usize) -> Result<u64> {
        self.file_in_pieces(number, |_| Ok(()))
    }

    /// The same, as a span of `track` unless there are too many.
    pub fn file_told(&self, number: usize, track: &Track) -> Result<u64> {
        let few = self.plan.files.len() <= MOST_TOLD;
        let _copies = few.then(|| track.begin("copies"));
        self.file(number)
    }

    /// The same, and calls `reached` with the bytes so far after each piece.
    pub fn file_in_pieces(
        &self,
        number: usize,
        reached: impl FnMut(u64) -> Result<()>,
    ) -> Result<u64> {
        let item = &self.plan.files[number];
        let aside = self.aside(number);
        let from = self.plan.from.join(&item.path);
        let copied = copy_file(&from, &aside, &self.at(item), reached);
        if copied.is_err() {
            let _ = fs::remove_file(&aside); // goes with its folder, too
        }
        copied.map_err(cannot("copy", &from))
    }

    /// Where the file of this number is written.
    pub fn aside(&self, number: usize) -> PathBuf {
        self.unfinished.join(number.to_string())
    }

    /// Makes the links, and removes what killed workers left; then folders get
    /// their permissions and times, inner ones first: whoever makes something
    /// in a folder needs the permission, and changes its time.
    pub fn finish(&self) -> Result<()> {
        for link in &self.plan.links {
            let from = self.plan.from.join(&link.path);
            copy_link(&from, &self.at(link), &link.found)
                .map_err(cannot("copy the link", &from))?;
        }
        fs::remove_dir_all(&self.unfinished)
            .map_err(cannot("remove", &self.unfinished))?;
        for folder in self.plan.folders.iter().rev() {
            let to = self.at(folder);
            let dressed =
                File::open(&to).and_then(|to| dress(&to, &folder.found));
            dressed.map_err(cannot("give permissions and time to", &to))?;
        }
        Ok(())
    }

    fn at(&self, item: &Item) -> PathBuf {
        match item.path.as_os_str().is_empty() {
            true => self.to.clone(),
            false => self.to.join(&item.path),
        }
    }
}

/// Writes the copy aside and renames it when it is complete: who looks for it
/// finds all of it or nothing.
fn copy_file(
    from: &Path,
    aside: &Path,
    to: &Path,
    reached: impl FnMut(u64) -> Result<()>,
) -> Result<u64> {
    // What has become a link or a fifo meanwhile is not followed, nor waited
    // for.
    let flags = O_NOFOLLOW | O_NONBLOCK;
    let source = File::options().read(true).custom_flags(flags).open(from)?;
    let before = source.metadata()?;
    ensure!(before.is_file(), "it is no file any more");
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let copy = options.open(aside)?;
    let bytes = copy_data(&source, &copy, before.len(), reached)?;
    let after = source.metadata()?;
    ensure!(
        version(&before) == version(&after),
        io::Error::new(
            ErrorKind::ResourceBusy,
            "somebody changed it meanwhile"
        )
    );
    dress(&copy, &before)?;
    fs::rename(aside, to)?;
    Ok(bytes)
}

/// Any change of a file changes one of them (inode(7)).
fn version(found: &Metadata) -> (u64, i64, i64) {
    (found.len(), found.ctime(), found.ctime_nsec())
}

/// Copies what is data, and leaves the holes between.
fn copy_data(
    mut from: &File,
    mut to: &File,
    size: u64,
    mut reached: impl FnMut(u64) -> Result<()>,
) -> Result<u64> {
    let (mut at, mut copied) = (0, 0);
    while at < size
        && let Some((begin, end)) = next_data(from, at)?
    {
        // Somebody who writes to it without end is not followed.
        let end = end.min(size);
        at = begin;
        while at < end {
            from.seek(SeekFrom::Start(at))?;
            to.seek(SeekFrom::Start(at))?;
            let mut piece = from.take(PIECE.min(end - at));
            let bytes = io::copy(&mut piece, &mut to)?; // copy_file_range(2)
            if bytes == 0 {
                break; // it has become shorter
            }
            (at, copied) = (at + bytes, copied + bytes);
            reached(copied)?;
        }
        at = at.max(end);
    }
    to.set_len(size)?;
    Ok(copied)
}

/// From where to where there is data, at `at` or behind it (lseek(2)).
fn next_data(file: &File, at: u64) -> Result<Option<(u64, u64)>> {
    let begin = match lseek(file, i64::try_from(at)?, Whence::SeekData) {
        Err(Errno::ENXIO) => return Ok(None),
        begin => begin?,
    };
    let end = lseek(file, begin, Whence::SeekHole)?;
    Ok(Some((u64::try_from(begin)?, u64::try_from(end)?)))
}

/// Gives the permissions and the time of change of what was `found`.
fn dress(to: &File, found: &Metadata) -> io::Result<()> {
    let mode = found.mode() & kept_bits(found, &to.metadata()?);
    to.set_permissions(Permissions::from_mode(mode))?;
    to.set_times(FileTimes::new().set_modified(found.modified()?))
}

/// The bits that a copy has from its source. A program that runs as its owner
/// (set-user-ID) is not to run as another one.
pub fn kept_bits(source: &Metadata, copy: &Metadata) -> u32 {
    let owners = |found: &Metadata| (found.uid(), found.gid());
    match owners(source) == owners(copy) {
        true => 0o7777,
        false => 0o1777,
    }
}

fn copy_link(from: &Path, to: &Path, found: &Metadata) -> Result<()> {
    symlink(fs::read_link(from)?, to)?;
    let modified = TimeSpec::new(found.mtime(), found.mtime_nsec());
    let itself = UtimensatFlags::NoFollowSymlink;
    Ok(utimensat(AT_FDCWD, to, &TimeSpec::UTIME_OMIT, &modified, itself)?)
}
