//! What a semaphore that knows its bound notices.

use crate::{SEATS, Semaphore};
use shared::Stage;
use shared::lesson::{differs_from, equals};

/// Someone releases a permit that was never acquired. Who notices?
///
/// - [ ] nobody: too many permits do no harm
/// - [ ] both kinds: they know who has a permit
/// - [x] the bounded one: it knows how many there were
pub fn one_release_too_many(stage: &Stage) -> shared::Result {
    let (plain, bounded) = (stage.track("plain"), stage.track("bounded"));
    let seats = Semaphore::new(SEATS, None);
    plain.note("release", said(&seats.release()));
    plain.note("permits", *seats.free());
    let seats = Semaphore::new(SEATS, Some(SEATS));
    bounded.note("release", said(&seats.release()));
    bounded.note("permits", *seats.free());

    let more: usize = plain.noted("permits")?;
    stage.claim("the plain one counts one more", more, equals(SEATS + 1));
    let same: usize = bounded.noted("permits")?;
    stage.claim("the bounded one as many as before", same, equals(SEATS));
    let refusal: String = bounded.noted("release")?;
    let ok = differs_from("ok".to_owned());
    stage.claim("and refuses the release", refusal, ok);
    Ok(())
}

fn said(result: &shared::Result) -> String {
    result.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned())
}
