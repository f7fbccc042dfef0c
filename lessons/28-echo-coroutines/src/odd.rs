//! What clients send that nobody expects.

use crate::service::{BOTH, Service};
use shared::lesson::equals;
use shared::lines::{Client, Ending, ODD_ENDS, ODD_LINES};
use shared::{Stage, Track};

/// The odd clients of lesson 14: half a character, an empty line, a mebibyte,
/// no text at all, no end of the line. Is one of them answered otherwise?
pub fn odd_lines(stage: &Stage) -> shared::Result {
    for (name, serve) in BOTH {
        let service = Service::start(stage, name, serve)?;
        let client = stage.track(format!("at {name}"));
        let mut right = 0;
        for (oddity, visit) in ODD_LINES {
            client.pause(0.2);
            match client.span(oddity, || visit(service.address)) {
                Ok(exchange) => {
                    client.note(oddity, short(&exchange.answer));
                    right += usize::from(exchange.answer == exchange.expected);
                }
                Err(error) => client.note(oddity, error.to_string()),
            }
        }
        service.hall.is_empty_soon();
        let text = format!("{name}: the right answer to all five");
        stage.claim(&text, right, equals(ODD_LINES.len()));
    }
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
/// it is answered. All of them share threads. Who else is harmed?
pub fn odd_ends(stage: &Stage) -> shared::Result {
    for (name, serve) in BOTH {
        let patience = stage.time(1.0);
        let service = Service::start_with(patience, stage, name, serve)?;
        let client = stage.track(format!("at {name}"));
        let mut cut_off = 0;
        for (oddity, visit) in ODD_ENDS {
            client.pause(0.2);
            let ending = client.span(oddity, || visit(service.address));
            cut_off += usize::from(is_cut_off(&client, oddity, ending));
        }
        let empty = service.hall.is_empty_soon();
        let answer = Client::connect(service.address)
            .and_then(|mut client| client.ask("and i?"))
            .unwrap_or_else(|error| error.to_string());
        client.note("the next", answer.as_str());
        service.hall.is_empty_soon();
        let text = format!("{name}: the endless and the deaf are cut off");
        stage.claim(&text, cut_off, equals(2));
        let text = format!("{name}: none of the three is left");
        stage.claim(&text, empty, equals(true));
        let text = format!("{name}: the next client is served");
        stage.claim(&text, answer == "AND I?", equals(true));
    }
    Ok(())
}

/// Says how a client came to its end, and whether the server brought it there.
fn is_cut_off(
    client: &Track,
    oddity: &str,
    ending: std::io::Result<Ending>,
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
