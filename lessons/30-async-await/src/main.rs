//! Async and await: call and wait, or be told.
//!
//! Who asks can stay on the line until the answer is there, or be called back.
//! What can be done in between, and by how many threads?

mod blocking;
mod ending;
mod page;
mod polling;
mod price;

use page::{page_called_back, page_on_the_line};
use shared::lesson::{at_least, at_most, equals};
use shared::site::{Plan, Site};
use shared::{Stage, Track, lesson};
use std::net::SocketAddr;
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
        blocking::blocks_its_worker,
        blocking::blocks_elsewhere,
        price::price;
        page,
    ]
    .run()
}

/// One page is asked for twice: by a call that waits on the line, and by one
/// that is called back. When can the caller work?
fn one_request(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, 1.0)?;
    let caller = stage.track("caller");
    let request = stage.coroutine_track("/pages/3");
    caller.span("on the line", || {
        page_on_the_line(site.address(), request.name())
    })?;
    caller.say("has the page");
    caller.span("works", || caller.pause(0.6));

    caller.say("asks again, to be called back");
    let asking = ask(site.address(), &request, "is to call back");
    let working = async {
        for _ in 1..=3 {
            yield_now().await; // the request goes on here, when it can
            caller.span("works", || caller.pause(0.2));
        }
    };
    let (page, ()) = run(async { join!(biased; asking, working) })?;
    page?;
    caller.say("has the page again");

    let trace = stage.trace()?;
    let waiting = trace.overlap("on the line", "works");
    stage.claim("no work while on the line", waiting, equals(false));
    let meanwhile = trace.overlap("is to call back", "works");
    stage.claim("work while it is to call back", meanwhile, equals(true));
    Ok(())
}

/// Eight pages: each is awaited before the next is asked for; then each has a
/// task. How many are on their way at once, and on how many threads?
fn all_at_once(stage: &Stage) -> shared::Result {
    let site = slow_site(stage, 0.4)?;
    let (address, main) = (site.address(), stage.coroutine_track("main"));
    let name = |n| stage.coroutine_track(format!("/pages/{n}"));
    let requests: Vec<Track> = (1..=PAGES).map(name).collect();
    run(async {
        for request in &requests {
            ask(address, request, "in turn").await?;
        }
        main.say("has all, in turn");
        let mut tasks = JoinSet::new();
        for request in requests {
            tasks.spawn(async move { ask(address, &request, "spawned").await });
        }
        main.say("has spawned all");
        let answers = tasks.join_all().await;
        main.say("has all, spawned");
        answers.into_iter().collect::<shared::Result>()
    })??;
    let trace = stage.trace()?;
    let (peak, sum) = (trace.peak("in turn"), trace.total("in turn"));
    stage.claim("in turn: on their way at once", peak, equals(1));
    let took = trace.extent("in turn").div_duration_f64(sum);
    stage.claim("in turn: as long as the sum", took, at_least(1.0));
    let peak = trace.peak("spawned");
    stage.claim("spawned: on their way at once", peak, equals(PAGES));
    let longest = trace.longest("spawned");
    let took = trace.extent("spawned").div_duration_f64(longest);
    stage.claim("spawned: under twice the longest", took, at_most(2.0));
    let threads = trace.threads_of("spawned");
    stage.claim("spawned: on threads", threads, equals(1));
    Ok(())
}

async fn ask(site: SocketAddr, request: &Track, how: &str) -> shared::Result {
    let _until_it_is_answered = request.begin(how);
    page_called_back(site, request.name()).await?;
    Ok(())
}

/// Runs a future, and all that it spawns, on this thread. The runtime is gone
/// afterwards: a process that has one must not fork.
fn run<F: Future>(future: F) -> shared::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

/// A site on this machine that takes its time for a page.
fn slow_site(stage: &Stage, seconds: f64) -> shared::Result<Site> {
    Ok(Site::start(Plan::new().latency(stage.time(seconds)))?)
}
