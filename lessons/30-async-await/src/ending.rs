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

/// Ben's task is aborted while it waits; of anna's only the handle is dropped.
/// Which of them ends, and when?
pub fn aborted(stage: &Stage) -> shared::Result {
    let main = stage.coroutine_track("main");
    let (anna, ben) =
        (stage.coroutine_track("anna"), stage.coroutine_track("ben"));
    run(async {
        let (tell, begun) = oneshot::channel();
        let task = spawn(async move {
            let _line = Line::of(&ben);
            let _ = tell.send(());
            pending::<()>().await;
            ben.mark("answers");
        });
        begun.await?;
        sleep(stage.time(0.5)).await;
        main.say("aborts ben");
        task.abort();
        main.mark("abort returns");
        let end = task.await;
        main.mark("join returns");
        main.note("cancelled", end.is_err_and(|end| end.is_cancelled()));

        let (call, called) = oneshot::channel();
        let (tell, answered) = oneshot::channel();
        drop(spawn(async move {
            let _line = Line::of(&anna);
            let _ = called.await;
            anna.mark("answers");
            let _ = tell.send(());
        }));
        main.say("has dropped anna's handle");
        sleep(stage.time(0.5)).await;
        let _ = call.send(());
        let _ = answered.await;
        shared::Result::Ok(())
    })??;
    let trace = stage.trace()?;
    let hung_up = trace.find("ben", "hangs up")?;
    let asked = trace.find("main", "abort returns")?;
    stage.claim("abort only asks", asked < hung_up, equals(true));
    let joined = trace.find("main", "join returns")?;
    stage.claim("join waits for the end", hung_up < joined, equals(true));
    stage.claim("join says why", main.noted("cancelled")?, equals(true));
    let answers = trace.order_of("answers");
    stage.claim("who answers", answers, equals(vec!["anna"]));
    Ok(())
}
