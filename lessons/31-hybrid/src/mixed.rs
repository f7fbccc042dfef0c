//! Some of each.

use crate::mixture::{Mixture, Options};
use crate::server::{self, wait_then_compute};
use shared::Stage;
use shared::lesson::equals;

/// P processes, T threads in each, C coroutines on each of those: 2x2x2, or as
/// --mixture says. How many requests wait at once, and how many compute?
///
/// - [ ] P x T x C wait, P x T x C compute
/// - [x] P x T x C wait, P x T compute
/// - [ ] P x T wait, P compute
pub fn hybrid(stage: &Stage) -> shared::Result {
    let mixture = stage.options::<Options>().mixture;
    wait_then_compute(stage, mixture)?;
    let trace = stage.trace()?;
    let Mixture { processes, threads, .. } = mixture;
    let waiting = trace.peak("waits");
    stage.claim("wait at once: P x T x C", waiting, equals(mixture.places()));
    let computing = trace.peak("computes");
    stage.claim(
        "compute at once: P x T",
        computing,
        equals(processes * threads),
    );
    let found = server::processes_that_answered(&trace);
    stage.claim("processes that answer: P", found, equals(processes));
    let (once, asked) = (server::answered_once(&trace), 2 * mixture.places());
    stage.claim("answered exactly once: all", once, equals(asked));
    Ok(())
}
