//! The server beside the lesson: in processes of its own.

use crate::Server;
use shared::lines::Client;
use shared::process::{Process, Queue};
use shared::trace::{OpenSpan, Trace};
use shared::{Track, lines};
use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// Longer than any child takes to end whose client has left.
const PATIENCE: Duration = Duration::from_secs(5);

/// A port of this machine, for this machine, that nobody has.
pub const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The processes that serve; they end when it is dropped.
pub struct Service {
    pub address: SocketAddr,
    pub processes: Vec<Process<()>>,
    /// The pids of those that are done with a client.
    pub ended: Queue<u32>,
}

impl Service {
    /// A server with a process for each client, which does `serve` for it.
    pub fn start(
        track: &Track,
        serve: impl Fn(&TcpStream) + Send + Sync,
    ) -> shared::Result<Self> {
        Self::run(track, serve, |mut server| server.serve())
    }

    /// The same; `run` runs it.
    pub fn run<F: Fn(&TcpStream) + Send + Sync>(
        track: &Track,
        serve: F,
        run: impl FnOnce(Server<'_, F>) -> shared::Result + Send,
    ) -> shared::Result<Self> {
        let listener = lines::open(ANY_PORT)?;
        let address = listener.local_addr()?;
        let ended = Queue::bounded(1024)?;
        // The listener moves: only the server has it then.
        let server = || run(Server::new(listener, track, serve, &ended)?);
        let process = Process::builder().name("server").spawn(server)?;
        Ok(Self { address, processes: vec![process], ended })
    }

    /// A client that comes, asks once, and stays.
    pub fn welcome<'a>(
        &self,
        track: &'a Track,
    ) -> io::Result<(OpenSpan<'a>, Client)> {
        let connected = track.begin("connected");
        let mut client = Client::connect(self.address)?;
        track.note("first answer", client.ask("hello")?);
        Ok((connected, client))
    }

    /// The answer to a client that comes, asks once, and leaves.
    pub fn ask(&self, client: &Track, line: &str) -> String {
        let visit = || Client::connect(self.address)?.ask(line);
        let answer = client.span("connected", visit);
        let answer = answer.unwrap_or_else(|error| error.to_string());
        client.note("answer", answer.as_str());
        answer
    }

    /// Waits until so many clients have been done with, but not for ever; how
    /// many have.
    pub fn until_left(&self, clients: usize) -> usize {
        let end = Instant::now() + PATIENCE;
        let ended = (0..clients).take_while(|_| {
            let left = end.saturating_duration_since(Instant::now());
            self.ended.get_timeout(left).is_ok()
        });
        ended.count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        for process in &self.processes {
            // One that has ended already is no error.
            let _ = process.terminate();
            process.wait();
        }
    }
}

impl<'a, F: Fn(&TcpStream) + Sync> Server<'a, F> {
    pub fn new(
        listener: TcpListener,
        track: &'a Track,
        serve: F,
        ended: &'a Queue<u32>,
    ) -> shared::Result<Self> {
        // A client that has left since it was seen must not be waited for.
        listener.set_nonblocking(true)?;
        let listener = Some(listener);
        let children = Vec::new();
        Ok(Self { listener, children, serve, refused: 0, track, ended })
    }
}

/// The pids of those that are serving at the end of the trace.
pub fn serving(trace: &Trace) -> BTreeSet<i32> {
    let all = trace.spans_named("serves");
    let open = all.filter(|span| span.end == trace.events().len());
    open.map(|span| trace.events()[span.begin].pid).collect()
}
