//! A green that is over before anybody who waits can look.

use crate::{CARS, Event, cars};
use shared::lesson::equals;
use shared::{Stage, Track};
use std::thread;
use std::time::Duration;

/// The light is green for a moment, and who wakes asks: is it green? Who
/// drives?
///
/// - [ ] all: they were woken by it
/// - [ ] some: those who look soon enough
/// - [x] nobody, until it is green to stay
pub fn forgotten(stage: &Stage) -> shared::Result {
    let green = Event::that_forgets();
    flash(stage, &green, |light| {
        light.span("red again", || light.pause(1.0));
        light.say("green to stay");
        green.set();
    });
    let woken = stage.trace()?.overlap("red again", "drives");
    stage.claim(
        "nobody drives before it is green to stay",
        woken,
        equals(false),
    );
    Ok(())
}

/// The same moment, and who wakes asks: was it green since I came? Who drives?
///
/// - [ ] nobody: it is red again
/// - [x] all: it was set while they slept
/// - [ ] some: those who look soon enough
pub fn remembered(stage: &Stage) -> shared::Result {
    flash(stage, &Event::new(), |_| {});
    let driven = stage.trace()?.count("drives");
    stage.claim("cars that drive: all, and it is red", driven, equals(CARS));
    Ok(())
}

fn flash(stage: &Stage, green: &Event, later: impl FnOnce(&Track)) {
    let light = stage.track("light");
    // None is to give up before the last has come, at any speed.
    let patience = Duration::from_secs(10).max(stage.time(20.0));
    thread::scope(|scope| {
        for car in cars(stage) {
            scope.spawn(move || {
                if car.span("waits", || green.wait_timeout(patience)) {
                    car.span("drives", || car.pause(0.5));
                }
            });
        }
        // If they do not come, what is claimed of them will not hold.
        green.until_waiting(CARS, patience);
        light.say("green and red again");
        green.flash();
        later(&light);
    });
}
