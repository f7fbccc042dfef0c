//! The side of a handle: one connection a thread and manager.

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::sockopt::{ReceiveTimeout, SendTimeout};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, setsockopt, socket,
};
use nix::sys::time::TimeVal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::ManagerError;
use super::protocol::{HEADER, Refusal, Reply, Request};
use crate::process::codec;
use crate::process::spin::Spin;
use crate::process::sys::fork::Private;
use crate::process::sys::pid;
use crate::process::sys::socket::{Wait, has_news, receive, send_all};

/// Between two attempts to connect to a manager that has many others to greet.
const KNOCK: Duration = Duration::from_millis(1);
/// Room for a reply; one that is larger makes it grow.
const BUFFER: usize = 4 * 1024;

/// How to reach a manager.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Address {
    pub path: PathBuf,
    /// A call fails after this.
    pub answer_within: Duration,
    /// A request has no more bytes.
    pub request_limit: u32,
}

thread_local! {
    static CONNECTIONS: RefCell<HashMap<PathBuf, Connection>> = RefCell::default();
}

struct Connection {
    socket: Private,
    /// The process that it belongs to: a fork must not share it.
    owner: u32,
    request: Vec<u8>,
    reply: Vec<u8>,
    spin: Spin,
}

/// Closes this thread's connection.
pub(super) fn hang_up(path: &Path) {
    // While the thread ends there may be no connections any more.
    let _ = CONNECTIONS
        .try_with(|connections| connections.borrow_mut().remove(path));
}

impl Address {
    /// Sends a request and hands the reply to `read`.
    pub fn call<T>(
        &self,
        request: &Request<'_>,
        read: impl FnOnce(Reply<'_>) -> Result<T, ManagerError>,
    ) -> Result<T, ManagerError> {
        CONNECTIONS.with_borrow_mut(|connections| {
            if connections
                .get(&self.path)
                .is_none_or(|connection| connection.owner != pid::own())
            {
                connections.insert(self.path.clone(), Connection::new(self)?);
            }
            let connection =
                connections.get_mut(&self.path).expect("inserted above");
            if let Err(error) = connection.exchange(self, request) {
                // What comes on it from now on would be the answer to something
                // else.
                if !matches!(
                    error,
                    ManagerError::Encode(_) | ManagerError::TooLarge { .. }
                ) {
                    connections.remove(&self.path);
                }
                return Err(error);
            }
            match connection.reply() {
                Some(Reply::Refused(refusal)) => {
                    let error = self.refused(refusal, request);
                    if matches!(refusal, Refusal::Malformed | Refusal::TooLarge)
                    {
                        connections.remove(&self.path);
                    }
                    Err(error)
                }
                Some(reply) => read(reply),
                None => {
                    connections.remove(&self.path);
                    Err(ManagerError::Answer)
                }
            }
        })
    }

    fn refused(&self, refusal: Refusal, request: &Request<'_>) -> ManagerError {
        use super::protocol::ListRequest::{Insert, Remove, Set, Swap};
        match (refusal, request) {
            (Refusal::NoSuchObject, _) => ManagerError::NoSuchObject,
            (
                Refusal::OutOfRange { len },
                Request::List(
                    _,
                    Set(index, _)
                    | Insert(index, _)
                    | Remove(index)
                    | Swap { index, .. },
                ),
            ) => ManagerError::OutOfRange {
                index: *index as usize,
                len: len as usize,
            },
            _ => ManagerError::Malformed,
        }
    }

    fn lost(&self, error: Errno) -> ManagerError {
        match error {
            Errno::EAGAIN => ManagerError::NoAnswer {
                path: self.path.clone(),
                after: self.answer_within,
            },
            _ => ManagerError::Gone {
                path: self.path.clone(),
                source: error.into(),
            },
        }
    }
}

impl Connection {
    fn new(address: &Address) -> Result<Self, ManagerError> {
        let failed = |error: Errno| ManagerError::Connect {
            path: address.path.clone(),
            source: error.into(),
        };
        let socket =
            dial(&address.path, address.answer_within).map_err(|error| {
                match error {
                    Errno::EAGAIN | Errno::ECONNREFUSED | Errno::ENOENT => {
                        address.lost(error)
                    }
                    _ => failed(error),
                }
            })?;
        let limit = time_limit(address.answer_within);
        setsockopt(&socket, ReceiveTimeout, &limit).map_err(failed)?;
        setsockopt(&socket, SendTimeout, &limit).map_err(failed)?;
        Ok(Self {
            socket: Private::new(socket),
            owner: pid::own(),
            request: Vec::new(),
            reply: Vec::new(),
            spin: Spin::new(),
        })
    }

