//! A site in a process of its own.

use super::counted::Counted;
use super::plan::Plan;
use super::server::serve;
use crate::process::{Process, SpawnError};
use nix::sys::signal::{SigSet, Signal};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use thiserror::Error;

/// A web site, served by a process of its own. It ends when this is dropped,
/// and when the process that started it ends, by SIGKILL too. Of Ctrl-C, which
/// a terminal sends to all, it does not hear: whoever started it may still ask.
///
/// Start it before any thread or runtime: this forks.
#[derive(Debug)]
pub struct Site {
    process: Process<()>,
    address: SocketAddr,
}

/// Why a site could not be started, or asked what it has counted.
#[derive(Debug, Error)]
pub enum SiteError {
    /// No port of this machine could be had.
    #[error("no port of 127.0.0.1 could be had for the local site")]
    Port(#[source] io::Error),
    /// No process could be had.
    #[error("no process could be had for the local site")]
    Process(#[from] SpawnError),
    /// It does not answer, or not as it should.
    #[error(
        "cannot ask the local site what it has counted; run the lesson again"
    )]
    Silent(#[source] io::Error),
}

impl Site {
    /// Starts one on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`SiteError`]
    pub fn start(plan: Plan) -> Result<Self, SiteError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.map_err(SiteError::Port)?;
        let address = listener.local_addr().map_err(SiteError::Port)?;
        let site = Process::builder().name("site").daemon(true);
        let process = site.spawn(|| {
            SigSet::from(Signal::SIGINT).thread_block()?;
            serve(listener, plan)
        })?;
        Ok(Self { process, address })
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// What it has counted so far.
    ///
    /// # Errors
    /// [`SiteError::Silent`], when it has ended, or does not answer in 20 s.
    pub fn counted(&self) -> Result<Counted, SiteError> {
        Counted::at(self.address).map_err(SiteError::Silent)
    }

    /// Ends it at once, whatever it is doing.
    pub fn stop(&self) {
        // One that has ended already is as well.
        let _ = self.process.kill();
        self.process.wait();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop();
    }
}
