//! A file that lies in memory and has no name.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::fstat;
use nix::sys::uio::{pread, pwrite};

/// Makes an empty one.
pub(crate) fn create() -> io::Result<OwnedFd> {
    Ok(memfd_create(c"shared::process answer", MFdFlags::MFD_CLOEXEC)?)
}

/// All of it, from the start.
pub(crate) fn read_all(file: impl AsFd) -> io::Result<Vec<u8>> {
    let size = fstat(&file)?.st_size;
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    let mut filled = 0;
    while filled < bytes.len() {
        match pread(&file, &mut bytes[filled..], filled as i64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

/// Puts these bytes in place of what was in it.
pub(crate) fn replace(file: impl AsFd, bytes: &[u8]) -> io::Result<()> {
    nix::unistd::ftruncate(&file, 0)?;
    let mut written = 0;
    while written < bytes.len() {
        match pwrite(&file, &bytes[written..], written as i64) {
            Ok(more) => written += more,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