    fn exchange(
        &mut self,
        address: &Address,
        request: &Request<'_>,
    ) -> Result<(), ManagerError> {
        self.request.clear();
        self.request.extend_from_slice(&[0; HEADER]);
        codec::append(request, &mut self.request)
            .map_err(ManagerError::Encode)?;
        let (bytes, limit) =
            (self.request.len() - HEADER, address.request_limit as usize);
        if bytes > limit {
            return Err(ManagerError::TooLarge { bytes, limit });
        }
        self.request[..HEADER].copy_from_slice(&(bytes as u32).to_le_bytes());
        send_all(&self.socket, &self.request)
            .map_err(|error| address.lost(error))?;
        self.receive(address)
    }

    fn receive(&mut self, address: &Address) -> Result<(), ManagerError> {
        // The answer is often there sooner than this process could fall asleep.
        self.spin.until_yielding(|| has_news(&self.socket));
        let mut filled = 0;
        self.reply.resize(self.reply.capacity().max(BUFFER), 0);
        loop {
            match receive(&self.socket, &mut self.reply[filled..], Wait::Yes) {
                Ok(0) => return Err(address.lost(Errno::EPIPE)),
                Ok(received) => filled += received,
                Err(error) => return Err(address.lost(error)),
            }
            if let Some(header) = self.reply[..filled].first_chunk::<HEADER>() {
                let whole = HEADER + u32::from_le_bytes(*header) as usize;
                if filled == whole {
                    self.reply.truncate(whole);
                    return Ok(());
                }
                if filled > whole {
                    return Err(ManagerError::Answer);
                }
                if self.reply.len() < whole {
                    self.reply.resize(whole, 0);
                }
            }
        }
    }

    fn reply(&self) -> Option<Reply<'_>> {
        postcard::from_bytes(&self.reply[HEADER..]).ok()
    }
}

/// Connects; `EAGAIN` when the manager does not take the connection in time.
fn dial(path: &Path, within: Duration) -> nix::Result<OwnedFd> {
    let address = UnixAddr::new(path)?;
    let deadline = Instant::now().checked_add(within);
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    loop {
        match connect(socket.as_raw_fd(), &address) {
            Err(Errno::EINTR) => {}
            // Nothing tells when there is room in the queue of those who want
            // to connect.
            Err(Errno::EAGAIN)
                if deadline
                    .is_none_or(|deadline| Instant::now() < deadline) =>
            {
                thread::sleep(KNOCK);
            }
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    fcntl(&socket, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(socket)
}

/// As the kernel takes it: none at all would mean for ever.
fn time_limit(time: Duration) -> TimeVal {
    let seconds = i64::from(u32::try_from(time.as_secs()).unwrap_or(u32::MAX));
    let micros = i64::from(time.subsec_micros());
    TimeVal::new(seconds, if seconds == 0 { micros.max(1) } else { micros })
}

/// A key or a value as the server keeps it.
pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
) -> Result<Vec<u8>, ManagerError> {
    let mut bytes = Vec::new();
    codec::append(value, &mut bytes).map_err(ManagerError::Encode)?;
    Ok(bytes)
}

pub(super) fn decode<T: DeserializeOwned>(
    bytes: &[u8],
) -> Result<T, ManagerError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => {
            Err(ManagerError::Decode(postcard::Error::DeserializeBadEncoding))
        }
        Err(error) => Err(ManagerError::Decode(error)),
    }
}

/// What a reply should have been.
pub(super) fn unexpected<T>(_: Reply<'_>) -> Result<T, ManagerError> {
    Err(ManagerError::Answer)
}
