//! The shop: a file that says how many tickets are left.

use crate::Options;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::Stage;
use std::env::temp_dir;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// More than this is no list of tickets.
const LARGEST: u64 = 1 << 20;

/// In the temporary folder of the run: what was in the file.
const COPY: &str = "copy.json";

/// The file that the tickets are sold from.
pub struct Shop {
    pub file: PathBuf,
    /// What was in it before the first ticket was sold.
    before: Vec<u8>,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Data {
    pub tickets: usize,
    /// Whatever else there is stays there.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Data {
    fn read(text: &[u8]) -> Result<Self> {
        let found: Value = serde_json::from_slice(text)?;
        if let Some(tickets) = found.get("tickets") {
            ensure!(
                tickets.is_u64(),
                "it says {tickets}, not a number of tickets, 0 or more"
            );
        }
        Ok(serde_json::from_value(found)?)
    }
}

impl Shop {
    /// The file of `--file`, or else one of the run's own with three tickets.
    pub fn open(stage: &Stage) -> Result<Self> {
        let Some(file) = &stage.options::<Options>().file else {
            let file = stage.folder()?.join("data.json");
            let before = b"{\"tickets\": 3}\n".to_vec();
            fs::write(&file, &before)
                .with_context(|| format!("cannot write {}", file.display()))?;
            return Ok(Self { file, before });
        };
        let shop = Self::of(file).with_context(|| {
            let file = file.display();
            format!(
                "cannot sell from {file}; \
                 name one with a text like {{\"tickets\": 3}} that you may \
                 write to"
            )
        })?;
        let (half, copy) = (stage.folder()?.join(COPY), temp_dir().join(COPY));
        fs::write(&half, &shop.before)
            .and_then(|()| fs::rename(&half, &copy))
            .with_context(|| format!("cannot write {}", copy.display()))?;
        Ok(shop)
    }

    fn of(file: &Path) -> Result<Self> {
        // A link stays one: what is renamed takes the place of its target.
        let file = fs::canonicalize(file)?;
        // It would be replaced even if it may not be written to.
        let opened = File::options().read(true).write(true).open(&file)?;
        let found = opened.metadata()?;
        ensure!(found.is_file(), "it is no file");
        ensure!(found.len() <= LARGEST, "it is larger than 1 MiB");
        ensure!(found.nlink() == 1, "its other name would keep the old text");
        let mut before = Vec::new();
        (&opened).read_to_end(&mut before)?;
        let data = Data::read(&before)?;
        ensure!(data.tickets > 0, "no ticket is left in it");
        let shop = Self { file, before };
        shop.clean_up()?;
        shop.aside().context("no file can be made beside it")?;
        Ok(shop)
    }

    /// What the file says now.
    pub fn look(&self) -> Result<Data> {
        let failed = || format!("cannot read {}", self.file.display());
        let text = fs::read(&self.file).with_context(failed)?;
        Data::read(&text).with_context(failed)
    }

    /// Removes what killed writers have left. For whoever holds the lock: what
    /// nobody writes any more looks like what somebody writes.
    pub fn clean_up(&self) -> Result<()> {
        for file in self.unfinished()? {
            fs::remove_file(&file)
                .with_context(|| format!("cannot remove {}", file.display()))?;
        }
        Ok(())
    }

    /// The files beside it that were not finished.
    pub fn unfinished(&self) -> Result<Vec<PathBuf>> {
        let folder = self.folder();
        let failed = || format!("cannot look into {}", folder.display());
        let begin = self.unfinished_name();
        let begin = begin.as_encoded_bytes();
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            if entry.file_name().as_encoded_bytes().starts_with(begin) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// How the names of files begin that are not finished yet.
    pub fn unfinished_name(&self) -> OsString {
        let mut name = OsString::from(".");
        name.push(self.file.file_name().unwrap_or_default());
        name.push(".unfinished-");
        name
    }

    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// Puts back what was in the file before the first ticket was sold.
    pub fn put_back(&self) -> Result<()> {
        if fs::read(&self.file).is_ok_and(|now| now == self.before) {
            return Ok(());
        }
        self.write(&self.before, |_| Ok(()))
    }
}

/// When the lesson has ended, in the middle of a step perhaps: puts back what
/// was in the file of `--file`.
pub fn put_back(options: &Options, folder: &Path) -> Result<()> {
    let copy = fs::read(folder.join(COPY));
    let (Some(file), Ok(before)) = (&options.file, copy) else {
        return Ok(());
    };
    let failed = || format!("cannot put back {}", file.display());
    let file = fs::canonicalize(file).with_context(failed)?;
    let shop = Shop { file, before };
    shop.clean_up()?;
    shop.put_back()
}
