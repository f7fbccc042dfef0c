//! From page to page, to the addresses of pictures.

use crate::crew::Crew;
use crate::gallery::{Gallery, ROBOTS_TXT};
use crate::links::{self, Links, links};
use crate::picture::{Picture, path};
use crate::retry::{Visitor, same_host};
use crate::robots::Robots;
use crate::seen::Seen;
use crate::{COROUTINES, PROCESSES};
use anyhow::bail;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use shared::client::Failure;
use shared::lesson::equals;
use shared::site::Plan;
use shared::{Stage, Track};
use std::cell::RefCell;
use std::mem;
use std::pin::pin;
use url::Url;

/// A calendar has pages without end.
const MOST_PAGES: usize = 1000;
const MOST_PICTURES: usize = 5000;
/// So many pages are asked for at once, as many as pictures later on.
pub const AT_ONCE: usize = PROCESSES * COROUTINES;

/// What was found. It travels back from the process that walked.
#[derive(Serialize, Deserialize)]
pub struct Walk {
    pub robots: Robots,
    /// Each once, in the order of the gallery.
    pub pictures: Vec<Picture>,
    /// How many pages were read, or tried.
    pub pages: usize,
    /// How many links lead to where no robot is to go.
    pub forbidden: usize,
    pub problems: Vec<(String, String)>,
}

/// Lists lead to pages, and pages to pictures; robots.txt says where no robot
/// is to go. Which pages does the walk read?
///
/// - [x] each once, except those that robots.txt forbids
/// - [ ] each once: robots.txt is for search engines
/// - [ ] each as often as a link leads to it
pub fn walk_the_gallery(stage: &Stage) -> shared::Result {
    let (_site, gallery) = Gallery::local(stage, Plan::new())?;
    let crew = Crew::of_walkers(stage);
    let walk = crew.walk(&gallery)?;
    crew.parent.note("pages", walk.pages);
    crew.parent.note("pictures", walk.pictures.len());
    crew.parent.note("links that are not for robots", walk.forbidden);
    let site = gallery.counts()?;
    stage.claim("pictures found", walk.pictures.len(), equals(60));
    stage.claim("pages that no robot is to read", walk.forbidden, equals(5));
    stage.claim("read of these", site.disallowed, equals(0));
    let once = site.requests - ROBOTS_TXT;
    stage.claim("asked for: each page once", once, equals(66));
    Ok(())
}

/// Walks all pages below the folder of the first one. The pages to which those
/// lead that were read last make the next wave: it is read by several
/// coroutines, and its links are taken in its order. Each has a track for
/// itself, if there are so many.
pub async fn walk(gallery: &Gallery, tracks: &[Track]) -> shared::Result<Walk> {
    let (start, robots) = (&gallery.start, robots(gallery, tracks).await?);
    if !robots.allow(start) {
        bail!("no robot may read {start}, says robots.txt; ask its owner");
    }
    let mut visitor = Visitor::new(gallery, &robots);
    visitor.seen = tracks.len() == AT_ONCE;
    let (mut pictures, mut problems) = (Vec::new(), Vec::new());
    let mut seen = Seen::new(MOST_PAGES);
    let [mut kept, mut forbidden] = [(); 2].map(|()| Seen::new(MOST_PICTURES));
    let (mut wave, mut pages) = (vec![start.clone()], 0);
    seen.add(start);
    while !wave.is_empty() {
        let now = mem::take(&mut wave);
        let free = RefCell::new(tracks.iter().collect::<Vec<_>>());
        let read = |page| read(page, &visitor, &free, &tracks[0]);
        let reads = stream::iter(now.iter().map(read)).buffered(AT_ONCE);
        let mut reads = pin!(reads);
        for page in &now {
            // No more of them than are read at once wait in memory.
            let Some(found) = reads.next().await else { break };
            pages += 1;
            let found = match found {
                Ok(found) => found,
                Err(why) if page == start => bail!(
                    "cannot read {page}; name a page that can be read: {why}"
                ),
                Err(why) => {
                    problems.push((path(page.as_str()).to_owned(), why));
                    continue;
                }
            };
            let mut may_go = |url: &Url| {
                let allowed = robots.allow(url);
                if !allowed && same_host(url, start) {
                    forbidden.add(url);
                }
                allowed && same_host(url, start)
            };
            if found.more {
                let why = format!("more than {} links", links::MOST);
                problems.push((path(page.as_str()).to_owned(), why));
            }
            let below = |url: &Url| url.path().starts_with(folder(start));
            wave.extend(
                found
                    .pages
                    .into_iter()
                    .filter(|url| below(url) && may_go(url) && seen.add(url)),
            );
            pictures.extend(
                found
                    .pictures
                    .into_iter()
                    .filter(|url| may_go(url) && kept.add(url)),
            );
        }
    }
    if seen.full {
        let why = format!("the gallery has more than {MOST_PAGES} pages");
        problems.push(("the rest".to_owned(), why));
    }
    if kept.full {
        let why = format!("there are more than {MOST_PICTURES} pictures");
        problems.push(("the rest".to_owned(), why));
    }
    let pictures = pictures.iter().map(Picture::at).collect();
    let forbidden = forbidden.count();
    Ok(Walk { robots, pictures, pages, forbidden, problems })
}

/// The links of a page, by a coroutine with a track that is free, or that of
/// all.
async fn read(
    page: &Url,
    visitor: &Visitor<'_>,
    free: &RefCell<Vec<&Track>>,
    of_all: &Track,
) -> Result<Links, String> {
    let track = free.borrow_mut().pop();
    let reply = visitor.get(page.as_str(), track.unwrap_or(of_all)).await;
    free.borrow_mut().extend(track);
    let reply = reply.map_err(|refusal| refusal.to_string())?;
    let kind = reply.kind.split(';').next().unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        "text/html" | "application/xhtml+xml" => {
            let base = Url::parse(&reply.url).unwrap_or(page.clone());
            Ok(links(&reply.body, &base))
        }
        // A text, a film: it leads nowhere.
        _ => Ok(Links::default()),
    }
}

/// The rules of the site. One that has none allows all; one that does not say
/// is not walked.
async fn robots(gallery: &Gallery, tracks: &[Track]) -> shared::Result<Robots> {
    let url = gallery.start.join("/robots.txt")?;
    let mut visitor = Visitor::new(gallery, &Robots::default());
    visitor.seen = tracks.len() == AT_ONCE;
    let reply = visitor.get(url.as_str(), &tracks[0]).await;
    match reply.map_err(|refusal| (refusal.to_string(), refusal.failure)) {
        Ok(reply) => Ok(Robots::read(&reply.body)),
        Err((_, Failure::Status { status: 400..=428 | 430..=499, .. })) => {
            Ok(Robots::default())
        }
        Err((why, failure)) => {
            let advice = match failure {
                Failure::Https => "name a gallery that speaks http",
                Failure::Astray(_) => "name the gallery where that leads",
                Failure::Redirects | Failure::TooLarge(_) => "ask its owner",
                Failure::Host => "correct the name of its host",
                _ => "try it later",
            };
            bail!(
                "cannot read {url}, where it is said what robots may fetch; \
                 {advice}: {why}"
            )
        }
    }
}

/// The part of a path up to its last slash.
fn folder(start: &Url) -> &str {
    let path = start.path();
    path.rfind('/').map_or("/", |at| &path[..=at])
}
