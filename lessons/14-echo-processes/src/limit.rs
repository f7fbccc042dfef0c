//! No process is left.

use crate::NO_PROCESS;
use crate::echo::attend;
use crate::service::Service;
use nix::sys::resource::{Resource::RLIMIT_NPROC, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};
use shared::Stage;
use shared::lesson::equals;
use std::net::TcpStream;

/// The server may have no more processes, and a client comes. What does it
/// hear?
///
/// - [ ] nothing: it waits until there is a process for it
/// - [ ] that nobody listens: the server has ended
/// - [x] why it cannot be served; the server stays
pub fn process_limit(stage: &Stage) -> shared::Result {
    let (server, child) = (stage.track("server"), stage.track("child"));
    let (first, second) = (stage.track("first"), stage.track("second"));
    let serve = |client: &TcpStream| attend(client, &child);
    let service = Service::run(&server, serve, |mut at_work| {
        let (soft, hard) = getrlimit(RLIMIT_NPROC)?;
        if let Err(errno) = allow_one_process(hard) {
            server.record("why not", errno.to_string());
            return at_work.serve();
        }
        server.say("sets its limit of processes to one");
        while at_work.refused == 0 {
            at_work.turn()?;
        }
        setrlimit(RLIMIT_NPROC, soft, hard)?;
        server.say("may have children again");
        at_work.serve()
    })?;
    let heard = service.ask(&first, "hello");
    if heard == "HELLO" {
        service.until_left(1);
        let errno: Result<String, _> = server.noted("why not");
        let why = match errno {
            Ok(errno) => format!("the limit cannot be set: {errno}"),
            Err(_) => "no limit binds this user".to_owned(),
        };
        stage.cannot_show("a refused client", &why);
        return Ok(());
    }
    first.pause(0.5);
    let answer = service.ask(&second, "hello");
    service.until_left(1);
    stage.claim(
        "the first is told why not",
        heard == NO_PROCESS.trim_end(),
        equals(true),
    );
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
