//! Eight coroutines on one thread.

use crate::PAGES;
use may::{coroutine, go};
use shared::process::Process;
use shared::{Stage, Track};

/// How deep the calls of a client may go, in words of 8 bytes.
pub const STACK: usize = 0x4000;

/// Has eight coroutines on one thread ask for a page each. They are in a
/// process of their own: a process in which may has threads cannot fork again.
pub fn eight_pages<G>(stage: &Stage, get: G) -> shared::Result
where
    G: Fn(&str) -> shared::Result<String> + Sync + Send,
{
    let name = |n| stage.coroutine_track(format!("page {n}"));
    let tracks: Vec<Track> = (1..=PAGES).map(name).collect();
    let running = Process::spawn(|| {
        on_one_thread(PAGES, STACK, |n| {
            let path = format!("/pages/{}", n + 1);
            tracks[n].span("waits for a page", || get(&path))
        })
    })?;
    let pages = running.join()?;
    let rows = pages.iter().enumerate().map(|(n, page)| {
        [(n + 1).to_string(), title(page), page.len().to_string()]
    });
    stage.table(["page", "title", "bytes"], rows);
    Ok(())
}

/// Runs `body` in so many coroutines, all on one thread, with stacks of so
/// many words; what each of them returns.
pub fn on_one_thread<B>(
    number: usize,
    stack: usize,
    body: B,
) -> shared::Result<Vec<String>>
where
    B: Fn(usize) -> shared::Result<String> + Sync + Send,
{
    may::config().set_workers(1).set_stack_size(stack);
    let mut answers: Vec<Option<shared::Result<String>>> = Vec::new();
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
    answers.into_iter().flatten().collect()
}

fn title(page: &str) -> String {
    let title = page.split_once("<title>").map_or("", |(_, rest)| rest);
    title.split_once('<').map_or("", |(title, _)| title).to_owned()
}
