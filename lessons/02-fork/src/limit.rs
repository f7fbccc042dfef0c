//! How many processes a user may have.

use crate::child::{fork_and_wait, in_child, wait_for};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};
use shared::lesson::equals;
use shared::{Stage, Track};

/// A user may have only so many processes. What does fork say then?
///
/// - [x] that it fails: EAGAIN
/// - [ ] nothing: it waits until one has ended
/// - [ ] nothing: the system ends whoever asks for one too many
pub fn no_more_processes(stage: &Stage) -> shared::Result {
    let (parent, child) = (stage.track("parent"), stage.track("child"));
    let said = match fork_over_the_limit(&parent, &child)? {
        Ok(said) => said,
        Err(why) => {
            stage.cannot_show("a refused fork", &why);
            return Ok(());
        }
    };
    stage.claim("fork says EAGAIN", said.contains("EAGAIN"), equals(true));
    let way_out = said.contains("raise it with `ulimit -u");
    stage.claim("the course says what to do", way_out, equals(true));
    Ok(())
}

/// What fork says to a child whose user may have one process; or why that
/// cannot be brought about.
fn fork_over_the_limit(
    parent: &Track,
    child: &Track,
) -> shared::Result<Result<String, String>> {
    const REFUSED: i32 = 1;
    const NOT_SET: i32 = 2;
    let pid =
        in_child(|| match allow_one_process().map(|()| fork_and_wait(0)) {
            Ok(Ok(code)) => code,
            Ok(Err(error)) => {
                child.note("fork", format!("{error:#}"));
                REFUSED
            }
            Err(errno) => {
                let why = format!("the limit cannot be set: {errno}");
                child.record("why not", why);
                NOT_SET
            }
        })?;
    Ok(match wait_for(pid, parent)? {
        REFUSED => Ok(child.noted("fork")?),
        NOT_SET => Err(child.noted("why not")?),
        _ => Err("no limit binds this user".to_owned()),
    })
}

fn allow_one_process() -> nix::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NPROC)?;
    setrlimit(Resource::RLIMIT_NPROC, 1, most)?;
    if Uid::current().is_root() {
        // The limit does not bind root (setrlimit(2)): become nobody.
        setuid(Uid::from_raw(65_534))?;
    }
    Ok(())
}
