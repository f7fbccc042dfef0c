//! The processes of a server, and what the trace tells of them.

use crate::clients::Crowd;
use crate::mixture::Mixture;
use crate::place::Place;
use crate::process;
use shared::process::{Barrier, Process};
use shared::trace::{Event, Trace};
use shared::{Stage, Track};
use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpSocket;

/// Primes are counted up to here, at natural pace.
const LIMIT: f64 = 100_000.0;

/// The processes that serve; they end when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    /// Does not listen: it keeps the port for those who do.
    _port: TcpSocket,
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
        let port = bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let threads = mixture.processes * mixture.threads;
        let together = Arc::new(Barrier::new(threads)?);
        let limit = (LIMIT * stage.time(1.0).as_secs_f64()) as u32;
        let place = |track: &Arc<Track>| {
            let (track, together) = (Arc::clone(track), Arc::clone(&together));
            Arc::new(Place { track, together, limit })
        };
        let mut server = Self {
            address: port.local_addr()?,
            _port: port,
            mixture,
            places: tracks.iter().take(mixture.places()).map(place).collect(),
            processes: Vec::new(),
        };
        for number in 0..mixture.processes {
            server.processes.push(server.fork(number)?);
        }
        Ok(server)
    }

    /// The process of that number, from 0. It makes its own threads.
    pub fn fork(&self, number: usize) -> shared::Result<Process<()>> {
        let Mixture { threads, coroutines, .. } = self.mixture;
        let each = threads * coroutines;
        let places = &self.places[number * each..][..each];
        let address = self.address;
        Ok(Process::spawn(|| process(address, places, coroutines))?)
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

/// A socket for this address, which others may bind to as well.
pub fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A track for each place of a mixture.
pub fn tracks(stage: &Stage, mixture: Mixture) -> Vec<Arc<Track>> {
    let names = (0..mixture.places()).map(|place| mixture.name(place));
    names.map(|name| Arc::new(stage.coroutine_track(name))).collect()
}

/// A client for each place; each asks for something that waits, and then for
/// something that computes.
pub fn wait_then_compute(
    stage: &Stage,
    mixture: Mixture,
) -> shared::Result<Trace> {
    let clients = stage.track("clients");
    let tracks = tracks(stage, mixture);
    let server = Server::start(stage, mixture, &tracks)?;
    let mut crowd = Crowd::default();
    crowd.fill(server.address, mixture.places())?;
    let places = mixture.places() as u32;
    crowd.wait(1..=places)?;
    clients.say(format!("{places} requests wait"));
    clients.pause(0.5);
    crowd.release();
    clients.say(format!("{places} requests compute"));
    crowd.compute(places + 1..=2 * places)?;
    drop(crowd);
    drop(server);
    stage.trace()
}

fn answers(trace: &Trace) -> impl Iterator<Item = &Event> {
    trace.events().iter().filter(|event| event.name == "answers")
}

/// The numbers of the requests that were answered, in order.
pub fn answered(trace: &Trace) -> Vec<u32> {
    let numbers = answers(trace).filter_map(|event| event.value());
    let numbers = numbers.filter_map(|number| number.as_str());
    let mut numbers: Vec<u32> = numbers.flat_map(str::parse).collect();
    numbers.sort_unstable();
    numbers
}

pub fn processes_that_answered(trace: &Trace) -> usize {
    answers(trace).map(|event| event.pid).collect::<BTreeSet<_>>().len()
}
