//! No process is left.

use crate::NO_PROCESS;
use crate::echo::attend;
use crate::service::Service;
use nix::sys::resource::{Resource::RLIMIT_NPROC, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};
use shared::lesson::equals;
use shared::lines::Client;
use shared::{Stage, Track};
use std::net::TcpStream;

/// The server may have no more processes, and a client comes. What does it
/// hear?
pub fn process_limit(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let (first, second) = (stage.track("first"), stage.track("second"));
    let serve = |client: &TcpStream| attend(client, &child);
    let service = Service::run(&server, serve, |mut at_work| {
        let (soft, hard) = getrlimit(RLIMIT_NPROC)?;
        if allow_one_process(hard).is_ok() {
            while at_work.refused == 0 {
                at_work.turn()?;
            }
            setrlimit(RLIMIT_NPROC, soft, hard)?;
            server.say("may have children again");
        }
        at_work.serve()
    })?;
    let ask = |client: &Track| {
        let answer = client.span("connected", || {
            Client::connect(service.address)
                .and_then(|mut client| client.ask("hello"))
                .unwrap_or_else(|error| error.to_string())
        });
        client.note("answer", answer.as_str());
        answer
    };
    let heard = ask(&first);
    if heard == "HELLO" {
        service.until_left(1);
        stage.cannot_show("a refused client", "no limit binds this user");
        return Ok(());
    }
    first.pause(0.5);
    let answer = ask(&second);
    service.until_left(1);
    let told = heard == NO_PROCESS.trim_end();
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
