//! Those who ask.

use anyhow::{Context, ensure};
use nix::poll::{PollFd, PollFlags, poll};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Longer than any answer takes, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The most milliseconds until a client that is not greeted sends for another.
const MOMENT: usize = 12;

/// A client that is being served.
struct Client {
    lines: BufReader<TcpStream>,
    /// By this process.
    pid: i32,
    /// The number of its request, until that is answered.
    request: Option<u32>,
}

impl Client {
    /// The server's first line says which process serves.
    fn greeted(stream: TcpStream) -> shared::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let lines = BufReader::new(stream);
        let mut client = Self { lines, pid: 0, request: None };
        let greeting = client.line()?;
        client.pid = greeting.parse().context("the server is another one")?;
        Ok(client)
    }

    fn ask(&mut self, job: &str, number: u32) -> io::Result<()> {
        self.request = Some(number);
        self.send(&format!("{job} {number}\n"))
    }

    fn send(&mut self, line: &str) -> io::Result<()> {
        self.lines.get_mut().write_all(line.as_bytes())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }

    /// Reads until its request is answered, if it has one.
    fn answer(&mut self) -> io::Result<()> {
        if let Some(number) = self.request {
            let answer = number.to_string();
            while self.line()? != answer {}
        }
        self.request = None;
        Ok(())
    }
}

/// Clients that are served at the same time.
#[derive(Default)]
pub struct Crowd {
    clients: Vec<Client>,
    /// Those made until now, also by those who were never served.
    pub connections: usize,
}

impl Crowd {
    /// Connects until so many are served. The system deals connections to the
    /// doors without a look at who is free: one that is not greeted waits at
    /// the door of somebody who is not, and another is sent.
    pub fn fill(
        &mut self,
        server: SocketAddr,
        places: usize,
    ) -> shared::Result {
        let end = Instant::now() + PATIENCE;
        let mut at_a_door = Vec::new();
        while self.clients.len() < places {
            let served = self.clients.len();
            let late = format!("{served} of {places} served after 10 s");
            ensure!(Instant::now() < end, "{server}: {late}");
            at_a_door.push(TcpStream::connect(server).with_context(|| {
                format!("cannot connect to {server}, where the lesson serves")
            })?);
            self.connections += 1;
            for greeted in greeted(&mut at_a_door) {
                // None if the door was closed meanwhile, with all who waited.
                self.clients.extend(Client::greeted(greeted).ok());
            }
        }
        Ok(())
    }

    /// Each sends a request that waits; back when all of them have begun. How
    /// many have: one that has not by then is not waited for.
    pub fn wait(
        &mut self,
        requests: impl IntoIterator<Item = u32>,
    ) -> shared::Result<usize> {
        self.ask("wait", requests)?;
        let (end, mut begun) = (Instant::now() + PATIENCE, 0);
        for client in self.asking() {
            let left = end.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            client.lines.get_ref().set_read_timeout(Some(left))?;
            begun += usize::from(client.line().is_ok());
            client.lines.get_ref().set_read_timeout(Some(PATIENCE))?;
        }
        Ok(begun)
    }

    /// Lets those who wait go on, and reads their answers. The requests that
    /// were lost with their connections, and are not answered.
    pub fn release(&mut self) -> Vec<u32> {
        for client in self.asking() {
            let _ = client.send("go on\n"); // its answer will be missing
        }
        let mut lost = Vec::new();
        self.clients.retain_mut(|client| {
            let answered = client.answer().is_ok();
            lost.extend(client.request);
            answered
        });
        lost
    }

    /// The same, where none is to be lost.
    pub fn release_all(&mut self) -> shared::Result {
        let lost = self.release();
        ensure!(
            lost.is_empty(),
            "no answer to the requests {lost:?}: a process of the server has \
             ended, and this step does not replace it; run it again"
        );
        Ok(())
    }

    /// Each sends a request that computes, and reads its answer. How many do.
    pub fn compute(
        &mut self,
        requests: impl IntoIterator<Item = u32>,
    ) -> shared::Result<usize> {
        self.ask("compute", requests)?;
        for client in &mut self.clients {
            client.answer().context("the server does not answer")?;
        }
        Ok(self.clients.len())
    }

    fn ask(
        &mut self,
        job: &str,
        requests: impl IntoIterator<Item = u32>,
    ) -> shared::Result {
        for (client, number) in self.clients.iter_mut().zip(requests) {
            client.ask(job, number).context("the server has hung up")?;
        }
        Ok(())
    }

    fn asking(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.iter_mut().filter(|client| client.request.is_some())
    }

    /// Which process has which requests: `217: 1 4, 218: 2 3`.
    pub fn by_process(&mut self) -> String {
        let mut numbers = BTreeMap::<i32, Vec<String>>::new();
        for client in self.asking() {
            let number = client.request.iter().map(u32::to_string);
            numbers.entry(client.pid).or_default().extend(number);
        }
        let processes = numbers.into_iter();
        let texts =
            processes.map(|(pid, all)| format!("{pid}: {}", all.join(" ")));
        texts.collect::<Vec<_>>().join(", ")
    }

    /// The processes that serve them, in the order of the clients.
    pub fn pids(&self) -> Vec<i32> {
        self.clients.iter().map(|client| client.pid).collect()
    }
}

/// Takes out those to whom the server has spoken; waits a moment for the first.
fn greeted(at_a_door: &mut Vec<TcpStream>) -> Vec<TcpStream> {
    let watched = |stream| PollFd::new(AsFd::as_fd(stream), PollFlags::POLLIN);
    let mut fds: Vec<_> = at_a_door.iter().map(watched).collect();
    // The more are at a door, the less another one helps.
    let moment = fds.len().min(MOMENT) as u8;
    let _ = poll(&mut fds, moment); // interrupted: they are asked again
    let ready: Vec<bool> =
        fds.iter().map(|fd| fd.any().unwrap_or(false)).collect();
    let mut ready = ready.into_iter();
    let taken = at_a_door.extract_if(.., |_| ready.next().unwrap_or(false));
    taken.collect()
}
