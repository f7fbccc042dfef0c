//! What can go wrong with a picture.

use crate::crew::Crew;
use crate::gallery::{Gallery, compare};
use crate::scrape;
use crate::store::INDEX;
use shared::Stage;
use shared::client::Limits;
use shared::lesson::{at_least, equals};
use shared::site::{Fault, Plan};
use shared::trace::text::fit;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What is wrong with an answer; two are wrong once.
const WRONG: [(&str, Fault, u64); 9] = [
    ("404", Fault::NotFound, u64::MAX),
    ("429", Fault::TooMany, 1),
    ("500", Fault::Failed, 1),
    ("cut", Fault::Cut, u64::MAX),
    ("garbled", Fault::Garbled, u64::MAX),
    ("html", Fault::Html, u64::MAX),
    ("huge", Fault::Huge, u64::MAX),
    ("redirect", Fault::Redirect, u64::MAX),
    ("silent", Fault::Silent, u64::MAX),
];

/// A page of broken HTML, names that are paths, answers that are wrong. Which
/// pictures are kept, and where?
///
/// - [ ] all that came, where their names say
/// - [x] the whole ones, in the folder
/// - [ ] none: the first wrong answer ends the program
pub fn odd_answers(stage: &Stage) -> shared::Result {
    let plan = WRONG.iter().fold(Plan::new(), |plan, (name, fault, times)| {
        plan.fault_times(&format!("/odd/image/{name}.png"), *fault, *times)
    });
    let plan = plan.retry_after(1);
    let (_site, mut gallery) = Gallery::local_at(stage, plan, "/odd/")?;
    let time = stage.time(1.0).max(Duration::from_millis(400));
    gallery.limits = Limits { time, bytes: 1 << 20, redirects: 5 };
    gallery.back_off = stage.time(0.2);
    let (crew, folder) = (Crew::of(stage), stage.folder()?);
    // From here `../..` leads to the folder of this step.
    let to = folder.join("some/pictures");
    fs::create_dir(folder.join("some"))?;
    let haul = scrape(&crew, &gallery, &to)?;
    haul.show(stage);
    show_names(stage, &to)?;
    let kept = compare(&to)?;
    crew.parent.record("files", kept.files.as_slice());
    let outside = fs::read_dir(&folder)?.count() - 1;
    crew.parent.record("beside", outside);

    stage.claim("kept", haul.fetched, equals(12));
    stage.claim("not had, and named", haul.problems.len(), equals(7));
    let reasons: BTreeSet<_> =
        haul.problems.into_iter().map(|(_, why)| why).collect();
    crew.parent.record("reasons", Vec::from_iter(reasons.clone()));
    let reasons = reasons.len();
    stage.claim("different reasons", reasons, equals(7));
    stage.claim("files beside the folder", outside, equals(0));
    crew.parent.record("others", kept.others.as_slice());
    stage.claim("files that are no picture", kept.others, equals(vec![]));
    let waited = waited_when_told(stage)?;
    stage.claim("told to wait 1 s: waited", waited, at_least(1.0));
    Ok(())
}

/// A table of what the site calls its pictures, and what their files are
/// called.
fn show_names(stage: &Stage, folder: &Path) -> shared::Result {
    let index = fs::read_to_string(folder.join(INDEX))?;
    let rows = index.lines().skip(1).filter_map(|line| {
        let mut fields = line.split('\t');
        let (path, file) = (fields.next()?, fields.next()?);
        let name = path.rsplit('/').next()?;
        Some([name, file].map(|text| fit(text, 34)))
    });
    stage.table(["the site's name", "file"], rows);
    Ok(())
}

/// The seconds between the answer that said when to come again, and the moment
/// at which that was done.
fn waited_when_told(stage: &Stage) -> shared::Result<f64> {
    let trace = stage.trace()?;
    let mut events = trace.events().iter();
    let told = events
        .find(|event| event.name == "asks again" && event.args["told"] != 0);
    let again = told.and_then(|told| {
        events.find(|event| event.name == "waits" && event.track == told.track)
    });
    let (Some(told), Some(again)) = (told, again) else { return Ok(0.0) };
    Ok((again.t_ns - told.t_ns) as f64 / 1e9)
}
