//! The processes of a server, and what the trace tells of them.

use crate::clients::{Crowd, PATIENCE};
use crate::mixture::Mixture;
use crate::place::Place;
use crate::process;
use anyhow::{Context, bail};
use shared::process::{Barrier, Process, Queue};
use shared::trace::{Event, Trace};
use shared::{Stage, Track};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};

/// Primes are counted up to here, at natural pace.
const LIMIT: f64 = 100_000.0;

/// Where many listen.
pub struct Port {
    address: SocketAddr,
    /// The processes in which a thread has begun to listen.
    listening: Queue<u32>,
}

impl Port {
    /// A door of its own for whoever calls this: a socket that listens. The
    /// system deals the connections to the port out to all its doors.
    pub fn listen(&self) -> shared::Result<TcpListener> {
        let door = bind(self.address).and_then(|door| door.listen(1024));
        let door = door.with_context(|| {
            format!(
                "cannot listen at {}; raise the limit with `ulimit -n N`",
                self.address
            )
        })?;
        self.listening.put(&std::process::id())?;
        Ok(door)
    }
}

/// A socket for this address, which others may bind to as well.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The processes that serve; they end when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    port: Arc<Port>,
    /// Does not listen: it keeps the port for those who do.
    _keeps: TcpSocket,
    mixture: Mixture,
    places: Vec<Arc<Place>>,
    pub processes: Vec<Process<()>>,
}

impl Server {
    /// A server of that mixture, with a track for each of its places.
    pub fn start(
        stage: &Stage,
        mixture: Mixture,
        tracks: &[Arc<Track>],
    ) -> shared::Result<Self> {
        let keeps = bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = keeps.local_addr()?;
        let threads = mixture.processes * mixture.threads;
        let listening = Queue::bounded(threads)?;
        let together = Arc::new(Barrier::new(threads)?);
        let limit = (LIMIT * stage.time(1.0).as_secs_f64()) as u32;
        let place = |track: &Arc<Track>| {
            let (track, together) = (Arc::clone(track), Arc::clone(&together));
            Arc::new(Place { track, together, limit })
        };
        let mut server = Self {
            address,
            port: Arc::new(Port { address, listening }),
            _keeps: keeps,
            mixture,
            places: tracks.iter().take(mixture.places()).map(place).collect(),
            processes: Vec::new(),
        };
        for number in 0..mixture.processes {
            server.processes.push(server.fork(number)?);
        }
        Ok(server)
    }

    /// A client for each place.
    pub fn crowd(&mut self) -> shared::Result<Crowd> {
        let mut crowd = Crowd::default();
        let served = crowd.fill(self.address, self.mixture.places());
        if served.is_err() {
            // It may be that nobody can be served any more.
            self.failure()?;
        }
        served.map(|()| crowd)
    }

    /// Fails with what one of the processes failed with.
    fn failure(&mut self) -> shared::Result {
        let ended = |process: &mut Process<()>| {
            process.join_timeout(Duration::from_millis(100)).is_some()
        };
        for process in self.processes.extract_if(.., ended) {
            process.join()?;
        }
        Ok(())
    }

    /// Starts the process of that number, from 0, which makes its own threads;
    /// back when all of them listen.
    pub fn fork(&self, number: usize) -> shared::Result<Process<()>> {
        let Mixture { threads, coroutines, .. } = self.mixture;
        let each = threads * coroutines;
        let (port, places) =
            (&self.port, &self.places[number * each..][..each]);
        let started = Process::spawn(|| {
            let end = process(port, places, coroutines);
            port.listening.close(); // whoever waits for it need not any more
            end
        })?;
        for _ in 0..threads {
            if port.listening.get_timeout(PATIENCE).is_err() {
                if started.join_timeout(PATIENCE).is_none() {
                    started.kill()?;
                }
                started.join()?;
                bail!("process {number} of the server has ended");
            }
        }
        Ok(started)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for process in &self.processes {
            // One that has ended already is no error.
            let _ = process.terminate();
            process.wait();
        }
    }
}

/// A track for each place of a mixture.
pub fn tracks(stage: &Stage, mixture: Mixture) -> Vec<Arc<Track>> {
    let names = (0..mixture.places()).map(|place| mixture.name(place));
    names.map(|name| Arc::new(stage.coroutine_track(name))).collect()
}

/// A client for each place; each asks for something that waits, and then for
/// something that computes.
pub fn wait_then_compute(stage: &Stage, mixture: Mixture) -> shared::Result {
    let clients = stage.track("clients");
    let tracks = tracks(stage, mixture);
    let mut server = Server::start(stage, mixture, &tracks)?;
    let mut crowd = server.crowd()?;
    let places = mixture.places() as u32;
    let made = format!("{} for {places} places", crowd.connections);
    clients.note("connections made", made);
    crowd.wait(1..=places)?;
    clients.note("wait", crowd.by_process());
    clients.pause(0.3);
    crowd.release_all()?;
    clients.note("compute", format!("{} to {}", places + 1, 2 * places));
    crowd.compute(places + 1..=2 * places)?;
    drop(crowd);
    drop(server);
    Ok(())
}

fn answers(trace: &Trace) -> impl Iterator<Item = &Event> {
    trace.events().iter().filter(|event| event.name == "answers")
}

/// How many requests were answered, and were so no second time.
pub fn answered_once(trace: &Trace) -> usize {
    let mut times = HashMap::new();
    for number in answers(trace).filter_map(|event| event.value()) {
        *times.entry(number.to_string()).or_insert(0) += 1;
    }
    times.into_values().filter(|times| *times == 1).count()
}

pub fn processes_that_answered(trace: &Trace) -> usize {
    answers(trace).map(|event| event.pid).collect::<BTreeSet<_>>().len()
}
