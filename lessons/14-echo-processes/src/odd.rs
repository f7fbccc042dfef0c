//! What clients send that nobody expects.

use crate::echo::{attend, attend_with};
use crate::service::Service;
use shared::lesson::equals;
use shared::lines::{Ending, Exchange, ODD_ENDS, ODD_LINES};
use shared::{Stage, Track};
use std::io;
use std::net::TcpStream;
use std::time::Duration;

/// Half a character, an empty line, a mebibyte, no text at all, no end of the
/// line. What is the answer to each?
///
/// - [x] the line in upper case, or a line that says why not
/// - [ ] what is no text ends the process that reads it
/// - [ ] none: whoever sends such things is cut off at once
pub fn odd_lines(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let tracks = ODD_LINES.map(|(name, _)| stage.track(name));
    let service = Service::start(&server, |client| attend(client, &child))?;
    let mut right = 0;
    for (track, (_, visit)) in tracks.iter().zip(ODD_LINES) {
        track.pause(0.3);
        let exchange = track.span("connected", || visit(service.address));
        right += usize::from(is_right(track, exchange));
    }
    service.until_left(ODD_LINES.len());
    let all = ODD_LINES.len();
    stage.claim("in upper case, or told why not: all five", right, equals(all));
    Ok(())
}

/// Says what a client was answered, and what it should have been.
fn is_right(client: &Track, exchange: io::Result<Exchange>) -> bool {
    let Exchange { answer, expected } = match exchange {
        Ok(exchange) => exchange,
        Err(error) => {
            client.note("no answer", error.to_string());
            return false;
        }
    };
    client.note("answer", short(&answer));
    if answer != expected {
        client.note("right would be", short(&expected));
    }
    answer == expected
}

/// Its bytes, and beside them the letters where that is something else; or its
/// length.
fn short(answer: &str) -> String {
    match answer.len() {
        0..=60 if answer.is_ascii() => format!("{answer:?}"),
        0..=60 => {
            format!("\"{}\" = {answer}", answer.as_bytes().escape_ascii())
        }
        bytes => format!("{bytes} bytes"),
    }
}

/// The clients give up after 10 s at whatever speed; the server before that.
const MOST: Duration = Duration::from_secs(1);

/// One client vanishes, one sends a line without an end, one never reads what
/// it is answered. Who else is harmed: one that is here already, or the next?
///
/// - [ ] the next: it waits for the one that never reads
/// - [x] neither of them
/// - [ ] both: the server ends with such a client
pub fn odd_ends(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let stays = stage.track("stays");
    let tracks = ODD_ENDS.map(|(name, _)| stage.track(name));
    let next = stage.track("next");
    let patience = stage.time(1.0).min(MOST);
    let serve = |client: &TcpStream| attend_with(patience, client, &child);
    let service = Service::start(&server, serve)?;
    let (connected, mut one) = service.welcome(&stays)?;
    let mut cut_off = 0;
    for (track, (_, visit)) in tracks.iter().zip(ODD_ENDS) {
        track.pause(0.3);
        let ending = track.span("connected", || visit(service.address));
        cut_off += usize::from(is_cut_off(track, ending));
    }
    let ended = service.until_left(ODD_ENDS.len());
    let still = one.ask("and i?").unwrap_or_else(|error| error.to_string());
    stays.note("answer", still.as_str());
    drop((one, connected));
    let answer = service.ask(&next, "and i?");
    service.until_left(2);
    stage.claim("cut off: the endless and the deaf one", cut_off, equals(2));
    stage.claim("their processes have ended: all three", ended, equals(3));
    let served = still == "AND I?";
    stage.claim("who was here all the time is served", served, equals(true));
    let served = answer == "AND I?";
    stage.claim("the next client is served", served, equals(true));
    Ok(())
}

/// Says how a client came to its end, and whether the server brought it there.
fn is_cut_off(client: &Track, ending: io::Result<Ending>) -> bool {
    match &ending {
        Ok(Ending::Vanished) => client.say("leaves by a reset"),
        Ok(Ending::Told(why)) => client.note("is cut off", why.as_str()),
        Ok(Ending::CutOff) => client.say("is cut off"),
        Err(error) => client.note("is not cut off", error.to_string()),
    }
    matches!(ending, Ok(Ending::Told(_) | Ending::CutOff))
}
