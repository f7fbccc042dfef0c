use crate::Result;
use anyhow::Context;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

/// The temporary folder of a run: named before the lesson begins, made in the
/// lesson's process, removed by the supervisor.
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

    /// Makes it the place for all temporary files of this process and its
    /// children, whoever makes them, so that a killed one leaves none.
    pub fn settle(&self) {
        // Most lessons need none. One that does says why it has none.
        if DirBuilder::new().mode(0o700).create(&self.0).is_ok() {
            #[expect(unsafe_code, reason = "the environment has no lock")]
            // SAFETY: this process has one thread.
            unsafe {
                std::env::set_var("TMPDIR", &self.0);
            }
        }
    }

    /// A folder below it, which is made if it is not there yet; nobody else
    /// may look into it.
    pub fn below(&self, name: &str) -> Result<PathBuf> {
        let below = self.0.join(name);
        for folder in [&self.0, &below] {
            if folder.is_dir() {
                continue;
            }
            let made = DirBuilder::new().mode(0o700).create(folder);
            made.with_context(|| {
                let folder = folder.display();
                format!(
                    "cannot make the folder {folder}; set TMPDIR to one that can be written to"
                )
            })?;
        }
        Ok(below)
    }

    /// Where it is, if it was made.
    pub fn path(&self) -> &Path {
        &self.0
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
