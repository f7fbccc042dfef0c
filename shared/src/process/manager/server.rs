//! The manager's process: one thread, one poll, all connections.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};

use super::protocol::{HEADER, Refusal, Reply, Request};
use super::store::Store;
use crate::process::codec;
use crate::process::spin::Spin;
use crate::process::sys::memfd;
use crate::process::sys::poll::poll;
use crate::process::sys::socket::{Wait, accept, has_news, receive, send};

/// How much is read at a time.
const READ: usize = 64 * 1024;
/// A client that does not take its answers is not read from beyond this many
/// bytes.
const UNREAD_ANSWERS: usize = 1 << 20;

/// So many requests of one client are answered before the others are looked at.
const IN_A_ROW: usize = 16;

/// What a server needs to know.
pub(super) struct Server<'a> {
    pub listener: &'a OwnedFd,
    /// The process that made the manager: the server ends with it.
    pub parent: &'a OwnedFd,
    pub request_limit: u32,
    /// A request that was begun must be whole after this.
    pub patience: Duration,
}

struct Connection {
    socket: OwnedFd,
    input: Vec<u8>,
    output: Vec<u8>,
    sent: usize,
    /// Since when half a request lies here.
    half_since: Option<Instant>,
    /// Nothing more is read; it is closed when the output is sent.
    refused: bool,
}

impl Server<'_> {
    /// Serves until the parent has ended.
    pub fn run(&self) {
        let mut store = Store::default();
        let mut connections: HashMap<RawFd, Connection> = HashMap::new();
        let mut buffer = vec![0; READ];
        // When no descriptor is left, this one is given up to turn the next
        // client away.
        let mut spare = memfd::create().ok();
        let spin = Spin::new();
        let mut talking = None;
        loop {
            // Who has just been answered often asks again at once; now and then
            // all are looked at.
            for _ in 0..IN_A_ROW {
                let Some(connection) =
                    talking.and_then(|fd| connections.get_mut(&fd))
                else {
                    break;
                };
                if !(connection.is_at_rest()
                    && spin.until_yielding(|| has_news(&connection.socket)))
                {
                    break;
                }
                let lives = connection
                    .read(&mut buffer, &mut store, self.request_limit)
                    && connection.write();
                if !lives && let Some(fd) = talking.take() {
                    connections.remove(&fd);
                }
            }
            let Some(ready) = self.wait(&connections) else {
                return;
            };
            for (fd, events) in ready {
                if fd == self.listener.as_raw_fd() {
                    self.greet(&mut connections, &mut spare);
                    continue;
                }
                let Some(connection) = connections.get_mut(&fd) else {
                    continue;
                };
                talking = Some(fd);
                let readable =
                    PollFlags::POLLIN | PollFlags::POLLHUP | PollFlags::POLLERR;
                let mut lives = true;
                if events.intersects(readable) && connection.wants_more() {
                    lives = connection
                        .read(&mut buffer, &mut store, self.request_limit);
                } else if events
                    .intersects(PollFlags::POLLHUP | PollFlags::POLLERR)
                {
                    lives = false;
                }
                if !(lives && connection.write()) {
                    connections.remove(&fd);
                }
            }
            connections.retain(|_, connection| {
                connection
                    .half_since
                    .is_none_or(|since| since.elapsed() < self.patience)
            });
        }
    }

    /// Waits for something to do; `None` when the parent has ended.
    fn wait(
        &self,
        connections: &HashMap<RawFd, Connection>,
    ) -> Option<Vec<(RawFd, PollFlags)>> {
        let mut fds = vec![
            PollFd::new(self.parent.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.listener.as_fd(), PollFlags::POLLIN),
        ];
        let mut first_half: Option<Instant> = None;
        for connection in connections.values() {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::POLLIN, connection.wants_more());
            flags.set(
                PollFlags::POLLOUT,
                connection.sent < connection.output.len(),
            );
            fds.push(PollFd::new(connection.socket.as_fd(), flags));
            first_half =
                first_half.into_iter().chain(connection.half_since).min();
        }
        let deadline =
            first_half.and_then(|since| since.checked_add(self.patience));
        // Without memory for it there is nothing to do but to try again.
        let _ = poll(&mut fds, deadline);
        let happened = |fd: &PollFd| fd.revents().unwrap_or(PollFlags::empty());
        if !happened(&fds[0]).is_empty() {
            return None;
        }
        Some(
            fds[1..]
                .iter()
                .map(|fd| (fd.as_fd().as_raw_fd(), happened(fd)))
                .filter(|(_, events)| !events.is_empty())
                .collect(),
        )
    }

    fn greet(
        &self,
        connections: &mut HashMap<RawFd, Connection>,
        spare: &mut Option<OwnedFd>,
    ) {
        match accept(self.listener) {
            Ok(socket) => {
                connections.insert(socket.as_raw_fd(), Connection::new(socket));
            }
            Err(Errno::EMFILE | Errno::ENFILE) => {
                drop(spare.take());
                drop(accept(self.listener));
                *spare = memfd::create().ok();
            }
            Err(_) => {}
        }
    }
}

