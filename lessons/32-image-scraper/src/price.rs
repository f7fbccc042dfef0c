//! How many processes pay, and how many coroutines.

use crate::crew::Crew;
use crate::fetch;
use crate::gallery::Gallery;
use crate::store::Store;
use shared::Stage;
use shared::site::Plan;

const PICTURES: usize = 24;

/// 24 pictures: one by one, by eight coroutines, by eight processes, by two
/// processes of four. Which one is the quickest, and why?
pub fn price(stage: &Stage) -> shared::Result {
    let (_site, gallery) = Gallery::local(stage, Plan::new())?;
    let folder = stage.folder()?;
    let mut crew = Crew::of(stage);
    let walk = crew.walk(&gallery)?;
    let pictures: Vec<_> = walk.pictures.iter().take(PICTURES).collect();
    for (processes, coroutines) in [(1, 1), (1, 8), (8, 1), (2, 4)] {
        let label = format!("{processes} x {coroutines}");
        (crew.processes, crew.coroutines) = (processes, coroutines);
        let store = Store::open(&folder.join(&label), &gallery.label)?;
        stage.measure(&label, 1, || {
            let fates = fetch(&crew, &gallery, &store, &walk, &pictures)?;
            Ok(fates.iter().filter(|fate| fate.end.is_ok()).count())
        })?;
    }
    Ok(())
}
