//! Event: one light, twenty cars.
//!
//! A lock lets them pass one by one. What lets all of them pass at once?

mod event;
mod flash;
mod patience;
mod started;

use event::Event;
use shared::lesson::equals;
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::thread;

const CARS: usize = 20;

fn main() -> ExitCode {
    lesson![
        red_then_green,
        patience::too_late_to_wait,
        patience::only_so_long,
        flash::forgotten,
        flash::remembered,
        started::really_started,
        started::price;
        event,
    ]
    .run()
}

/// Twenty cars wait for one light, which turns green once. How many drive?
///
/// - [ ] one: an event wakes one of those who wait
/// - [ ] as many as there are cores
/// - [x] all, when it is green
fn red_then_green(stage: &Stage) -> shared::Result {
    let (light, green) = (stage.track("light"), Event::new());
    thread::scope(|scope| {
        for car in cars(stage) {
            let green = &green;
            scope.spawn(move || {
                car.span("waits", || green.wait());
                car.span("drives", || car.pause(0.5));
            });
        }
        light.span("red", || light.pause(1.5));
        light.say("green");
        green.set();
    });
    let trace = stage.trace()?;
    let early = trace.overlap("red", "drives");
    stage.claim("no car drives while it is red", early, equals(false));
    let driven = trace.count("drives");
    stage.claim("cars that drive then: all", driven, equals(CARS));
    Ok(())
}

fn cars(stage: &Stage) -> Vec<Track> {
    (1..=CARS).map(|n| stage.track(format!("car {n}"))).collect()
}
