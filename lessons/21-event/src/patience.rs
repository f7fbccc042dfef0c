//! Those who come late, and those who do not wait for ever.

use crate::Event;
use shared::Stage;
use shared::lesson::{at_least, equals};
use std::thread;
use std::time::{Duration, Instant};

/// The light is green already when a car comes. How long does it wait?
///
/// - [x] not at all
/// - [ ] for a moment: it has to be woken first
/// - [ ] until the light is set to green once more
pub fn too_late_to_wait(stage: &Stage) -> shared::Result {
    let (light, car) = (stage.track("light"), stage.track("car"));
    let green = Event::new();
    light.say("green");
    green.set();
    thread::scope(|scope| {
        scope.spawn(|| {
            let passes = green.wait_timeout(Duration::ZERO);
            car.note("passes, given no time at all", passes);
            car.span("drives", || car.pause(0.5));
        });
    });
    let passed = car.noted("passes, given no time at all")?;
    stage.claim("whoever comes later passes at once", passed, equals(true));
    Ok(())
}

/// The light stays red, and a car waits only so long. What does it hear?
///
/// - [x] that its time is over, and not before it is
/// - [ ] nothing: who waits cannot give up
/// - [ ] that the light is green: a wait ends well or never
pub fn only_so_long(stage: &Stage) -> shared::Result {
    let (light, car) = (stage.track("light"), stage.track("car"));
    let (green, gave_up) = (Event::new(), Event::new());
    let patience = stage.time(1.0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let came = Instant::now();
            let heard = car.span("waits", || green.wait_timeout(patience));
            let waited = came.elapsed().div_duration_f64(patience);
            car.note("green in time", heard);
            car.note("waited, of its time", waited);
            gave_up.set();
            car.span("waits", || green.wait());
            car.span("drives", || car.pause(0.5));
        });
        light.span("red", || {
            gave_up.wait();
            light.pause(1.0);
        });
        light.say("green");
        green.set();
    });
    let heard = car.noted("green in time")?;
    stage.claim("it hears that its time is over", heard, equals(false));
    let waited = car.noted("waited, of its time")?;
    stage.claim("not before it is over", waited, at_least(1.0));
    Ok(())
}
