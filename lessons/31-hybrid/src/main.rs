//! Hybrid: processes, threads and coroutines at one port.
//!
//! Eight clients ask one server at once. Is it to be eight processes, eight
//! threads, eight coroutines, or some of each?

mod clients;
mod killed;
mod mixed;
mod mixture;
mod place;
mod price;
mod server;

use anyhow::Context;
use mixture::{Mixture, Options};
use place::Place;
use server::{Port, wait_then_compute};
use shared::lesson::equals;
use shared::{Stage, lesson};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread::Builder as Threads;
use tokio::runtime::Builder as Runtime;
use tokio::task::JoinSet;

fn main() -> ExitCode {
    lesson![
        coroutines,
        threads,
        processes,
        mixed::hybrid,
        killed::one_is_killed,
        price::which_wins;
        place, server, clients,
    ]
    .with::<Options>()
    .run()
}

/// One process, one thread, eight coroutines. Eight requests wait; then eight
/// compute. How many are at it at the same moment?
///
/// - [ ] one waits, one computes
/// - [x] all eight wait, one computes
/// - [ ] all eight wait, all eight compute
fn coroutines(stage: &Stage) -> shared::Result {
    wait_then_compute(stage, Mixture::new(1, 1, 8))?;
    let trace = stage.trace()?;
    let waiting = trace.peak("waits");
    stage.claim("wait at once: all eight", waiting, equals(8));
    let computing = trace.peak("computes");
    stage.claim("compute at once: one", computing, equals(1));
    Ok(())
}

/// One process of eight threads, with a coroutine on each. The same sixteen
/// requests: how many are in the middle of their computing at one moment?
///
/// - [x] all eight
/// - [ ] one: they are coroutines
/// - [ ] one for each core: the others begin when those have ended
fn threads(stage: &Stage) -> shared::Result {
    wait_then_compute(stage, Mixture::new(1, 8, 1))?;
    let trace = stage.trace()?;
    let threads = trace.threads_of("computes");
    stage.claim("threads that compute: eight", threads, equals(8));
    let computing = trace.peak("computes");
    stage.claim("compute at once: all eight", computing, equals(8));
    Ok(())
}

/// Eight processes. Each has a socket of its own that listens at the same
/// port, and a place for one client. Which of them answer eight clients?
///
/// - [ ] the first one: only one can listen at a port
/// - [ ] the quickest one: all of them get each client
/// - [x] all eight: the system deals the clients out
fn processes(stage: &Stage) -> shared::Result {
    wait_then_compute(stage, Mixture::new(8, 1, 1))?;
    let trace = stage.trace()?;
    let processes = server::processes_that_answered(&trace);
    stage.claim("processes that answer: eight", processes, equals(8));
    let computing = trace.peak("computes");
    stage.claim("compute at once: all eight", computing, equals(8));
    Ok(())
}

/// One process: its threads, until one of them fails.
fn process(
    port: &Arc<Port>,
    places: &[Arc<Place>],
    coroutines: usize,
) -> shared::Result {
    let (fails, failure) = mpsc::channel();
    for places in places.chunks(coroutines) {
        let (port, places) = (Arc::clone(port), places.to_vec());
        let fails = fails.clone();
        Threads::new()
            .spawn(move || {
                let _ = fails.send(thread(&port, places));
            })
            .context(
                "cannot make a thread; raise the limit with `ulimit -u N`",
            )?;
    }
    failure.recv()?
}

/// One thread: its door, and the coroutines that let clients in.
fn thread(port: &Port, places: Vec<Arc<Place>>) -> shared::Result {
    let runtime = Runtime::new_current_thread().enable_io().build();
    let runtime =
        runtime.context("no runtime; raise the limit with `ulimit -n N`")?;
    runtime.block_on(async {
        let door = Arc::new(port.listen()?);
        let mut coroutines = JoinSet::new();
        for place in places {
            coroutines.spawn(place.attend(Arc::clone(&door)));
        }
        while let Some(end) = coroutines.join_next().await {
            end?.context("cannot accept; raise the limit with `ulimit -n N`")?;
        }
        Ok(())
    })
}
