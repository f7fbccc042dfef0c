//! A child's own child.

use shared::lesson::equals;
use shared::process::Process;
use shared::{Stage, Track};

/// A daemon starts a child of its own, and so does another process. Who may?
///
/// - [x] the other one, and not the daemon
/// - [ ] both
/// - [ ] neither: only the first process may
pub fn no_children(stage: &Stage) -> shared::Result {
    let refused = starts_a_child(&stage.track("daemon"), true)?;
    let allowed = starts_a_child(&stage.track("other"), false)?;
    let allowed = allowed.as_str();
    stage.claim("any other may", allowed, equals("exited with code 0"));
    let refused = refused.contains("a daemon may not have children");
    stage.claim("a daemon may not", refused, equals(true));
    Ok(())
}

fn starts_a_child(who: &Track, daemon: bool) -> shared::Result<String> {
    let builder = Process::builder().daemon(daemon);
    let process = builder.spawn(|| match Process::spawn(|| ()) {
        Ok(child) => child.wait().to_string(),
        Err(error) => error.to_string(),
    })?;
    let said = process.join()?;
    who.note("its child", said.as_str());
    Ok(said)
}
