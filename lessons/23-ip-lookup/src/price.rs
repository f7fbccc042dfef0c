//! What more threads bring.

use crate::addresses::known;
use crate::service::{Options, open};
use crate::{ask, share};
use shared::Stage;

/// Three threads, six, twelve, 24, 48. Do twice as many always take half the
/// time?
pub fn how_many_pay(stage: &Stage) -> shared::Result {
    if stage.options::<Options>().url.is_some() {
        let why = "the service of --url is not asked for that";
        stage.cannot_show("how many threads pay", why);
        return Ok(());
    }
    let (_site, service) = open(stage, 0)?;
    for number in [3, 6, 12, 24, 48] {
        stage.measure(&format!("threads: {number}"), 1, || {
            share(stage, &mut known(), number, |thread, row| {
                ask(thread, &service, row);
            });
            Ok(())
        })?;
    }
    Ok(())
}
