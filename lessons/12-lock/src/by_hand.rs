//! Two buyers whom nobody but the class makes wait.

use crate::buy;
use crate::shop::Shop;
use shared::Stage;
use shared::lesson::at_most;
use shared::process::Process;

/// Two buyers. Nothing makes them meet but you: `--hold "has looked"` stops
/// each when it has looked, until you press Enter. How many sales can be lost?
///
/// - [x] none or one: whoever writes last has taken one away
/// - [ ] none: each takes one ticket away
/// - [ ] both, if both write at the same moment
pub fn by_hand(stage: &Stage) -> shared::Result {
    let shop = Shop::open(stage)?;
    let there_were = shop.look()?.tickets;
    let buyers = ["anna", "ben"].map(|name| stage.track(name));
    let mut running = Vec::new();
    for buyer in &buyers {
        running.push(Process::builder().name(buyer.name()).spawn(|| {
            buyer.point("comes");
            let data = shop.look()?;
            buyer.note("sees", data.tickets);
            buyer.point("has looked");
            buy(buyer, &shop, data)?;
            buyer.point("leaves");
            anyhow::Ok(())
        })?);
    }
    let ends: Vec<_> = running.into_iter().map(Process::join).collect();
    ends.into_iter().collect::<Result<(), _>>()?;
    let (sold, left) = (stage.trace()?.count("bought"), shop.look()?.tickets);
    stage.track("file").note("says", left);
    stage.claim(
        "at most one sale is lost",
        (sold + left).saturating_sub(there_were),
        at_most(1),
    );
    shop.put_back()
}
