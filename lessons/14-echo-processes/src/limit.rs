//! No process is left.

use crate::clients::Client;
use crate::echo::attend;
use crate::service::Service;
use nix::sys::resource::{Resource::RLIMIT_NPROC, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};
use shared::Stage;
use shared::lesson::equals;

/// The server may have no more processes, and a client comes. What does it
/// hear?
pub fn process_limit(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let (first, second) = (stage.track("first"), stage.track("second"));
    let service = Service::run(
        |client| attend(client, &child),
        |mut at_work| {
            let (soft, hard) = getrlimit(RLIMIT_NPROC)?;
            if allow_one_process(hard).is_ok() {
                server.say("may have no child");
                while at_work.refused == 0 {
                    at_work.turn()?;
                }
                setrlimit(RLIMIT_NPROC, soft, hard)?;
                server.say("may have children again");
            }
            at_work.serve()
        },
    )?;
    let mut client = Client::connect(service.address)?;
    let heard = first.span("connected", || client.ask("hello"))?;
    first.note("answer", heard.as_str());
    if heard == "HELLO" {
        stage.cannot_show("a refused client", "no limit binds this user");
        return Ok(());
    }
    first.pause(0.5);
    let mut client = Client::connect(service.address)?;
    let answer = second.span("connected", || client.ask("hello"))?;
    second.note("answer", answer.as_str());
    drop(client);
    service.until_left(1)?;
    let told = heard.starts_with("error: ") && heard.contains("limit");
    stage.claim("the first is told why not", told, equals(true));
    let text = "the server stays, and serves the second";
    stage.claim(text, answer == "HELLO", equals(true));
    Ok(())
}

fn allow_one_process(hard: u64) -> nix::Result<()> {
    setrlimit(RLIMIT_NPROC, 1, hard)?;
    if Uid::current().is_root() {
        // The limit does not bind root (setrlimit(2)): become nobody.
        setuid(Uid::from_raw(65_534))?;
    }
    Ok(())
}
