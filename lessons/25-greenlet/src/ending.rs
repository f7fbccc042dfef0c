//! How a coroutine ends, other than by its last line.

use crate::hub::Hub;
use crate::{ANNA, BEN, singers};
use shared::Stage;
use shared::lesson::equals;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Ben panics. Who notices? Can anna go on afterwards, and can ben?
///
/// - [ ] anna, who switched to him; neither can
/// - [ ] the parent; neither can: they share a thread
/// - [x] the parent; anna can, ben cannot
pub fn panics_and_ends(stage: &Stage) -> shared::Result {
    let parent = stage.track("parent");
    let (anna, ben) = singers(stage);
    let mut hub = Hub::default();
    hub.add(|me| {
        anna.span("runs", || anna.pause(0.3));
        me.switch(BEN);
        anna.span("runs again", || anna.pause(0.3));
    });
    hub.add(|_| {
        ben.span("runs", || ben.pause(0.3));
        panic!("lost the tune");
    });
    let caught = catch_unwind(AssertUnwindSafe(|| hub.switch(ANNA)));
    let message = caught.err().and_then(|payload| payload.downcast().ok());
    parent.note("caught", message.map(|text: Box<&str>| *text));
    hub.switch(ANNA);
    hub.switch(BEN); // ben has ended: back at once
    parent.mark("back");

    let trace = stage.trace()?;
    let caught: Option<String> = parent.noted("caught")?;
    stage.claim(
        "the panic reached the parent",
        caught.as_deref(),
        equals(Some("lost the tune")),
    );
    let again = trace.count("runs again");
    stage.claim("times that anna went on: once", again, equals(1));
    let ran = trace.order_on("ben").len();
    stage.claim("times that ben ran: once", ran, equals(1));
    Ok(())
}
