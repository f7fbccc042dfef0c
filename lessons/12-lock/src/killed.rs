//! A buyer that dies with the lock in its hand.

use crate::shop::Shop;
use crate::write::Phase;
use crate::{Options, PATIENCE, buy};
use nix::sys::signal::{Signal, raise};
use shared::Stage;
use shared::lesson::equals;
use shared::process::{Event, Lock, Process};

/// A buyer is killed while it writes, with the lock in its hand. Who gets in,
/// and what does the file say?
///
/// - [ ] nobody: it stays locked
/// - [ ] the next one, who finds half a file
/// - [x] the next one, who is told of it; the file is whole
pub fn killed_with_the_lock(stage: &Stage) -> shared::Result {
    let shop = Shop::open(stage)?;
    let there_were = shop.look()?.tickets;
    let kill_at = stage.options::<Options>().kill_at;
    let (lock, locked) = (Lock::new(())?, Event::new()?);
    let (victim, next) = (stage.track("victim"), stage.track("next"));
    let killed = Process::spawn(|| -> shared::Result {
        let _held = lock.lock()?;
        locked.set();
        let _buys = victim.begin("buys");
        let mut data = shop.look()?;
        data.tickets -= 1;
        shop.put_in_phases(&data, |phase| {
            victim.say(phase.name());
            victim.pause(0.3);
            if phase == kill_at {
                raise(Signal::SIGKILL)?;
            }
            Ok(())
        })
    })?;
    let _ = locked.wait_timeout(PATIENCE);
    let buying = Process::spawn(|| {
        let held = next.span("waits", || lock.lock())?;
        let dead = held.dead_owner();
        next.note("died with the lock", dead.and_then(|dead| dead.pid()));
        if dead.is_some() {
            next.note("unfinished files", shop.unfinished()?.len());
            shop.clean_up()?;
        }
        let seen = shop.look();
        let tickets = seen.as_ref().ok().map(|data| data.tickets);
        next.note("the file says", tickets);
        if let Ok(data) = seen {
            next.span("buys", || buy(&next, &shop, data))?;
        }
        next.note("unfinished in the end", shop.unfinished()?.len());
        anyhow::Ok(())
    })?;
    let (pid, how) = (killed.pid(), killed.wait());
    buying.join()?;
    if how.signal().is_none() {
        killed.join()?; // says why
    }
    let trace = stage.trace()?;
    stage.claim("killed while it bought", trace.killed("buys"), equals(1));
    let dead: Option<u32> = trace.noted("next", "died with the lock")?;
    stage.claim("the next is told who died", dead, equals(Some(pid)));
    let sold = usize::from(kill_at == Phase::Renamed);
    let whole = Some(there_were - sold);
    let tickets: Option<usize> = trace.noted("next", "the file says")?;
    stage.claim("the file is whole", tickets, equals(whole));
    let left: usize = trace.noted("next", "unfinished in the end")?;
    stage.claim("unfinished files in the end", left, equals(0));
    shop.put_back()
}
