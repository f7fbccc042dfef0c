//! What clients send that nobody expects.

use crate::service::{BOTH, Service};
use shared::lesson::equals;
use shared::lines::{Client, Ending, Exchange, ODD_ENDS, ODD_LINES};
use shared::{Stage, Track};
use std::io;
use std::time::Duration;

/// The odd clients of lesson 14: half a character, an empty line, a mebibyte,
/// no text at all, no end of the line. Is one of them answered otherwise?
///
/// - [x] no: the five are answered as in lesson 14
/// - [ ] yes: half a character is never answered
/// - [ ] yes: a mebibyte is too much for a coroutine
pub fn odd_lines(stage: &Stage) -> shared::Result {
    let mut right = Vec::new();
    for (name, serve) in BOTH {
        let service = Service::start(stage, name, serve)?;
        let client = stage.track(format!("at {name}"));
        let visits = ODD_LINES.iter().filter(|(oddity, visit)| {
            client.pause(0.2);
            let exchange = client.span(oddity, || visit(service.address));
            is_right(&client, oddity, exchange)
        });
        right.push(visits.count());
        service.hall.is_empty_soon();
    }
    for ((name, _), right) in BOTH.iter().zip(right) {
        let text = format!("{name}: the right answer to all five");
        stage.claim(&text, right, equals(ODD_LINES.len()));
    }
    Ok(())
}

/// Says what a client was answered, and whether that is right.
fn is_right(
    client: &Track,
    oddity: &str,
    exchange: io::Result<Exchange>,
) -> bool {
    match exchange {
        Ok(Exchange { answer, expected }) => {
            client.note(oddity, short(&answer));
            answer == expected
        }
        Err(error) => {
            client.note(oddity, error.to_string());
            false
        }
    }
}

/// In ASCII, so that bytes can be seen; or its length.
fn short(answer: &str) -> String {
    match answer.len() {
        0..=60 => format!("\"{}\"", answer.as_bytes().escape_ascii()),
        bytes => format!("{bytes} bytes"),
    }
}

/// The clients give up after 10 s at whatever speed; the server before that.
const MOST: Duration = Duration::from_secs(1);

/// One client vanishes, one sends a line without an end, one never reads what
/// it is answered. All of them share threads. Who else is harmed?
///
/// - [ ] those whose coroutine is on the same thread
/// - [x] nobody; two of the three are cut off
/// - [ ] all: the server ends
pub fn odd_ends(stage: &Stage) -> shared::Result {
    let mut ends = Vec::new();
    for (name, serve) in BOTH {
        let patience = stage.time(1.0).min(MOST);
        let service = Service::start_with(patience, stage, name, serve)?;
        let client = stage.track(format!("at {name}"));
        let visits = ODD_ENDS.iter().filter(|(oddity, visit)| {
            client.pause(0.2);
            let ending = client.span(oddity, || visit(service.address));
            is_cut_off(&client, oddity, ending)
        });
        let cut_off = visits.count();
        let empty = service.hall.is_empty_soon();
        let next = Client::connect(service.address)
            .and_then(|mut next| next.ask("and i?"))
            .unwrap_or_else(|error| error.to_string());
        client.note("the next", next.as_str());
        service.hall.is_empty_soon();
        ends.push((cut_off, empty, next));
    }
    for ((name, _), (cut_off, empty, next)) in BOTH.iter().zip(ends) {
        let text = format!("{name}: the endless and the deaf are cut off");
        stage.claim(&text, cut_off, equals(2));
        let text = format!("{name}: none of the three is left");
        stage.claim(&text, empty, equals(true));
        let text = format!("{name}: the next client is served");
        stage.claim(&text, next == "AND I?", equals(true));
    }
    Ok(())
}

/// Says how a client came to its end, and whether the server brought it there.
fn is_cut_off(
    client: &Track,
    oddity: &str,
    ending: io::Result<Ending>,
) -> bool {
    let (text, cut_off) = match ending {
        Ok(Ending::Vanished) => ("leaves by a reset".to_owned(), false),
        Ok(Ending::Told(why)) => (format!("is told \"{why}\""), true),
        Ok(Ending::CutOff) => ("is cut off".to_owned(), true),
        Err(error) => (format!("is not cut off: {error}"), false),
    };
    client.note(oddity, text);
    cut_off
}
