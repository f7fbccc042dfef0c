//! Producer and consumer: made and used at different speeds.
//!
//! One makes, another uses. What stands between them, and what if one of them
//! is too fast, or dies?

mod killed;
mod level;
mod price;
mod several;

use shared::lesson::{at_least, at_most, equals};
use shared::process::{Process, Queue, QueueError};
use shared::{Stage, Track, lesson};
use std::{ops::RangeInclusive, process::ExitCode};

const ITEMS: u32 = 10;
const ROOM: usize = 3;

fn main() -> ExitCode {
    lesson![
        one_of_each,
        small_buffer,
        several::two_and_three,
        killed::with_an_item,
        price::price,
    ]
    .run()
}

/// The producer makes ten items. How does the consumer know that these are
/// all?
///
/// - [ ] the buffer is empty when it wants one more
/// - [x] the producer closes the buffer, and it is empty
/// - [ ] the producer's process has ended
fn one_of_each(stage: &Stage) -> shared::Result {
    let (producer, consumer) =
        (stage.track("producer"), stage.track("consumer"));
    let buffer = Queue::bounded(16)?;
    let making = Process::spawn(|| {
        let made = produce(1..=ITEMS, 0.2, &buffer, &producer);
        producer.mark("closes");
        buffer.close(); // what is in it can still be got
        made
    })?;
    let using = Process::spawn(|| consume(0.3, &buffer, &consumer))?;
    making.join()?;
    let all = (1..=ITEMS).collect();
    stage.claim("used, in this order", using.join()?, equals(all));
    Ok(())
}

/// Makes the items, each in so many seconds.
fn produce(
    items: RangeInclusive<u32>,
    seconds: f64,
    buffer: &Queue<u32>,
    producer: &Track,
) -> Result<(), QueueError> {
    for item in items {
        producer.span("makes", || producer.pause(seconds));
        // It asks first, so that being held back can be seen.
        producer.span("puts", || match buffer.try_put(&item) {
            Err(QueueError::Full { .. }) => {
                producer.span("blocked", || buffer.put(&item))
            }
            at_once => at_once,
        })?;
    }
    Ok(())
}

/// Uses items until the buffer is closed and empty; returns them.
fn consume(seconds: f64, buffer: &Queue<u32>, consumer: &Track) -> Vec<u32> {
    let (mut items, mut used) = (buffer.iter(), Vec::new());
    while let Some(item) = consumer.span("waits", || items.next()) {
        consumer.mark_with("takes", [("value", item.into())]);
        consumer.span("uses", || consumer.pause(seconds));
        used.push(item);
    }
    consumer.note("used", used.len());
    used
}

/// A fast producer, room for three, and a slow consumer that comes late. Who
/// waits for whom?
///
/// - [x] the producer for room in the buffer
/// - [ ] nobody: the buffer grows with what is made
/// - [ ] only the consumer waits: a fast producer need not
fn small_buffer(stage: &Stage) -> shared::Result {
    let (producer, curve) = (stage.track("producer"), stage.track("buffer"));
    let consumer = stage.track("consumer");
    let buffer = Queue::bounded(ROOM)?;
    let making = Process::spawn(|| {
        let made = produce(1..=ITEMS, 0.1, &buffer, &producer);
        producer.mark("closes");
        buffer.close();
        made
    })?;
    while making.is_alive() && stage.trace()?.count("blocked") == 0 {
        level::look(&buffer, &curve);
    }
    let using = Process::spawn(|| consume(0.4, &buffer, &consumer))?;
    while using.is_alive() {
        level::look(&buffer, &curve);
    }
    making.join()?;
    let trace = stage.trace()?;
    let times = level::times(&trace);
    producer.note("took, as a multiple of its making", format!("{times:.1}"));
    let (held, most) = (trace.count("blocked"), level::most(&trace));
    stage.claim("puts that were held back", held, at_least(1));
    stage.claim("never more than there is room for", most, at_most(ROOM));
    stage.claim("and once it was full", most, at_least(ROOM));
    Ok(())
}
