//! What a pool and a worker say to each other, and what they share.
//!
//! To the worker goes a batch: its length in bytes, the number of its jobs,
//! then for each job the length of its argument and the argument. Back come
//! records: the job's place in the batch, what it is, how long, and the bytes.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU64, fence};

use crate::process::sys::mapping::{Mapping, SharedMemoryError};
use crate::process::sys::shareable::shareable;

/// Bytes before the arguments of a batch.
pub(super) const BATCH_HEADER: usize = 8;
/// Bytes before the contents of a record.
pub(super) const RECORD_HEADER: usize = 9;

/// An argument or a result may have so many bytes.
pub(super) const MOST_BYTES: usize = 1 << 30;

const WORD: usize = 8;
/// What a worker can keep of its answers in memory that outlives it.
const KEPT_WORDS: usize = 64 * 1024 / WORD;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// What the function returned.
    Value = 0,
    /// The text of its `Err`.
    Failed = 1,
    /// The text of its panic.
    Panicked = 2,
    /// Why the argument could not be read.
    Unreadable = 3,
    /// Why the value could not be sent.
    Unsendable = 4,
    /// The worker is ready for its first batch.
    Ready = 5,
    /// The text of the initial function's failure.
    Unfit = 6,
    /// The batch is done; how many nanoseconds it took.
    Done = 7,
}

impl Kind {
    fn read(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Value,
            1 => Self::Failed,
            2 => Self::Panicked,
            3 => Self::Unreadable,
            4 => Self::Unsendable,
            5 => Self::Ready,
            6 => Self::Unfit,
            7 => Self::Done,
            _ => return None,
        })
    }
}

/// A record read from bytes.
pub(super) struct Record<'a> {
    pub index: u32,
    pub kind: Kind,
    pub contents: &'a [u8],
}

/// Whether the bytes begin with a whole record.
pub(super) enum Read<'a> {
    /// It, and how many bytes it takes.
    Whole(Record<'a>, usize),
    /// More bytes must come.
    Partly,
    /// That is no record.
    Nonsense,
}

impl<'a> Record<'a> {
    pub fn read(bytes: &'a [u8]) -> Read<'a> {
        let Some((header, rest)) = bytes.split_at_checked(RECORD_HEADER) else {
            return Read::Partly;
        };
        let length = number(&header[5..]) as usize;
        match (Kind::read(header[4]), rest.get(..length)) {
            (None, _) => Read::Nonsense,
            (_, None) => Read::Partly,
            (Some(kind), Some(contents)) => {
                let record = Self { index: number(header), kind, contents };
                Read::Whole(record, RECORD_HEADER + length)
            }
        }
    }
}

/// Begins a record; [`end_record`] puts its kind and length in.
pub(super) fn begin_record(bytes: &mut Vec<u8>, index: u32) -> usize {
    let start = bytes.len();
    bytes.extend_from_slice(&index.to_le_bytes());
    bytes.extend_from_slice(&[0; RECORD_HEADER - 4]);
    start
}

/// Ends the record that began at `start`.
pub(super) fn end_record(bytes: &mut [u8], start: usize, kind: Kind) {
    let length = (bytes.len() - start - RECORD_HEADER) as u32;
    bytes[start + 4] = kind as u8;
    bytes[start + 5..start + RECORD_HEADER]
        .copy_from_slice(&length.to_le_bytes());
}

/// A whole record.
pub(super) fn put_record(
    bytes: &mut Vec<u8>,
    index: u32,
    kind: Kind,
    contents: &[u8],
) {
    let start = begin_record(bytes, index);
    bytes.extend_from_slice(contents);
    end_record(bytes, start, kind);
}

/// The first four bytes as a number.
pub(super) fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

shareable! {
    struct Counters {
        /// Of the batch: how many jobs have begun (upper half), and how many are the worker's (lower).
        claim: AtomicU64,
        /// How many words of kept records are whole.
        kept: AtomicU64,
        /// How often the kept records were forgotten.
        forgotten: AtomicU64,
    }
}

/// What a worker leaves behind when it is killed: which job it was at, and the
/// answers that it had not sent.
pub(super) struct Estate(Mapping<Counters, AtomicU64>);

impl Estate {
    pub fn new() -> Result<Self, SharedMemoryError> {
        Mapping::new(KEPT_WORDS).map(Self)
    }

