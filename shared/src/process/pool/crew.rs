//! A worker as its pool sees it.

use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::wire::{BATCH_HEADER, Estate, Read, Record, number};
use crate::process::child::Child;
use crate::process::sys::fork::Private;
use crate::process::sys::socket::{self, Wait};

/// How much is read at a time.
const READ: usize = 32 * 1024;
/// A worker that has not begun a batch after this is stopped or very slow.
const AWAKE: Duration = Duration::from_millis(10);

/// Whose jobs they are.
#[derive(Debug)]
pub(super) enum Owner {
    /// Single ones, by their ids.
    Jobs(Vec<u64>),
    /// Neighbours in a map.
    Map { map: u64, first: usize },
}

/// Encoded jobs that travel together.
#[derive(Debug)]
pub(super) struct Batch {
    pub owner: Owner,
    /// How often the workers that they went to have died over them.
    pub deaths: u32,
    count: u32,
    bytes: Vec<u8>,
}

impl Batch {
    pub fn new(owner: Owner) -> Self {
        Self { owner, deaths: 0, count: 0, bytes: vec![0; BATCH_HEADER] }
    }

    pub fn len(&self) -> u32 {
        self.count
    }

    /// How many bytes it has come to.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds an argument, which `encode` appends.
    pub fn push<E>(
        &mut self,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        if let Err(error) = encode(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(error);
        }
        let length = (self.bytes.len() - start - 4) as u32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.count += 1;
        Ok(())
    }

    /// Those of its jobs, as a batch of their own.
    pub fn part(&self, jobs: std::ops::Range<u32>) -> Self {
        let mut part = Self::new(match &self.owner {
            Owner::Jobs(ids) => Owner::Jobs(
                ids[jobs.start as usize..jobs.end as usize].to_vec(),
            ),
            Owner::Map { map, first } => {
                Owner::Map { map: *map, first: first + jobs.start as usize }
            }
        });
        let (mut start, mut at) = (BATCH_HEADER, BATCH_HEADER);
        for job in 0..jobs.end {
            if job == jobs.start {
                start = at;
            }
            at += 4 + number(&self.bytes[at..]) as usize;
        }
        part.bytes.extend_from_slice(&self.bytes[start..at]);
        part.count = jobs.end - jobs.start;
        part.deaths = self.deaths;
        part
    }

    fn seal(&mut self) {
        let length = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&length.to_le_bytes());
        self.bytes[4..8].copy_from_slice(&self.count.to_le_bytes());
    }
}

/// A batch that a worker has.
pub(super) struct Assigned {
    pub batch: Batch,
    pub answered: Vec<bool>,
    /// How many are.
    pub answers: u32,
    /// How much of it has been written to the socket.
    written: usize,
    since: Instant,
}

/// A worker.
pub(super) struct Worker {
    pub child: Child,
    pub estate: Estate,
    pub assigned: Option<Assigned>,
    pub ready: bool,
    /// How many jobs it has had.
    pub jobs: u64,
    /// Whether it was told to leave.
    pub retiring: bool,
    socket: Private,
    buffer: Vec<u8>,
    input: Vec<u8>,
}

impl Worker {
    pub fn new(child: Child, socket: Private, estate: Estate) -> Self {
        Self {
            child,
            estate,
            assigned: None,
            ready: false,
            jobs: 0,
            retiring: false,
            socket,
            buffer: vec![0; READ],
            input: Vec::new(),
        }
    }

    /// Whether a job of its batch has no answer yet.
    pub fn is_awaited(&self) -> bool {
        let (_, mine) = self.estate.claimed();
        self.assigned.as_ref().is_some_and(|assigned| assigned.answers < mine)
    }

    /// Whether it may hold answers back because the next job of its batch takes
    /// long.
    pub fn may_hold_back(&self) -> bool {
        self.assigned.as_ref().is_some_and(|assigned| {
            assigned.batch.len() > 1
                && matches!(assigned.batch.owner, Owner::Jobs(_))
        })
    }

