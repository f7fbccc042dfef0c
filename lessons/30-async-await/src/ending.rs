//! What becomes of a future that nobody waits for any more.

use crate::run;
use shared::lesson::equals;
use shared::trace::OpenSpan;
use shared::{Stage, Track};
use std::future::pending;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio::{select, spawn};

/// Held by a future as long as it is on the telephone.
struct Line<'a> {
    holder: &'a Track,
    _open: OpenSpan<'a>,
}

impl<'a> Line<'a> {
    fn of(holder: &'a Track) -> Self {
        Self { holder, _open: holder.begin("on the telephone") }
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.holder.say("hangs up");
        self.holder.mark("hangs up");
    }
}

/// Anna will answer, ben and carl never do. Main waits for anna or ben, and
/// then a second for carl. What becomes of those who did not answer?
///
/// - [x] they are dropped where they wait
/// - [ ] they go on in the background
/// - [ ] they are asked to end, and main waits for them
pub fn first_wins(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let [anna, ben, carl] =
        ["anna", "ben", "carl"].map(|name| stage.coroutine_track(name));
    run(async {
        select! {
            () = answers(&anna, stage.time(1.0)) => main.mark("has an answer"),
            () = never_answers(&ben) => {}
        }
        let late = timeout(stage.time(1.0), never_answers(&carl)).await;
        main.mark("goes on");
        main.note("carl is late", late.is_err());
    })?;
    let trace = stage.trace()?;
    let answers = trace.order_of("answers");
    stage.claim("who answers", answers, equals(vec!["anna"]));
    let hung_up = trace.find("ben", "hangs up")?;
    let before = hung_up < trace.find("main", "has an answer")?;
    stage.claim("ben hangs up before main goes on", before, equals(true));
    stage.claim(
        "the time is over for carl",
        main.noted("carl is late")?,
        equals(true),
    );
    let hung_up = trace.find("carl", "hangs up")?;
    let before = hung_up < trace.find("main", "goes on")?;
    stage.claim("carl hangs up before main goes on", before, equals(true));
    Ok(())
}

async fn answers(me: &Track, time: Duration) {
    let _line = Line::of(me);
    sleep(time).await;
    me.mark("answers");
}

async fn never_answers(me: &Track) {
    let _line = Line::of(me);
    pending::<()>().await;
    me.mark("answers");
}

/// Ben's task waits for ever, and is aborted. When does it end, and who is told
/// that it has?
///
/// - [ ] within `abort`; ben is told
/// - [x] after `abort`; whoever awaits it is told
/// - [ ] never: it waits for ever
pub fn aborted(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let ben = stage.coroutine_track("ben");
    run(async {
        let task = spawn(async move { never_answers(&ben).await });
        sleep(stage.time(0.5)).await; // ben's task begins
        task.abort();
        main.mark("abort returns");
        main.say("has aborted ben's task");
        let end = task.await;
        main.mark("await returns");
        main.note("cancelled", end.is_err_and(|end| end.is_cancelled()));
    })?;
    let trace = stage.trace()?;
    let asked = trace.find("main", "abort returns")?;
    let hung_up = trace.find("ben", "hangs up")?;
    stage.claim("abort only asks", asked < hung_up, equals(true));
    let awaited = trace.find("main", "await returns")?;
    stage.claim("await waits for the end", hung_up < awaited, equals(true));
    let cancelled = main.noted("cancelled")?;
    stage.claim("await says why: cancelled", cancelled, equals(true));
    Ok(())
}

/// Anna's task will answer, and nobody keeps its handle. Does it go on?
///
/// - [x] yes: a task needs no handle
/// - [ ] no: with its handle it is dropped
/// - [ ] no: it is polled by whoever awaits it, and nobody does
pub fn let_go(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let anna = stage.coroutine_track("anna");
    let time = stage.time(0.5);
    run(async {
        let (tell, told) = oneshot::channel();
        drop(spawn(async move {
            answers(&anna, time).await;
            tell.send(())
        }));
        main.mark("has dropped the handle");
        let _ = told.await;
    })?;
    let trace = stage.trace()?;
    let answers = trace.order_of("answers");
    stage.claim("who answers", answers, equals(vec!["anna"]));
    Ok(())
}
