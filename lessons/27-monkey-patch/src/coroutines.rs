//! Eight coroutines on one thread.

use crate::PAGES;
use anyhow::Context;
use may::{coroutine, go};
use shared::process::Process;
use shared::{Stage, Track};

/// How deep the calls of a client may go, in words of 8 bytes.
pub const STACK: usize = 0x4000;

/// Has eight coroutines on one thread ask for a page each. They are in a
/// process of their own: one in which `may` has threads cannot fork again.
pub fn eight_pages<G>(stage: &Stage, get: G) -> shared::Result<Vec<String>>
where
    G: Fn(&str) -> shared::Result<String> + Sync + Send,
{
    let name = |n| stage.coroutine_track(format!("page {n}"));
    let tracks: Vec<Track> = (1..=PAGES).map(name).collect();
    let running = Process::spawn(|| {
        on_one_thread(PAGES, STACK, |n| {
            let path = format!("/pages/{}", n + 1);
            let page = tracks[n].span("waits", || get(&path));
            page.with_context(|| no_page(&path))
        })
    })?;
    let pages = running.join()?;
    let bytes: usize = pages.iter().map(String::len).sum();
    let time = stage.trace()?.extent("waits");
    let all = format!("{} pages, {bytes} bytes: {time:.2?}", pages.len());
    stage.track("all").say(all);
    Ok(pages)
}

/// What is said when a page cannot be had.
pub fn no_page(path: &str) -> String {
    format!("cannot get {path} from the local site; run the lesson again")
}

/// Shows the titles of the pages, and how long they are.
pub fn show(stage: &Stage, pages: &[String]) {
    let rows = pages.iter().enumerate().map(|(n, page)| {
        [(n + 1).to_string(), title(page), page.len().to_string()]
    });
    stage.table(["page", "title", "bytes"], rows);
}

/// Runs `body` in so many coroutines, all on one thread, with stacks of so
/// many words; what each of them returns.
pub fn on_one_thread<T: Send>(
    number: usize,
    stack: usize,
    body: impl Fn(usize) -> shared::Result<T> + Sync + Send,
) -> shared::Result<Vec<T>> {
    let may = may::config();
    may.set_workers(1).set_stack_size(stack);
    // Else the only worker of every such process keeps to the first core.
    may.set_worker_pin(false);
    let mut answers: Vec<Option<shared::Result<T>>> = Vec::new();
    answers.resize_with(number, || None);
    coroutine::scope(|first| {
        // Made by a coroutine of the same thread: none begins before all are
        // there.
        go!(first, || {
            coroutine::scope(|scope| {
                for (n, answer) in answers.iter_mut().enumerate() {
                    let body = &body;
                    go!(scope, move || *answer = Some(body(n)));
                }
            });
        });
    });
    let ended = |answer: Option<_>| {
        answer.context("a coroutine ended without an answer")?
    };
    answers.into_iter().map(ended).collect()
}

fn title(page: &str) -> String {
    let title = page.split_once("<title>").map_or("", |(_, rest)| rest);
    title.split_once('<').map_or("", |(title, _)| title).to_owned()
}
