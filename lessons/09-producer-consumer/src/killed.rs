//! A consumer that dies at its work.

use super::{ITEMS, consume};
use anyhow::bail;
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Event, Process, Queue, QueueError};

/// A consumer is killed with an item in its hands. What is lost, and who
/// waits for it?
///
/// - [ ] nothing: the system gives the item back to the buffer
/// - [ ] that item; the others wait for it
/// - [x] that item; nobody waits for it
pub fn with_an_item(stage: &Stage) -> shared::Result {
    let (parent, victim) = (stage.track("parent"), stage.track("victim"));
    let buffer = Queue::bounded(16)?;
    let (in_hand, never) = (Event::new()?, Event::new()?);
    let dying = Process::builder().name("the victim").spawn(|| {
        let item: u32 = buffer.get()?;
        victim.note("takes", item);
        in_hand.set();
        victim.span("uses", || never.wait());
        Ok::<_, QueueError>(())
    })?;
    let mut others = Vec::new();
    for n in 1..=2 {
        let consumer = stage.track(format!("consumer {n}"));
        others.push(Process::spawn(|| {
            in_hand.wait(); // or they might take all there is
            consume(0.4, &buffer, &consumer)
        })?);
    }
    (1..=6).try_for_each(|item| buffer.put(&item))?;
    in_hand.wait();
    parent.pause(0.6);
    dying.kill()?;
    // Of a killed child, `join` returns no answer, but how it died.
    let Err(death) = dying.join() else { bail!("the victim was not killed") };
    parent.say(death.to_string());
    (7..=ITEMS).try_for_each(|item| buffer.put(&item))?;
    parent.mark("closes");
    buffer.close();
    let mut used = Vec::new();
    for consumer in others {
        used.extend(consumer.join()?);
    }
    let lost: Vec<u32> = (1..=ITEMS).filter(|n| !used.contains(n)).collect();
    parent.note("lost", lost.as_slice());
    let held: u32 = stage.trace()?.noted("victim", "takes")?;
    let others = used.len();
    stage.claim("used by the others", others, equals(ITEMS as usize - 1));
    stage.claim("lost: what the victim held", lost, equals(vec![held]));
    Ok(())
}
