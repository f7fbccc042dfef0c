//! A descriptor for each client.

use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit, setrlimit};

/// For what there is besides the clients.
const OTHERS: u64 = 64;
/// A coroutine's stack takes two memory maps, and a process may have 65 530.
const MOST: u64 = 20_000;

/// Lets this process and its children have so many clients. Why they cannot,
/// if they cannot.
pub fn for_clients(clients: usize) -> Option<String> {
    let needed = clients as u64 + OTHERS;
    let why = |limit: &str| {
        Some(format!(
            "they need {needed} file descriptors, and {limit}; raise that by \
             `ulimit -n {needed}`, for which you may have to be root"
        ))
    };
    let Ok((soft, hard)) = getrlimit(RLIMIT_NOFILE) else {
        return why("nobody tells how many there may be");
    };
    if needed > hard {
        return why(&format!("this process may have {hard} (`ulimit -Hn`)"));
    }
    if soft < needed && setrlimit(RLIMIT_NOFILE, needed, hard).is_err() {
        return why(&format!("this process keeps to {soft} (`ulimit -Sn`)"));
    }
    None
}

/// Lets this process have as many clients as it may.
pub fn for_all() {
    if let Ok((soft, hard)) = getrlimit(RLIMIT_NOFILE) {
        let most = hard.min(MOST);
        // Where it is refused, fewer must do.
        let _ = setrlimit(RLIMIT_NOFILE, most, hard.max(soft));
    }
}
