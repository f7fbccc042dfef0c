//! What a worker does: takes batches, runs jobs, sends answers.

use std::error::Error;
use std::os::fd::OwnedFd;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::wire::{self, BATCH_HEADER, Estate, Kind, MOST_BYTES};
use crate::process::answer::{chain, panic_text};
use crate::process::codec;
use crate::process::sys::socket::{self, Wait};

/// What a job comes to.
pub(super) type Outcome<V> = Result<V, Box<dyn Error + Send + Sync>>;

/// Answers are not held back longer than this, and the job that is running
/// then. If that takes long, the pool finds them in the estate.
const HOLD_BACK: Duration = Duration::from_millis(1);
/// Jobs between two looks at the clock that take less are short.
const SHORT: Duration = Duration::from_micros(50);
/// So many short jobs may pass without a look.
const MOST_UNLOOKED: u32 = 64;
/// Room for a batch; one that is larger gets a buffer of its own size.
const BUFFER: usize = 64 * 1024;

/// The functions that a pool was made with.
pub(super) struct Work<'f, A, V> {
    pub function: Box<dyn Fn(A) -> Outcome<V> + Send + 'f>,
    pub initial: Box<dyn Fn() -> Outcome<()> + Send + 'f>,
}

impl<A: DeserializeOwned, V: Serialize> Work<'_, A, V> {
    /// The life of a worker. Returns its exit code.
    pub fn serve(&self, socket: &OwnedFd, estate: &Estate) -> i32 {
        let mut answers = Vec::new();
        let ready = panic::catch_unwind(AssertUnwindSafe(|| (self.initial)()));
        let unfit = match ready {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(chain(&*error)),
            Err(payload) => {
                Some(format!("panicked: {}", panic_text(&*payload)))
            }
        };
        match &unfit {
            None => wire::put_record(&mut answers, 0, Kind::Ready, &[]),
            Some(text) => {
                wire::put_record(&mut answers, 0, Kind::Unfit, text.as_bytes())
            }
        }
        if socket::send_all(socket, &answers).is_err() || unfit.is_some() {
            return 1;
        }
        answers.clear();
        let mut buffer = vec![0; BUFFER];
        while let Some(batch) = receive_batch(socket, &mut buffer) {
            if self.run(batch, &mut answers, socket, estate).is_err() {
                break; // nobody is there to answer to
            }
        }
        0
    }

    fn run(
        &self,
        batch: &[u8],
        answers: &mut Vec<u8>,
        socket: &OwnedFd,
        estate: &Estate,
    ) -> nix::Result<()> {
        let began = Instant::now();
        let mut held_back = HeldBack::since(began);
        let mut rest = &batch[BATCH_HEADER..];
        while let Some(index) = estate.claim() {
            let (length, after) = rest.split_at(4);
            let (argument, after) =
                after.split_at(wire::number(length) as usize);
            rest = after;
            let start = wire::begin_record(answers, index);
            let kind = self.job(argument, answers);
            wire::end_record(answers, start, kind);
            if !estate.keep(&answers[start..]) {
                let record = answers.split_off(start);
                flush(socket, answers, estate)?;
                answers.extend_from_slice(&record);
                if !estate.keep(&record) {
                    flush(socket, answers, estate)?;
                }
                held_back = HeldBack::since(Instant::now());
            } else if held_back.is_long() && estate.has_more() {
                flush(socket, answers, estate)?;
                held_back = HeldBack::since(Instant::now());
            }
        }
        let nanoseconds = began.elapsed().as_nanos() as u64;
        wire::put_record(answers, 0, Kind::Done, &nanoseconds.to_le_bytes());
        flush(socket, answers, estate)
    }

    /// Runs one job and appends what it came to.
    fn job(&self, argument: &[u8], answers: &mut Vec<u8>) -> Kind {
        let start = answers.len();
        let argument = match postcard::from_bytes(argument) {
            Ok(argument) => argument,
            Err(error) => {
                return text(answers, Kind::Unreadable, &error.to_string());
            }
        };
        match panic::catch_unwind(AssertUnwindSafe(|| {
            (self.function)(argument)
        })) {
            Ok(Ok(value)) => match codec::append(&value, answers) {
                Ok(()) if answers.len() - start <= MOST_BYTES => Kind::Value,
                Ok(()) => {
                    let bytes = answers.len() - start;
                    answers.truncate(start);
                    text(
                        answers,
                        Kind::Unsendable,
                        &format!("{bytes} bytes are more than {MOST_BYTES}"),
                    )
                }
                Err(error) => {
                    text(answers, Kind::Unsendable, &error.to_string())
                }
            },
            Ok(Err(error)) => text(answers, Kind::Failed, &chain(&*error)),
            Err(payload) => {
                text(answers, Kind::Panicked, &panic_text(&*payload))
            }
        }
    }
}

/// Since when answers are held back. While jobs are short the clock is looked
/// at after many of them only.
struct HeldBack {
    since: Instant,
    looked: Instant,
    stride: u32,
    unlooked: u32,
}

impl HeldBack {
    fn since(since: Instant) -> Self {
        Self { since, looked: since, stride: 1, unlooked: 0 }
    }

    /// Asked after each job.
    fn is_long(&mut self) -> bool {
        self.unlooked += 1;
        if self.unlooked < self.stride {
            return false;
        }
        let now = Instant::now();
        self.unlooked = 0;
        self.stride = if now - self.looked < SHORT {
            (self.stride * 2).min(MOST_UNLOOKED)
        } else {
            1
        };
        self.looked = now;
        now - self.since > HOLD_BACK
    }
}

fn text(answers: &mut Vec<u8>, kind: Kind, text: &str) -> Kind {
    answers.extend_from_slice(text.as_bytes());
    kind
}

fn flush(
    socket: &OwnedFd,
    answers: &mut Vec<u8>,
    estate: &Estate,
) -> nix::Result<()> {
    socket::send_all(socket, answers)?;
    estate.sent();
    answers.clear();
    Ok(())
}

/// Waits for the next batch; `None` when there is none to come.
fn receive_batch<'b>(
    socket: &OwnedFd,
    buffer: &'b mut Vec<u8>,
) -> Option<&'b [u8]> {
    let mut filled = 0;
    loop {
        match socket::receive(socket, &mut buffer[filled..], Wait::Yes) {
            Ok(received @ 1..) => filled += received,
            Ok(0) | Err(_) => return None,
        }
        if filled < BATCH_HEADER {
            continue;
        }
        let length = wire::number(buffer) as usize;
        if filled >= length {
            return Some(&buffer[..length]);
        }
        if buffer.len() < length {
            let mut larger = vec![0; length];
            larger[..filled].copy_from_slice(&buffer[..filled]);
            *buffer = larger;
        }
    }
}
