//! Greenlet: switch by hand.
//!
//! Two functions take turns on one thread, and each says itself when the other
//! goes on. What does each find when it comes back?

mod ending;
mod hub;
mod price;

use hub::{Hub, Me};
use shared::lesson::equals;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;

const ANNA: usize = 0;
const BEN: usize = 1;

fn main() -> ExitCode {
    lesson![verse, deep_inside, ending::panics_and_ends, price::price; hub]
        .run()
}

/// Two coroutines sing a verse and hand over by name. Who sings what, and who
/// goes on at the end?
///
/// - [ ] anna and ben in turn; at the end anna, with her third line
/// - [x] anna and ben in turn; at the end the parent
/// - [ ] both at once; at the end the parent
fn verse(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let (anna, ben) = singers(stage);
    let mut hub = Hub::default();
    hub.add(|me| {
        sing(&anna, "Who has seen the wind?");
        me.switch(BEN);
        sing(&anna, "But when the leaves hang trembling,");
        me.switch(BEN);
        sing(&anna, "(sung only if somebody switches back)");
    });
    hub.add(|me| {
        sing(&ben, "Neither I nor you:");
        me.switch(ANNA);
        sing(&ben, "The wind is passing through.");
    });
    hub.switch(ANNA);
    sing(&parent, "One has ended; control is back here.");

    let trace = stage.trace()?;
    let order = trace.order_of("sings");
    stage.claim(
        "they take turns",
        order,
        equals(vec!["anna", "ben", "anna", "ben", "parent"]),
    );
    let threads = trace.threads_of("sings");
    stage.claim("all on one thread of the system", threads, equals(1));
    Ok(())
}

fn singers(stage: &Stage) -> (Track, Track) {
    (stage.coroutine_track("anna"), stage.coroutine_track("ben"))
}

fn sing(singer: &Track, line: &str) {
    singer.span("sings", || {
        singer.say(line);
        singer.pause(0.8);
    });
}

/// Anna switches away on every level of a recursion. What does she find of
/// her locals when she comes back?
///
/// - [x] those of every call
/// - [ ] those of the innermost call
/// - [ ] none: meanwhile ben had the stack
fn deep_inside(stage: &Stage) -> shared::Result {
    let (anna, ben) = singers(stage);
    let mut hub = Hub::default();
    hub.add(|me| anna.note("sum", squares(me, &anna, 4)));
    hub.add(|me| {
        loop {
            ben.span("runs", || ben.pause(0.3));
            me.switch(ANNA);
        }
    });
    hub.switch(ANNA);
    let between = stage.trace()?.order_of("runs").join(" ");
    stage.claim("all of them: 16 + 9 + 4 + 1", anna.noted("sum")?, equals(30));
    let turns = "anna ben anna ben anna ben anna ben";
    stage.claim("ben ran in between", between.as_str(), equals(turns));
    Ok(())
}

fn squares(me: &mut Me, anna: &Track, n: u32) -> u32 {
    if n == 0 {
        return 0;
    }
    let mine = n * n;
    anna.span("runs", || anna.pause(0.3));
    me.switch(BEN); // with this call and all above it still open
    mine + squares(me, anna, n - 1)
}
