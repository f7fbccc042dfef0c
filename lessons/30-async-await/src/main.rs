//! Async and await: call and wait, or be told.
//!
//! Who asks can stay on the line until the answer is there, or be called back.
//! What can be done in between, and by how many threads?

mod blocking;
mod ending;
mod page;
mod polling;
mod price;

use page::{ask, page_on_the_line, slow_site};
use shared::lesson::{at_least, at_most, below, equals};
use shared::trace::Trace;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use tokio::join;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, yield_now};

const PAGES: usize = 8;

fn main() -> ExitCode {
    lesson![
        one_request,
        polling::polled_by_hand,
        all_at_once,
        ending::first_wins,
        ending::aborted,
        ending::let_go,
        blocking::blocks_its_worker,
        blocking::blocks_elsewhere,
        price::sizes,
        price::price;
        page,
    ]
    .run()
}

/// A caller needs a page and has work to do. First it waits on the line, then
/// it asks to be called back. How long do the two take together, either way?
///
/// - [ ] as long as their sum, both times
/// - [ ] less than their sum, both times
/// - [x] their sum on the line; less when called back
fn one_request(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, 1.0)?;
    let caller = stage.track("caller");
    let request = stage.coroutine_track("/pages/3");
    let page = caller.span("on the line", || {
        page_on_the_line(site.address(), request.name())
    })?;
    caller.span("works", || caller.pause(0.6));

    let asking = ask(site.address(), &request, "is to call back");
    let working = work_in_pieces(&caller);
    let (again, ()) = run(async { join!(biased; asking, working) })?;
    let again = again?;

    let trace = stage.trace()?;
    let (first, share) = both(&trace, ["on the line", "works"]);
    stage.claim("on the line: all of their sum", share, at_least(1.0));
    let (then, share) = both(&trace, ["is to call back", "works meanwhile"]);
    stage.claim("called back: less than their sum", share, below(1.0));
    stage.figure_of(page.len(), "on the line, then work", first)?;
    stage.figure_of(again.len(), "called back, with work", then)
}

async fn work_in_pieces(caller: &Track) {
    for _ in 1..=3 {
        yield_now().await; // the request goes on here, when it can
        caller.span("works meanwhile", || caller.pause(0.2));
    }
}

/// In how many seconds both were done, and as a share of their sum.
fn both(trace: &Trace, names: [&str; 2]) -> (f64, f64) {
    let took = trace.covered(&names);
    let sum = names.iter().map(|name| trace.total(name)).sum();
    (took.as_secs_f64(), took.div_duration_f64(sum))
}

/// Eight pages: each is awaited before the next is asked for; then each has a
/// task. How many are on their way at once, and on how many threads?
///
/// - [ ] one, both times, on one thread
/// - [ ] one, then eight; on eight threads
/// - [x] one, then eight; on one thread
fn all_at_once(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, 0.4)?;
    let address = site.address();
    let name = |n| stage.coroutine_track(format!("/pages/{n}"));
    let requests: Vec<Track> = (1..=PAGES).map(name).collect();
    run(async {
        for request in &requests {
            ask(address, request, "in turn").await?;
        }
        let mut tasks = JoinSet::new();
        for request in requests {
            tasks.spawn(async move { ask(address, &request, "spawned").await });
        }
        let pages = tasks.join_all().await.into_iter();
        pages.collect::<shared::Result<Vec<String>>>()
    })??;
    let trace = stage.trace()?;
    let (peak, sum) = (trace.peak("in turn"), trace.total("in turn"));
    stage.claim("in turn: on their way at once", peak, equals(1));
    let took = trace.extent("in turn").div_duration_f64(sum);
    stage.claim("in turn: under twice the sum", took, at_most(2.0));
    let peak = trace.peak("spawned");
    stage.claim("spawned: on their way at once", peak, equals(PAGES));
    let longest = trace.longest("spawned");
    let took = trace.extent("spawned").div_duration_f64(longest);
    stage.claim("spawned: under twice the longest", took, at_most(2.0));
    let threads = trace.threads_of("spawned");
    stage.claim("spawned: on threads", threads, equals(1));
    Ok(())
}

/// Runs a future, and all that it spawns, on this thread. The runtime is gone
/// afterwards: a process that has one must not fork.
fn run<F: Future>(future: F) -> shared::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}
