//! Two threads whom nobody but the class makes wait.

use shared::Stage;
use shared::lesson::between;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;

/// Nothing makes them meet, unless you do: `--hold "has read"` stops each when
/// it has read, until you press Enter. What can come out?
///
/// - [ ] only 0: each does its update in the end
/// - [x] 1, 0 or -1: one update is lost, or none
/// - [ ] only 1 or -1: one of the two is always lost
pub fn by_hand(stage: &Stage) -> shared::Result {
    let number = &AtomicI64::new(0);
    thread::scope(|scope| {
        for (name, change) in [("anna", 1), ("ben", -1)] {
            let track = stage.track(name);
            scope.spawn(move || {
                track.point("comes");
                let seen = number.load(Relaxed);
                track.note("reads", seen);
                track.point("has read");
                number.store(seen + change, Relaxed);
                track.note("writes", seen + change);
                track.point("has written");
            });
        }
    });
    let left = number.load(Relaxed);
    stage.claim("at most one update is lost", left, between(-1, 1));
    Ok(())
}
