//! Clients that say little.

use crate::crowd::Crowd;
use crate::descriptors;
use crate::service::{BOTH, Service};
use shared::lesson::equals;
use shared::lines::Client;
use shared::trace::Trace;
use shared::{Stage, Track};
use std::io;

/// So many say nothing more.
const SILENT: usize = 500;
const SLOWLY: &str = "slowly\n";

/// Hundreds say a word and then nothing more, and one says a letter now and
/// then. Another one asks between the letters. When is it answered?
///
/// - [x] at once: who waits holds nobody up
/// - [ ] when the slow one has its answer
/// - [ ] when the silent ones are dropped
pub fn silent_and_slow(stage: &Stage) -> shared::Result {
    if let Some(why) = descriptors::for_clients(SILENT + 2) {
        stage.cannot_show(&format!("{SILENT} silent clients"), &why);
        return Ok(());
    }
    let mut answered = Vec::new();
    for (name, serve) in BOTH {
        let service = Service::start(stage, name, serve)?;
        let slow = stage.track(format!("slow, {name}"));
        let quick = stage.track(format!("quick, {name}"));
        let mut silent = Crowd::connect(service.address, SILENT)?;
        silent.all_ask("hello"); // all are being served then
        let slow = (slow, Client::connect(service.address)?);
        let quick = (quick, Client::connect(service.address)?);
        answered.push(letter_by_letter(slow, quick)?);
        drop(silent);
        service.hall.is_empty_soon();
    }
    let trace = stage.trace()?;
    for ((name, _), (times, slow)) in BOTH.iter().zip(answered) {
        let here = here_when_asked(&trace, name);
        let text = format!("{name}: served at the same time: all 502");
        stage.claim(&text, here, equals(SILENT + 2));
        let text = format!("{name}: answered between the letters");
        stage.claim(&text, times, equals(SLOWLY.len() - 1));
        let text = format!("{name}: the slow one is answered too");
        stage.claim(&text, slow == "SLOWLY", equals(true));
    }
    Ok(())
}

/// How often the quick one is answered between the letters of the slow one,
/// and what that is answered in the end.
fn letter_by_letter(
    (slow, mut slow_one): (Track, Client),
    (quick, mut quick_one): (Track, Client),
) -> io::Result<(usize, String)> {
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
        let Ok(answer) = answer else {
            return Ok((answers, "nobody waited for it".to_owned()));
        };
        answers += usize::from(answer == "AND I?");
    }
    let answer = slow_one.answer().unwrap_or_else(|e| e.to_string());
    slow.note("answer", answer.as_str());
    Ok((answers, answer))
}

/// How many clients a server had when the quick one had its last answer.
fn here_when_asked(trace: &Trace, server: &str) -> usize {
    let quick = format!("quick, {server}");
    let events = trace.events();
    let last = events.iter().rposition(|event| event.track == quick);
    let before = &events[..last.unwrap_or(0)];
    let mut here = before.iter().rev().filter(|event| event.track == server);
    here.find_map(|event| event.value()?.as_u64()).unwrap_or(0) as usize
}
