//! How long a call waits.

use shared::Stage;
use shared::lesson::{at_least, equals};
use shared::process::{Process, Queue};
use std::time::Duration;

/// Nobody puts, nobody gets. How long does a call with a timeout wait?
///
/// - [ ] not at all: it looks once, and gives up
/// - [x] as long as the timeout says, never less
/// - [ ] until somebody comes
pub fn timeouts(stage: &Stage) -> shared::Result {
    let me = stage.track("me");
    let orders = Queue::bounded(1)?;
    let timeout = stage.time(1.0);
    let none = me.span("get", || orders.get_timeout(timeout));
    me.note("get_timeout", format!("{none:?}"));
    orders.put(&1)?;
    let second = me.span("put", || orders.put_timeout(&2, timeout));
    me.note("put_timeout", format!("{second:?}"));
    let trace = stage.trace()?;
    let waited = |call| trace.total(call).div_duration_f64(timeout);
    stage.claim(
        "get waits no less than the timeout",
        waited("get"),
        at_least(1.0),
    );
    stage.claim(
        "put waits no less than the timeout",
        waited("put"),
        at_least(1.0),
    );
    Ok(())
}

/// The cook would wait for an hour. An order comes after a second. What then?
///
/// - [ ] when the hour is over the cook gets it
/// - [x] the cook gets it and waits no longer
/// - [ ] it stays in the queue: the cook is asleep
pub fn in_time(stage: &Stage) -> shared::Result {
    let (waiter, cook) = (stage.track("waiter"), stage.track("cook"));
    let orders = Queue::<u32>::bounded(1)?;
    let hour = Duration::from_secs(3600);
    let kitchen = Process::spawn(|| {
        let order = cook.span("waits", || orders.get_timeout(hour)).ok();
        cook.note("gets", order);
        order
    })?;
    waiter.span("asks", || waiter.pause(1.0));
    orders.put(&7)?;
    stage.claim("the cook gets order", kitchen.join()?, equals(Some(7)));
    Ok(())
}
