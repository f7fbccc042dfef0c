use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// Why fork(2) failed and what to do about it.
pub fn fork_error(errno: Errno) -> anyhow::Error {
    let advice = match errno {
        Errno::EAGAIN => limit_reached(),
        Errno::ENOMEM => {
            "there is no memory left for it; end other programs".to_owned()
        }
        _ => "the system refused".to_owned(),
    };
    anyhow::Error::new(errno)
        .context(format!("cannot make a process by fork: {advice}"))
}

/// The same for a thread, if that is what `panic` tells of: the `spawn` of std
/// panics when the system refuses, and so does the `spawn_blocking` of tokio.
pub(super) fn spawn_advice(panic: &str) -> Option<anyhow::Error> {
    let refusals = ["failed to spawn thread", "OS can't spawn worker thread"];
    let refused = refusals.iter().any(|text| panic.starts_with(text));
    let context = format!("cannot make a thread: {}", limit_reached());
    refused.then(|| anyhow::Error::new(Errno::EAGAIN).context(context))
}

/// Threads count as processes there, setrlimit(2).
fn limit_reached() -> String {
    let limit = getrlimit(Resource::RLIMIT_NPROC).map_or(0, |(soft, _)| soft);
    let limit = match limit {
        RLIM_INFINITY => "the system's limit on processes".to_owned(),
        limit => format!("the limit on processes (`ulimit -u`: {limit})"),
    };
    format!("{limit} is reached; end some, or raise it with `ulimit -u N`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_named_with_the_way_out() {
        let text = format!("{:#}", fork_error(Errno::EAGAIN));
        assert!(text.contains("ulimit -u"), "{text}");
        assert!(text.ends_with("EAGAIN: Try again"), "{text}");
    }

    #[test]
    fn a_thread_that_was_refused_is_known_by_its_panic() {
        let known = |panic| spawn_advice(panic).is_some();
        assert!(known("failed to spawn thread: Os { code: 11 }"));
        assert!(known("OS can't spawn worker thread: Resource (os error 11)"));
        assert!(!known("the list is empty"));
    }
}
