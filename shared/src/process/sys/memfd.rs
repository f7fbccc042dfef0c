//! A file that lies in memory and has no name.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// Makes an empty one.
pub(crate) fn create() -> io::Result<OwnedFd> {
    Ok(memfd_create(
        c"shared::process answer",
        MFdFlags::MFD_CLOEXEC,
    )?)
}

/// All of it, from the start, wherever the file's position is.
pub(crate) fn read_all(file: &File) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; file.metadata()?.len() as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
