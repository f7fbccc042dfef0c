//! Image scraper: a whole program.
//!
//! A gallery has lists, pages and pictures. Processes with coroutines are to
//! keep every picture, once. And if somebody stops them half-way?

mod again;
mod crew;
mod gallery;
mod links;
mod name;
mod odd;
mod options;
mod picture;
mod price;
mod quiet;
mod retry;
mod robots;
mod seen;
mod sheet;
mod store;
mod walk;

use crew::{Crew, Fate, Haul};
use futures_util::future::join_all;
use gallery::Gallery;
use options::Options;
use picture::Picture;
use retry::Visitor;
use shared::lesson::equals;
use shared::process::{Process, Queue};
use shared::site::Plan;
use shared::{Stage, Track, lesson};
use std::path::Path;
use std::process::ExitCode;
use store::Store;
use walk::Walk;

const PROCESSES: usize = 2;
const COROUTINES: usize = 4;

fn main() -> ExitCode {
    lesson![
        walk::walk_the_gallery,
        download,
        again::once_more,
        again::interrupted,
        odd::odd_answers,
        price::price;
        crew, store, name,
    ]
    .with::<Options>()
    .instead(Options::keeps, options::keep)
    .finally(options::tidy)
    .run()
}

/// Two processes with four coroutines each fetch sixty pictures, of which five
/// are there twice. How many are on their way at once, and how many files stay?
///
/// - [ ] sixty at once, 55 files
/// - [ ] eight at once, sixty files: the addresses differ
/// - [x] eight at once, 55 files
fn download(stage: &Stage) -> shared::Result {
    let all_at_once = (PROCESSES * COROUTINES) as u64;
    let meeting = Plan::new().meet_below("/gallery/image/", all_at_once);
    let (_site, gallery) = Gallery::local(stage, meeting)?;
    let crew = Crew::of(stage);
    let to = stage.folder()?.join("pictures");
    scrape(&crew, &gallery, &to)?;
    let kept = gallery::compare(&to)?;
    crew.parent.record("files", kept.files.as_slice());
    stage.claim("pictures there, byte for byte", kept.same, equals(60));
    stage.claim("files: none twice", kept.files.len(), equals(55));
    let trace = stage.trace()?;
    let peak = trace.peak("waits"); // the walk is not seen here
    stage.claim("on their way at once: eight, never more", peak, equals(8));
    let pids = crew::processes_that_stored(&trace);
    stage.claim("processes that stored: two", pids, equals(2));
    Ok(())
}

/// Walks, then fetches what is not there yet. Nobody keeps a record of what
/// was done: what is there under its name is whole.
fn scrape(crew: &Crew, gallery: &Gallery, to: &Path) -> shared::Result<Haul> {
    let store = Store::open(to, &gallery.label)?;
    let walk = crew.walk(gallery)?;
    let missing = store.missing(&walk.pictures);
    let fates = fetch(crew, gallery, &store, &walk, &missing)?;
    store.finish(&walk.pictures)?; // what is there twice goes
    Ok(Haul::of(&walk, &missing, fates))
}

/// The queue is full and closed before the processes begin: nobody waits for
/// it, and who finds it empty is done. Each knows the list since its fork.
fn fetch(
    crew: &Crew,
    gallery: &Gallery,
    store: &Store,
    walk: &Walk,
    missing: &[&Picture],
) -> shared::Result<Vec<Fate>> {
    let (queue, fates) = (Queue::bounded(missing.len().max(1))?, crew.fates()?);
    (0..missing.len()).try_for_each(|number| queue.put(&number))?;
    queue.close();
    let process = |tracks: &[Track]| {
        let visitor = Visitor::new(gallery, &walk.robots);
        let coroutine = async |track: &Track| {
            while let Ok(number) = queue.try_get() {
                let picture = missing[number];
                let end = keep(track, &visitor, store, picture).await;
                fates.put(&Fate { number, end })?;
            }
            shared::Result::Ok(())
        };
        let coroutines = tracks.iter().map(coroutine);
        let ends = gallery::run(join_all(coroutines))?;
        ends.into_iter().collect::<shared::Result>()
    };
    let builder = || Process::builder().daemon(true);
    let teams = crew.teams();
    let processes = teams.map(|team| builder().spawn(|| process(team)));
    let processes = processes.collect::<Result<Vec<_>, _>>()?;
    crew.gather(processes, missing.len(), &fates)
}

/// One picture: waits for it, looks whether it is one, and stores it.
async fn keep(
    track: &Track,
    visitor: &Visitor<'_>,
    store: &Store,
    picture: &Picture,
) -> Result<usize, String> {
    let reply = visitor.get(&picture.address, track).await;
    let reply = reply.map_err(|refusal| refusal.to_string())?;
    let _stores = track.begin("stores");
    picture::check(&reply.body)?;
    store.put(picture, &reply.body)?;
    Ok(reply.body.len())
}
