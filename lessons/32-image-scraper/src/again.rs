//! The same once more, and what an interruption leaves.

use crate::crew::Crew;
use crate::gallery::{Gallery, ROBOTS_TXT, compare, hash};
use crate::{COROUTINES, Haul, PROCESSES, scrape};
use shared::Stage;
use shared::lesson::{between, equals};
use shared::site::Plan;

/// The processes are killed when so many pictures are stored.
const STORED: usize = 20;
/// They are never more than these ahead of their parent, who counts them: what
/// is in the queue, and what is in their hands.
const MOST: usize = STORED + 2 * PROCESSES * COROUTINES;

/// The same program runs a second time, in the same folder. What does it ask
/// the site for?
///
/// - [ ] nothing: it does not even begin
/// - [x] the pages, and no picture
/// - [ ] everything
pub fn once_more(stage: &Stage) -> shared::Result {
    let (crew, to) = (Crew::of(stage), stage.folder()?.join("pictures"));
    let (site, gallery) = Gallery::local(stage, Plan::new())?;
    let first = scrape(&crew, &gallery, &to)?;
    drop(site);
    crew.parent.note("fetched", first.fetched);
    let before = hash(&to)?;
    let (_site, gallery) = Gallery::local(stage, Plan::new())?;
    let second = scrape(&crew, &gallery, &to)?;
    crew.parent.note("fetched the second time", second.fetched);
    let asked = pictures_asked_for(&gallery, &second)?;
    stage.claim("fetched the first time", first.fetched, equals(60));
    stage.claim("asked for the second time: pictures", asked, equals(0));
    let after = hash(&to)?;
    crew.parent.record("hash before", before.as_str());
    crew.parent.record("hash after", after.as_str());
    stage.claim("the folder: as it was", after, equals(before));
    Ok(())
}

/// Both processes are killed in the middle of their work, and the program is
/// started again. What has it to fetch, and what comes of it?
///
/// - [ ] all pictures; the folder has some twice
/// - [x] the rest; the folder is as without interruption
/// - [ ] the rest; some that were begun stay broken
pub fn interrupted(stage: &Stage) -> shared::Result {
    let folder = stage.folder()?;
    let (_site, gallery) = Gallery::local(stage, Plan::new())?;
    let (to, mut crew) = (folder.join("pictures"), Crew::of(stage));
    crew.killed_at = Some(STORED);
    scrape(&crew, &gallery, &to)?;
    let left = compare(&to)?;
    crew.parent.note("there when they were killed", left.files.len());
    crew.parent.record("not a whole picture", left.others.as_slice());
    let (_site, gallery) = Gallery::local(stage, Plan::new())?;
    crew.killed_at = None;
    let second = scrape(&crew, &gallery, &to)?;
    let asked = pictures_asked_for(&gallery, &second)?;
    crew.parent.note("fetched after that", asked);
    let whole = folder.join("at once");
    let (_site, gallery) = Gallery::local(stage, Plan::new())?;
    let at_once = || scrape(&crew, &gallery, &whole);
    crew.parent.recorder().muted(at_once)?; // nothing that is not known

    let there = left.files.len();
    stage.claim("there when they were killed", there, between(STORED, MOST));
    stage.claim("files that are no whole picture", left.others, equals(vec![]));
    stage.claim("fetched after that: the rest", asked, equals(60 - there));
    let (found, expected) = (hash(&to)?, hash(&whole)?);
    crew.parent.record("hash", found.as_str());
    crew.parent.record("hash without interruption", expected.as_str());
    let text = "the folder: as without interruption";
    stage.claim(text, found, equals(expected));
    Ok(())
}

/// What the site was asked for besides pages.
fn pictures_asked_for(gallery: &Gallery, haul: &Haul) -> shared::Result<usize> {
    Ok(gallery.counts()?.requests - ROBOTS_TXT - haul.pages)
}