    /// Before a batch goes out.
    pub fn assign(&self, jobs: u32) {
        self.0.kept.store(0, Relaxed);
        self.0.claim.store(u64::from(jobs), Release);
    }

    /// The worker takes the next job of its batch.
    pub fn claim(&self) -> Option<u32> {
        let claim = &self.0.claim;
        claim
            .fetch_update(AcqRel, Acquire, |word| {
                let (begun, assigned) = halves(word);
                (begun < assigned).then(|| whole(begun + 1, assigned))
            })
            .ok()
            .map(|word| halves(word).0)
    }

    /// Whether a job is left that has not begun.
    pub fn has_more(&self) -> bool {
        let (begun, assigned) = self.claimed();
        begun < assigned
    }

    /// How many jobs have begun, and how many are the worker's.
    pub fn claimed(&self) -> (u32, u32) {
        halves(self.0.claim.load(Acquire))
    }

    /// Takes jobs away that have not begun: leaves the worker so many of those.
    /// Says which were taken.
    pub fn reclaim(
        &self,
        leave: impl Fn(u32, u32) -> Option<u32>,
    ) -> Option<std::ops::Range<u32>> {
        let mut kept = 0;
        let taken = self.0.claim.fetch_update(AcqRel, Acquire, |word| {
            let (begun, assigned) = halves(word);
            kept = leave(begun, assigned)?;
            (begun <= kept && kept < assigned).then(|| whole(begun, kept))
        });
        taken.ok().map(|word| kept..halves(word).1)
    }

    /// Keeps a record until it has been sent; `false` if there is no room.
    pub fn keep(&self, record: &[u8]) -> bool {
        let kept = self.0.kept.load(Relaxed) as usize;
        let words = self.0.elements();
        let needed = 1 + record.len().div_ceil(WORD);
        let Some(room) = words.get(kept..kept + needed) else {
            return false;
        };
        room[0].store(record.len() as u64, Relaxed);
        for (word, bytes) in room[1..].iter().zip(record.chunks(WORD)) {
            let mut padded = [0; WORD];
            padded[..bytes.len()].copy_from_slice(bytes);
            word.store(u64::from_le_bytes(padded), Relaxed);
        }
        self.0.kept.store((kept + needed) as u64, Release);
        true
    }

    /// Forgets the records: they have been sent.
    pub fn sent(&self) {
        self.0.forgotten.fetch_add(1, Relaxed);
        // Who has read a word that is written from now on sees that the records
        // were forgotten.
        fence(Release);
        self.0.kept.store(0, Release);
    }

    /// The records that are kept, one after the other, while the worker goes
    /// on; `None` if they have just been sent.
    pub fn kept_now(&self) -> Option<Vec<u8>> {
        let forgotten = self.0.forgotten.load(Acquire);
        let records = self.kept();
        fence(Acquire);
        (self.0.forgotten.load(Relaxed) == forgotten).then_some(records)
    }

    /// The records that were kept, one after the other.
    pub fn kept(&self) -> Vec<u8> {
        let end = self.0.kept.load(Acquire) as usize;
        let mut words =
            self.0.elements().iter().take(end).map(|word| word.load(Relaxed));
        let mut records = Vec::new();
        while let Some(length) = words.next() {
            let start = records.len();
            for word in words.by_ref().take((length as usize).div_ceil(WORD)) {
                records.extend_from_slice(&word.to_le_bytes());
            }
            records.truncate(start.saturating_add(length as usize));
        }
        records
    }
}

fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

fn whole(begun: u32, assigned: u32) -> u64 {
    u64::from(begun) << 32 | u64::from(assigned)
}
