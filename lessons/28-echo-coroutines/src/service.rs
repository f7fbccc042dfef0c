//! The server beside the lesson: in a process of its own.

use crate::hall::Hall;
use crate::{serve, tasks};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use shared::lines::PATIENCE;
use shared::process::Process;
use shared::{Stage, lines};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

/// A server: it serves whoever comes to the listener, and counts them.
pub type Serve = fn(TcpListener, Arc<Hall>) -> shared::Result;

/// The server, in two ways.
pub const BOTH: [(&str, Serve); 2] = [("may", serve), ("tokio", tasks::serve)];

/// A port of this machine, for this machine, that nobody has.
const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The process that serves; it ends when this is dropped.
pub struct Service {
    pub address: SocketAddr,
    pub hall: Arc<Hall>,
    process: Process<()>,
}

impl Service {
    /// A server whose track is called `name`.
    pub fn start(
        stage: &Stage,
        name: &str,
        serve: Serve,
    ) -> shared::Result<Self> {
        Self::start_with(PATIENCE, stage, name, serve)
    }

    /// The same; so long a client may leave an answer unread. The runtime
    /// starts in a process of its own: a process with threads cannot fork.
    pub fn start_with(
        patience: Duration,
        stage: &Stage,
        name: &str,
        serve: Serve,
    ) -> shared::Result<Self> {
        let hall = Arc::new(Hall::new(stage.track(name), patience)?);
        let listener = lines::open(ANY_PORT)?;
        let address = listener.local_addr()?;
        let theirs = Arc::clone(&hall);
        // The listener moves: only the server has it then.
        let server = || serve(listener, theirs);
        let process = Process::builder().name("server").spawn(server)?;
        Ok(Self { address, hall, process })
    }

    /// How many threads it has now, proc(5).
    pub fn threads(&self) -> io::Result<usize> {
        let tasks = format!("/proc/{}/task", self.process.pid());
        Ok(fs::read_dir(tasks)?.count())
    }

    /// The memory that it has for itself, in KiB: proc(5).
    pub fn memory(&self) -> Option<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.process.pid());
        let text = fs::read_to_string(path).ok()?;
        let own = text.lines().filter(|line| line.starts_with("Private_"));
        let own = own.filter_map(|line| line.split_whitespace().nth(1));
        own.map(|number| number.parse::<u64>().ok()).sum()
    }

    /// The seconds that its threads have computed so far.
    pub fn cpu(&self) -> shared::Result<f64> {
        let pid = Pid::from_raw(self.process.pid() as i32);
        let clock: ClockId = clock_getcpuclockid(pid)?;
        Ok(clock.now()?.num_nanoseconds() as f64 / 1e9)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended already is no error.
        let _ = self.process.terminate();
        self.process.wait();
    }
}

/// The same listener, as one of `may`: to wait there lets coroutines run. The
/// `bind` of `may` would take a port that another program has (SO_REUSEPORT).
#[expect(unsafe_code, reason = "`may` takes one by its descriptor only")]
pub fn yielding(listener: TcpListener) -> may::net::TcpListener {
    // SAFETY: `into_raw_fd` gives the descriptor away: nobody else has it.
    unsafe { may::net::TcpListener::from_raw_fd(listener.into_raw_fd()) }
}