    /// Whether something may have to be done about it though it says nothing:
    /// it holds answers back, or does not begin.
    pub fn wants_a_look(&self) -> bool {
        let (begun, mine) = self.estate.claimed();
        let waking = self.assigned.is_some() && begun == 0 && mine > 0;
        waking || self.may_hold_back()
    }

    /// How many jobs others may take over, if it has begun so many and was
    /// given so many: what it has not begun, but not the first, for which it
    /// may just be waking up.
    pub fn has_to_spare(&self, begun: u32, mine: u32) -> u32 {
        let Some(assigned) = &self.assigned else { return 0 };
        let wakes = begun == 0 && assigned.since.elapsed() < AWAKE;
        mine.saturating_sub(begun.max(u32::from(wakes)))
    }

    /// Whether it can be given a batch.
    pub fn is_free(&self) -> bool {
        self.assigned.is_none() && !self.retiring
    }

    pub fn socket(&self) -> &Private {
        &self.socket
    }

    /// Gives it a batch. It must have none.
    pub fn assign(&mut self, mut batch: Batch) {
        batch.seal();
        self.jobs += u64::from(batch.len());
        self.estate.assign(batch.len());
        let answered = vec![false; batch.len() as usize];
        self.assigned = Some(Assigned {
            batch,
            answered,
            answers: 0,
            written: 0,
            since: Instant::now(),
        });
        self.write();
    }

    /// Whether some of its batch waits for room in the socket.
    pub fn has_more_to_write(&self) -> bool {
        self.assigned.as_ref().is_some_and(|assigned| {
            assigned.written < assigned.batch.bytes.len()
        })
    }

    /// Writes what there is room for.
    pub fn write(&mut self) {
        let Some(assigned) = &mut self.assigned else {
            return;
        };
        while let Some(rest @ [_, ..]) =
            assigned.batch.bytes.get(assigned.written..)
        {
            match socket::send(&self.socket, rest, Wait::No) {
                Ok(sent) => assigned.written += sent,
                // Full; or the worker is gone, which its pidfd tells.
                Err(_) => return,
            }
        }
    }

    /// Reads what has come; `false` when nothing more will.
    pub fn read(&mut self) -> bool {
        loop {
            match socket::receive(&self.socket, &mut self.buffer, Wait::No) {
                Ok(0) => return false,
                Ok(received) => {
                    self.input.extend_from_slice(&self.buffer[..received]);
                    if received < READ {
                        return true;
                    }
                }
                Err(Errno::EAGAIN) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Reads all that a dead worker has left, in its socket and in its memory.
    pub fn inherit(&mut self) -> [Vec<u8>; 2] {
        while let Ok(received @ 1..) =
            socket::receive(&self.socket, &mut self.buffer, Wait::No)
        {
            self.input.extend_from_slice(&self.buffer[..received]);
        }
        [std::mem::take(&mut self.input), self.estate.kept()]
    }

    /// What has come and was not taken yet.
    pub fn take_input(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.input)
    }

    /// Puts back what was not a whole record.
    pub fn put_back(&mut self, mut input: Vec<u8>, taken: usize) {
        input.drain(..taken);
        self.input = input;
    }

    /// Tells it that no more will come.
    pub fn dismiss(&self) -> io::Result<()> {
        use nix::sys::socket::{Shutdown, shutdown};
        use std::os::fd::AsRawFd;
        Ok(shutdown(self.socket.as_raw_fd(), Shutdown::Write)?)
    }
}

/// Goes through the records at the beginning of the bytes; says how many bytes
/// they took, or `None` if there is nonsense among them.
pub(super) fn each_record(
    bytes: &[u8],
    mut each: impl FnMut(Record<'_>) -> bool,
) -> Option<usize> {
    let mut at = 0;
    loop {
        match Record::read(&bytes[at..]) {
            Read::Whole(record, length) => {
                if !each(record) {
                    return None;
                }
                at += length;
            }
            Read::Partly => return Some(at),
            Read::Nonsense => return None,
        }
    }
}
