//! How a thread ends when it has not come to its end.

use shared::lesson::{at_least, equals};
use shared::process::{Event, Process};
use shared::{Stage, Track};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// A thread writes two pages; meanwhile main comes to its last line. What
/// becomes of page 2 if main joins the thread (1), and what if not (2)?
///
/// - [ ] written each time: main waits for its threads
/// - [ ] joined: written; not joined: written later
/// - [x] joined: written; not joined: lost
pub fn main_ends(stage: &Stage) -> shared::Result {
    let names = ["main 1", "writer 1"];
    main_with_a_writer(names.map(|name| stage.track(name)), true)?;
    let names = ["main 2", "writer 2"];
    main_with_a_writer(names.map(|name| stage.track(name)), false)?;
    let trace = stage.trace()?;
    let pages = |writer| {
        let events = trace.order_on(writer).into_iter();
        events.filter(|event| *event == "page").count()
    };
    stage.claim("joined: pages", pages("writer 1"), equals(2));
    stage.claim("not joined: pages", pages("writer 2"), equals(1));
    Ok(())
}

/// A process of its own, so that its main can end before the lesson does.
fn main_with_a_writer(
    [main, writer]: [Track; 2],
    joins: bool,
) -> shared::Result {
    let ink = Arc::new(Event::new()?); // for page 2
    let process = Process::spawn(|| {
        let (tell, told) = channel();
        let bottle = Arc::clone(&ink);
        let handle = thread::spawn(move || write(&writer, tell, &bottle));
        let _ = told.recv(); // page 1 is written
        main.span("runs", || main.pause(1.0));
        main.say("my last line");
        if joins {
            ink.set();
            let _ = main.span("joins", || handle.join());
        }
    })?;
    process.join()?;
    ink.set(); // whoever still lives can go on now
    Ok(())
}

fn write(writer: &Track, tell: Sender<()>, ink: &Event) {
    writer.span("writes", || {
        writer.note("page", 1);
        let _ = tell.send(());
        ink.wait();
        writer.pause(1.0);
        writer.note("page", 2);
    });
}

/// A clock ticks in a thread, and would never end. How does main stop it?
///
/// - [ ] by a signal, as one stops a process
/// - [x] by asking: the thread looks now and then, and returns
/// - [ ] by dropping its handle: the thread ends with it
pub fn asked_to_stop(stage: &Stage) -> shared::Result {
    let (main, clock) = (stage.track("main"), stage.track("clock"));
    let stop = AtomicBool::new(false);
    let (tell, ticks) = channel();
    thread::scope(|scope| {
        let handle = scope.spawn(|| tick(&clock, &stop, tell));
        ticks.iter().take(3).for_each(drop);
        main.say("please stop");
        main.mark("asks");
        stop.store(true, Release);
        let _ = main.span("joins", || handle.join());
    });
    let trace = stage.trace()?;
    let asked = trace.find("main", "asks")?;
    let stopped = trace.find("clock", "stops")?;
    let ticks = trace.spans_named("ticks").filter(|tick| tick.end < asked);
    stage.claim("ticks before it was asked", ticks.count(), at_least(3));
    stage.claim("it stopped after that", asked < stopped, equals(true));
    Ok(())
}

fn tick(clock: &Track, stop: &AtomicBool, tell: Sender<()>) {
    while !stop.load(Acquire) {
        clock.span("ticks", || clock.pause(0.7));
        let _ = tell.send(());
    }
    clock.mark("stops");
}
