//! `Manager`: a process that keeps dicts and lists for others.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use nix::unistd::getpid;
use serde::Serialize;
use serde::de::DeserializeOwned;

mod client;
mod dict;
mod error;
mod list;
mod protocol;
mod server;
mod store;

pub use dict::Dict;
pub use error::ManagerError;
pub use list::List;

use self::client::{Address, unexpected};
use self::protocol::{Reply, Request};
use self::server::Server;
use super::child::Child;
use super::error::SpawnError;
use super::process::spawn_child;
use super::sys::{fork, pidfd, signal};

/// The name of the socket in the manager's directory.
const SOCKET: &str = "socket";

/// A process that keeps dicts and lists which any number of processes use.
///
/// It is reached over a Unix socket in a directory of its own that no other
/// user may enter. The handles that it gives, [`Dict`] and [`List`], are small:
/// clone them, let children inherit them, or put them into another dict or
/// list. What they name lives as long as the manager.
///
/// The manager's process ends when this value is dropped, or when the process
/// ends that made it; its directory is removed then. Every call after that
/// fails with [`ManagerError::Gone`].
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::{Manager, Process};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manager = Manager::new()?;
/// let stock = manager.dict::<String, u32>()?;
/// let seller = Process::spawn(|| stock.insert("apples", &3))?;
/// seller.join()?;
/// assert_eq!(stock.get("apples")?, Some(3));
/// stock.update("apples", |apples| apples.unwrap_or(0) - 1)?;
/// assert_eq!(stock.get("apples")?, Some(2));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Manager {
    address: Address,
    directory: PathBuf,
    server: Child,
    generation: u32,
}

/// A manager that has not been started yet.
#[derive(Clone, Debug)]
#[must_use = "it starts nothing until `start`"]
pub struct ManagerBuilder {
    request_limit: u32,
    answer_within: Duration,
    patience: Duration,
}

impl Default for ManagerBuilder {
    fn default() -> Self {
        Self {
            request_limit: 16 << 20,
            answer_within: Duration::from_secs(10),
            patience: Duration::from_secs(10),
        }
    }
}

impl ManagerBuilder {
    /// One with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A request, with its key and value, may have so many bytes: 16 MiB unless
    /// said otherwise.
    pub fn request_limit(mut self, bytes: u32) -> Self {
        self.request_limit = bytes;
        self
    }

    /// A call fails with [`ManagerError::NoAnswer`] after this time: 10 s
    /// unless said otherwise.
    pub fn answer_within(mut self, time: Duration) -> Self {
        self.answer_within = time;
        self
    }

    /// A client that has begun a request must have sent all of it after this
    /// time, or its connection is closed: 10 s unless said otherwise.
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Starts the manager's process.
    ///
    /// # Errors
    /// [`ManagerError::Socket`] or [`ManagerError::Spawn`], and then nothing is
    /// left behind.
    pub fn start(self) -> Result<Manager, ManagerError> {
        let parent = pidfd::open(getpid()).map_err(|error| {
            SpawnError::system("Manager", "pidfd_open", error)
        })?;
        let failed = |path: &Path, source| ManagerError::Socket {
            path: path.to_owned(),
            source,
        };
        let directory = private_directory()
            .map_err(|(path, error)| failed(&path, error))?;
        let path = directory.join(SOCKET);
        let started = UnixListener::bind(&path)
            .map_err(|error| failed(&path, error))
            .and_then(|listener| {
                self.serve(&OwnedFd::from(listener), &parent, &directory)
            });
        match started {
            Ok(server) => Ok(Manager {
                address: Address {
                    path,
                    answer_within: self.answer_within,
                    request_limit: self.request_limit,
                },
                directory,
                server,
                generation: fork::generation(),
            }),
            Err(error) => {
                remove(&directory);
                Err(error)
            }
        }
    }

    fn serve(
        &self,
        listener: &OwnedFd,
        parent: &OwnedFd,
        directory: &Path,
    ) -> Result<Child, ManagerError> {
        let server = Server {
            listener,
            parent,
            request_limit: self.request_limit,
            patience: self.patience,
        };
        Ok(spawn_child("Manager", false, listener, || {
            // Ctrl-C is for the parent, with which the server ends; so is
            // the end of the terminal.
            signal::ignore_the_terminal();
            server.run();
            remove(directory);
            0
        })?)
    }
}

impl Manager {
    /// Starts a manager's process.
    ///
    /// # Errors
    /// [`ManagerError::Socket`] or [`ManagerError::Spawn`], and then nothing is
    /// left behind.
    pub fn new() -> Result<Self, ManagerError> {
        ManagerBuilder::new().start()
    }

    /// Makes an empty dict.
    ///
    /// # Errors
    /// [`ManagerError`]: the manager has ended or does not answer.
    pub fn dict<K, V>(&self) -> Result<Dict<K, V>, ManagerError>
    where
        K: Serialize + DeserializeOwned,
        V: Serialize + DeserializeOwned,
    {
        Ok(Dict::new(self.address.clone(), self.make(&Request::NewDict)?))
    }

    /// Makes an empty list.
    ///
    /// # Errors
    /// [`ManagerError`]: the manager has ended or does not answer.
    pub fn list<T: Serialize + DeserializeOwned>(
        &self,
    ) -> Result<List<T>, ManagerError> {
        Ok(List::new(self.address.clone(), self.make(&Request::NewList)?))
    }

    /// The pid of the manager's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Where its socket is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.address.path
    }

    fn make(&self, request: &Request<'_>) -> Result<u64, ManagerError> {
        self.address.call(request, |reply| match reply {
            Reply::Made(id) => Ok(id),
            other => unexpected(other),
        })
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // A copy in a child is not the one that was made.
        if self.generation == fork::generation() {
            client::hang_up(&self.address.path);
            self.server.kill_and_wait();
            remove(&self.directory);
        }
    }
}

/// Makes a directory that no other user may enter.
fn private_directory() -> Result<PathBuf, (PathBuf, io::Error)> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = MADE.fetch_add(1, Relaxed);
        let path =
            env::temp_dir().join(format!("process-manager-{}-{n}", getpid()));
        // A child may change its folder before it connects.
        let path = std::path::absolute(&path).map_err(|error| (path, error))?;
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            // Left by a process of the same pid that was killed with its
            // manager.
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && n < u32::MAX => {}
            Err(error) => return Err((path, error)),
        }
    }
}

/// Removes a manager's directory. Both sides may try: whoever lives longest
/// succeeds.
fn remove(directory: &Path) {
    let _ = fs::remove_file(directory.join(SOCKET));
    let _ = fs::remove_dir(directory);
}
