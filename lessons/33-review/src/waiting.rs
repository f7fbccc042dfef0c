//! Questions 8 and 9: who waits, and for whom.

use anyhow::anyhow;
use shared::lesson::equals;
use shared::{Stage, Track};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use tokio::join;
use tokio::runtime::Builder;
use tokio::sync::Barrier;
use tokio::time::sleep;

/// Question 8: two coroutines, here async functions on tokio, wait for an
/// answer that comes when both have asked. How many threads does that take?
///
/// - [ ] two: one for each
/// - [ ] three: one more that waits for the answer
/// - [x] one
pub fn on_one_thread(stage: &Stage) -> shared::Result {
    let anna = stage.coroutine_track("anna");
    let ben = stage.coroutine_track("ben");
    let (answer, way) = (Barrier::new(2), stage.time(0.3));
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let both =
        async { join!(ask(&anna, &answer, way), ask(&ben, &answer, way)) };
    runtime.block_on(both);
    let trace = stage.trace()?;
    stage.claim("wait at once: both", trace.peak("waits"), equals(2));
    stage.claim("on threads", trace.threads_of("waits"), equals(1));
    Ok(())
}

async fn ask(track: &Track, answer: &Barrier, way: Duration) {
    track.span("computes", || track.pause(0.3));
    let waits = track.begin("waits");
    answer.wait().await; // both have asked
    sleep(way).await; // it is on its way
    drop(waits);
    track.say("goes on where it stopped");
}

/// Question 9: main starts a thread, goes on, and joins it. Who waits for
/// whom, and what does main have of it?
///
/// - [x] main for the thread; it has what that returned
/// - [ ] main for the thread; it has nothing of it
/// - [ ] the thread for main
pub fn what_join_does(stage: &Stage) -> shared::Result {
    let (main, other) = (stage.track("main"), stage.track("thread"));
    let (goes_on, started) = channel();
    let thread = thread::spawn(move || {
        started.recv()?; // main has gone on
        other.span("works", || other.pause(0.5));
        other.say("ends");
        anyhow::Ok(42)
    });
    main.say("goes on");
    goes_on.send(())?;
    let joined = main.span("waits", || thread.join());
    let brought = joined.map_err(|_| anyhow!("the thread panicked"))??;
    main.note("join brings", brought);

    let trace = stage.trace()?;
    let order = trace.order_of("say");
    stage.claim(
        "main goes on before the thread ends",
        order,
        equals(vec!["main", "thread"]),
    );
    let ends = trace.find("thread", "say")?;
    let after = ends < trace.find("main", "join brings")?;
    stage.claim("join waits for its end", after, equals(true));
    stage.claim("and brings its result", brought, equals(42));
    Ok(())
}
