//! Several who make, several who use.

use crate::{ROOM, consume, produce};
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Process, Queue};

/// Two producers, three consumers, one buffer. Who closes it, and when?
///
/// - [ ] the first producer that is done
/// - [ ] the last consumer, when the buffer is empty
/// - [x] whoever started them, when both producers have ended
pub fn two_and_three(stage: &Stage) -> shared::Result {
    let (parent, buffer) = (stage.track("parent"), Queue::bounded(ROOM)?);
    let (mut making, mut using) = (Vec::new(), Vec::new());
    for (n, items) in [(1, 1..=6), (2, 7..=12)] {
        let producer = stage.track(format!("producer {n}"));
        making
            .push(Process::spawn(|| produce(items, 0.2, &buffer, &producer))?);
    }
    for n in 1..=3 {
        let consumer = stage.track(format!("consumer {n}"));
        using.push(Process::spawn(|| consume(0.5, &buffer, &consumer))?);
    }
    making.into_iter().try_for_each(Process::join)?;
    parent.mark("closes");
    buffer.close(); // nobody is left who could put
    let mut used = Vec::new();
    for consumer in using {
        used.extend(consumer.join()?);
    }
    used.sort_unstable();
    stage.claim("used, each once", used, equals((1..=12).collect()));
    Ok(())
}