impl Connection {
    fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            input: Vec::new(),
            output: Vec::new(),
            sent: 0,
            half_since: None,
            refused: false,
        }
    }

    /// Whether it lies with the client to go on.
    fn is_at_rest(&self) -> bool {
        self.input.is_empty() && self.output.is_empty() && !self.refused
    }

    fn wants_more(&self) -> bool {
        !self.refused && self.output.len() - self.sent < UNREAD_ANSWERS
    }

    /// Reads what has come and carries it out; `false` when the client has
    /// gone.
    fn read(
        &mut self,
        buffer: &mut [u8],
        store: &mut Store,
        limit: u32,
    ) -> bool {
        match receive(&self.socket, buffer, Wait::No) {
            Ok(0) => return false,
            Ok(received) => self.input.extend_from_slice(&buffer[..received]),
            Err(Errno::EAGAIN) => return true,
            Err(_) => return false,
        }
        let mut taken = 0;
        while let Some(header) = self.input[taken..].first_chunk::<HEADER>() {
            let length = u32::from_le_bytes(*header);
            if length > limit {
                self.refuse(Refusal::TooLarge);
                break;
            }
            let Some(request) =
                self.input[taken + HEADER..].get(..length as usize)
            else {
                break;
            };
            match postcard::take_from_bytes::<Request<'_>>(request) {
                Ok((request, [])) => {
                    answer(&mut self.output, &store.apply(request))
                }
                _ => {
                    self.refuse(Refusal::Malformed);
                    break;
                }
            }
            taken += HEADER + length as usize;
        }
        self.input.drain(..taken);
        if self.refused {
            self.input.clear();
        }
        match (self.input.is_empty(), taken) {
            (true, _) => self.half_since = None,
            (false, 0) if self.half_since.is_some() => {}
            (false, _) => self.half_since = Some(Instant::now()),
        }
        true
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refused = true;
        answer(&mut self.output, &Reply::Refused(refusal));
    }

    /// Sends what there is room for; `false` when it is over.
    fn write(&mut self) -> bool {
        while self.sent < self.output.len() {
            match send(&self.socket, &self.output[self.sent..], Wait::No) {
                Ok(sent) => self.sent += sent,
                Err(Errno::EAGAIN) => return true,
                Err(_) => return false,
            }
        }
        self.output.clear();
        self.sent = 0;
        !self.refused
    }
}

/// Appends a reply. One that is too large for its length is replaced by a
/// refusal.
fn answer(output: &mut Vec<u8>, reply: &Reply<'_>) {
    let start = output.len();
    output.extend_from_slice(&[0; HEADER]);
    let encoded = codec::append(reply, output);
    match u32::try_from(output.len() - start - HEADER) {
        Ok(length) if encoded.is_ok() => {
            output[start..start + HEADER]
                .copy_from_slice(&length.to_le_bytes());
        }
        _ => {
            output.truncate(start);
            answer(output, &Reply::Refused(Refusal::TooLarge));
        }
    }
}
