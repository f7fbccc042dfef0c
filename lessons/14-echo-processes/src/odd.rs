//! What clients send that nobody expects.

use crate::echo::{attend, attend_with};
use crate::service::Service;
use shared::Stage;
use shared::lesson::equals;
use shared::lines::{Client, Ending, ODD_ENDS, ODD_LINES};

/// Half a character, an empty line, a mebibyte, no text at all, no end of the
/// line. What is the answer to each?
pub fn odd_lines(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let tracks = ODD_LINES.map(|(name, _)| stage.track(name));
    let service = Service::start(&server, |client| attend(client, &child))?;
    let mut right = 0;
    for (track, (_, visit)) in tracks.iter().zip(ODD_LINES) {
        track.pause(0.3);
        match track.span("connected", || visit(service.address)) {
            Ok(exchange) => {
                track.note("answer", short(&exchange.answer));
                right += usize::from(exchange.answer == exchange.expected);
            }
            Err(error) => track.note("no answer", error.to_string()),
        }
    }
    service.until_left(ODD_LINES.len());
    let all = ODD_LINES.len();
    stage.claim("the right answer: to all five", right, equals(all));
    Ok(())
}

/// In ASCII, so that bytes can be seen; or its length.
fn short(answer: &str) -> String {
    match answer.len() {
        0..=60 => format!("\"{}\"", answer.as_bytes().escape_ascii()),
        bytes => format!("{bytes} bytes"),
    }
}

/// One client vanishes, one sends a line without an end, one never reads what
/// it is answered. Who else is harmed?
pub fn odd_ends(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let tracks = ODD_ENDS.map(|(name, _)| stage.track(name));
    let next = stage.track("next");
    let patience = stage.time(1.0);
    let service = Service::start(&server, |client| {
        attend_with(patience, client, &child);
    })?;
    let mut cut_off = 0;
    for (track, (_, visit)) in tracks.iter().zip(ODD_ENDS) {
        track.pause(0.3);
        let ending = track.span("connected", || visit(service.address));
        match &ending {
            Ok(Ending::Vanished) => track.say("leaves by a reset"),
            Ok(Ending::Told(why)) => track.note("is cut off", why.as_str()),
            Ok(Ending::CutOff) => track.say("is cut off"),
            Err(error) => track.note("is not cut off", error.to_string()),
        }
        cut_off +=
            usize::from(matches!(ending, Ok(Ending::Told(_) | Ending::CutOff)));
    }
    let ended = service.until_left(ODD_ENDS.len());
    let answer = Client::connect(service.address)
        .and_then(|mut client| client.ask("and i?"))
        .unwrap_or_else(|error| error.to_string());
    next.note("answer", answer.as_str());
    service.until_left(1);
    let text = "cut off: the endless and the deaf one";
    stage.claim(text, cut_off, equals(2));
    stage.claim("their processes have ended: all three", ended, equals(3));
    let served = answer == "AND I?";
    stage.claim("the next client is served", served, equals(true));
    Ok(())
}
