use crate::Result;
use anyhow::Context;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

/// The temporary folder of a run: named before the lesson begins, made when it
/// is first asked for, removed by the supervisor.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub fn named_for(package: &str) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.subsec_nanos());
        let name = format!("{package}-{}-{now}", process::id());
        let place = std::env::temp_dir();
        Self(std::path::absolute(&place).unwrap_or(place).join(name))
    }

    /// The folder, which is made if it is not there yet; nobody else may look
    /// into it.
    pub fn get(&self) -> Result<&Path> {
        if self.0.is_dir() {
            return Ok(&self.0);
        }
        let made = DirBuilder::new().mode(0o700).create(&self.0);
        made.with_context(|| {
            let folder = self.0.display();
            format!("cannot make the folder {folder}; set TMPDIR to one that can be written to")
        })?;
        Ok(&self.0)
    }

    pub fn remove(&self) -> Result {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error)
                .with_context(|| {
                    format!("cannot remove {}; do it by hand", self.0.display())
                }),
            _ => Ok(()),
        }
    }
}
