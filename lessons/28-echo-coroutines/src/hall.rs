//! The clients that are here.

use shared::Track;
use shared::process::Event;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts them, on the track of the server.
pub struct Hall {
    /// How long a client may leave an answer unread.
    pub patience: Duration,
    track: Track,
    /// Held for as long as one number takes, and never while waiting.
    here: Mutex<usize>,
    /// Set when the last one has left, also for other processes.
    empty: Event,
}

/// A client that is here, until it is dropped.
pub struct Guest<'a>(&'a Hall);

impl Hall {
    pub fn new(track: Track, patience: Duration) -> shared::Result<Self> {
        let (here, empty) = (Mutex::default(), Event::new()?);
        Ok(Self { patience, track, here, empty })
    }

    pub fn enter(&self) -> Guest<'_> {
        let mut here = self.here();
        *here += 1;
        self.empty.clear();
        self.track.count("here", *here);
        Guest(self)
    }

    pub fn drops(&self, error: &io::Error) {
        let why = match error.kind() {
            ErrorKind::TimedOut => "it reads too slowly".to_owned(),
            _ => error.to_string(),
        };
        self.track.note("drops a client", why);
    }

    /// Waits until everybody has left, but not for ever; whether they have.
    pub fn is_empty_soon(&self) -> bool {
        self.empty.wait_timeout(Duration::from_secs(5))
    }

    fn here(&self) -> MutexGuard<'_, usize> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let mut here = self.0.here();
        *here -= 1;
        self.0.track.count("here", *here);
        if *here == 0 {
            self.0.empty.set();
        }
    }
}
