//! Writing aside: a file that is never half-written.

use crate::shop::{Data, Shop};
use anyhow::{Context, Result};
use clap::ValueEnum;
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Lock, Process};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, fchown};
use tempfile::{Builder, NamedTempFile};

/// How far the writing has come.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Phase {
    /// There is a new file beside the old one
    Opened,
    /// Half of the text is in the new one
    HalfWritten,
    /// All of it is, but perhaps in memory only
    Written,
    /// It is on the disk
    Synced,
    /// The new file has the old one's name
    Renamed,
}

impl Phase {
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or(String::new(), |value| value.get_name().to_owned())
    }
}

/// Somebody holds the lock and writes. What do others see who look without
/// asking for it?
///
/// - [ ] nothing: they wait until it is released
/// - [x] the old number, then the new one
/// - [ ] half a file, while it is written
pub fn looking_needs_no_lock(stage: &Stage) -> shared::Result {
    let shop = Shop::open(stage)?;
    let lock = Lock::new(())?;
    let buyer = stage.track("buyer");
    let _held = lock.lock()?;
    let buys = buyer.begin("holds the lock");
    let mut data = shop.look()?;
    data.tickets -= 1;
    let (mut seen, mut found_held) = (Vec::new(), 0);
    shop.put_in_phases(&data, |phase| {
        let visitor = stage.track(phase.name());
        let looking = Process::spawn(|| {
            let seen = visitor.span("looks", || {
                visitor.pause(0.3);
                shop.look().ok().map(|data| data.tickets)
            });
            visitor.note("sees", seen);
            let held = lock.try_lock().is_err();
            visitor.note("locked", held);
            (seen, held)
        })?;
        let (tickets, held) = looking.join()?;
        seen.push(tickets);
        found_held += usize::from(held);
        Ok(())
    })?;
    drop(buys);
    stage.claim("found the lock held: all five", found_held, equals(5));
    let (new, old) = (data.tickets, data.tickets + 1);
    let (after, before) = (seen.pop(), seen);
    let all_old = vec![Some(old); 4];
    stage.claim("until it is renamed: the old number", before, equals(all_old));
    stage.claim("after that: the new one", after, equals(Some(Some(new))));
    shop.put_back()
}

impl Shop {
    /// Writes beside the old file and gives the new one its name, which happens
    /// at once or not at all: whoever looks sees one or the other.
    fn write_aside(
        &self,
        text: &[u8],
        mut reached: impl FnMut(Phase) -> Result<()>,
    ) -> Result<()> {
        let mut aside = self.aside()?;
        reached(Phase::Opened)?;
        let (half, rest) = text.split_at(text.len() / 2);
        aside.write_all(half)?;
        reached(Phase::HalfWritten)?;
        aside.write_all(rest)?;
        reached(Phase::Written)?;
        // Or a power cut may leave the new name with nothing in it.
        aside.as_file().sync_all()?;
        reached(Phase::Synced)?;
        aside.persist(&self.file)?; // rename(2)
        reached(Phase::Renamed)?;
        // The name stands in the folder, which is a file too.
        Ok(File::open(self.folder())?.sync_all()?)
    }

    /// A new file beside the old one, of the same owner and with the same
    /// permissions. It is removed when it is dropped before it is renamed.
    pub fn aside(&self) -> Result<NamedTempFile> {
        let name = self.unfinished_name();
        let aside = Builder::new().prefix(&name).tempfile_in(self.folder())?;
        let old = fs::metadata(&self.file)?;
        fchown(aside.as_file(), Some(old.uid()), Some(old.gid()))?;
        aside.as_file().set_permissions(old.permissions())?;
        Ok(aside)
    }

    /// Writes `data`.
    pub fn put(&self, data: &Data) -> Result<()> {
        self.put_in_phases(data, |_| Ok(()))
    }

    /// Writes `data`, and calls `reached` in each phase.
    pub fn put_in_phases(
        &self,
        data: &Data,
        reached: impl FnMut(Phase) -> Result<()>,
    ) -> Result<()> {
        self.write(&serde_json::to_vec(data)?, reached)
    }

    /// Writes `text`; an error names the file.
    pub fn write(
        &self,
        text: &[u8],
        reached: impl FnMut(Phase) -> Result<()>,
    ) -> Result<()> {
        self.write_aside(text, reached)
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}
