//! Two writers whom nobody but the class makes wait.

use crate::{TEN, desk};
use shared::Stage;
use shared::lesson::{differs_from, equals};

/// Two orders again. Nothing makes them meet but you: `--hold "has one"` stops
/// each when it has one, until you press Enter. Who writes?
///
/// - [ ] always both, sooner or later
/// - [x] both or nobody
/// - [ ] both, nobody, or only the one who comes first
pub fn by_hand(stage: &Stage) -> shared::Result {
    let end = desk::writers(stage, &TEN[..2], |writer, [first, second]| {
        writer.point("comes");
        let _first = first.lock(writer);
        writer.point("has one");
        let _second = second.lock(writer);
        writer.point("has both");
        writer.span("writes", || writer.pause(0.2));
        writer.say("has written");
    })?;
    let written = stage.trace()?.count("writes");
    stage.claim("pages written: none or two", written, differs_from(1));
    let stuck = end.stuck.len();
    stage.claim("stuck: who did not write", stuck, equals(2 - written));
    Ok(())
}
