//! Clients that say little.

use crate::descriptors;
use crate::service::{BOTH, Service};
use shared::Stage;
use shared::lesson::equals;
use shared::lines::Client;

/// So many say nothing at all.
const SILENT: usize = 500;
const SLOWLY: &str = "slowly\n";

/// Hundreds say nothing, and one says a letter now and then. Another one asks
/// between the letters. When is it answered?
pub fn silent_and_slow(stage: &Stage) -> shared::Result {
    if let Some(why) = descriptors::for_clients(SILENT + 2) {
        stage.cannot_show(&format!("{SILENT} silent clients"), &why);
        return Ok(());
    }
    for (name, serve) in BOTH {
        let service = Service::start(stage, name, serve)?;
        let slow = stage.track(format!("slow, {name}"));
        let quick = stage.track(format!("quick, {name}"));
        let connect = || Client::connect(service.address);
        let silent: Vec<_> =
            (0..SILENT).map(|_| connect()).collect::<Result<_, _>>()?;
        let (mut slow_one, mut quick_one) = (connect()?, connect()?);
        let mut answers = 0;
        for letter in SLOWLY.chars() {
            slow.span("a letter", || {
                slow.pause(0.2);
                slow_one.send(letter.to_string().as_bytes())
            })?;
            if letter == '\n' {
                break;
            }
            let answer = quick.span("asks", || quick_one.ask("and i?"));
            let Ok(answer) = answer else { break };
            answers += usize::from(answer == "AND I?");
        }
        let answer = slow_one.answer().unwrap_or_else(|e| e.to_string());
        slow.note("answer", answer.as_str());
        drop((silent, slow_one, quick_one));
        service.hall.is_empty_soon();
        let text = format!("{name}: answered between the letters");
        stage.claim(&text, answers, equals(SLOWLY.len() - 1));
        let text = format!("{name}: the slow one is answered too");
        stage.claim(&text, answer == "SLOWLY", equals(true));
    }
    Ok(())
}
