//! Trees to be copied, made for the purpose.

use crate::cannot::cannot;
use anyhow::Result;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A file with two holes and two places with data in it has this size.
pub const HOLES: u64 = 8 << 20;
/// As "cafe" with an accent was written before UTF-8: no text any more.
pub const NO_TEXT: &[u8] = b"caf\xE9";

/// Many small files, few large ones, and the odd ones.
pub fn everything(at: &Path, choices: &mut StdRng) -> Result<()> {
    fs::create_dir(at).map_err(cannot("make", at))?;
    fs::create_dir(at.join("small")).map_err(cannot("make", at))?;
    for folder in 0..10 {
        let size = choices.random_range(1..=16 << 10);
        alike(&at.join(format!("small/{folder:02}")), choices, 10, size)?;
    }
    alike(&at.join("large"), choices, 4, 1 << 20)?;
    odd_ones(&at.join("odd"), choices)
}

/// A folder of so many files, each of so many random bytes.
pub fn alike(
    at: &Path,
    choices: &mut StdRng,
    count: usize,
    size: usize,
) -> Result<()> {
    let mut make = || -> io::Result<()> {
        fs::create_dir(at)?;
        for number in 1..=count {
            let file = File::create(at.join(format!("{number:03}")))?;
            write_noise(&file, choices, size)?;
        }
        Ok(())
    };
    make().map_err(cannot("make a sample in", at))
}

/// To choose every byte would take long: a block of them comes again and again.
fn write_noise(
    mut file: &File,
    choices: &mut StdRng,
    size: usize,
) -> io::Result<()> {
    let mut block = vec![0; size.min(64 << 10)];
    choices.fill_bytes(&mut block);
    let mut left = size;
    while left > 0 {
        let part = left.min(block.len());
        file.write_all(&block[..part])?;
        left -= part;
        block.rotate_left(1);
    }
    Ok(())
}

/// Whatever a copy can get wrong.
pub fn odd_ones(at: &Path, choices: &mut StdRng) -> Result<()> {
    make_odd_ones(at, choices).map_err(cannot("make a sample in", at))
}

fn make_odd_ones(at: &Path, choices: &mut StdRng) -> io::Result<()> {
    fs::create_dir(at)?;
    let write = |name: &str, text: &str| fs::write(at.join(name), text);
    write("empty", "")?;
    fs::write(at.join(OsStr::from_bytes(NO_TEXT)), "no text in its name\n")?;
    write(&"n".repeat(255), "the longest name that there can be\n")?;
    write("two\nlines", "a name of two lines\n")?;
    write(".hidden", "not shown by ls\n")?;

    let holes = File::create(at.join("holes"))?;
    let mut data = [0; 64 << 10];
    choices.fill_bytes(&mut data);
    holes.write_all_at(&data, HOLES / 4)?;
    holes.write_all_at(&data, HOLES / 2)?;
    holes.set_len(HOLES)?;

    write("one name", "of two that a file has\n")?;
    fs::hard_link(at.join("one name"), at.join("other name"))?;
    mkfifo(&at.join("fifo"), Mode::S_IRWXU)?;
    for (link, target) in [
        ("link to a file", "empty"),
        ("link to a folder", "locked"),
        ("link to itself", "link to itself"),
        ("link to nowhere", "/no/such/file"),
    ] {
        symlink(target, at.join(link))?;
    }
    fs::create_dir_all(at.join("deep/".repeat(20)))?;

    fs::create_dir(at.join("locked"))?;
    write("locked/read only", "nobody writes to it\n")?;
    write("program", "#!/bin/sh\n")?;
    for (name, mode) in
        [("program", 0o755), ("locked/read only", 0o444), ("locked", 0o555)]
    {
        dress_up(&at.join(name), mode)?;
    }
    Ok(())
}

/// Gives it permissions, and a time long ago.
fn dress_up(path: &Path, mode: u32) -> io::Result<()> {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::new(981_173_106, 789);
    let file = File::open(path)?;
    file.set_times(FileTimes::new().set_modified(long_ago))?;
    file.set_permissions(Permissions::from_mode(mode))
}
