//! What the processes of a storm say that they have done, and what follows from
//! it.

use std::collections::{HashMap, HashSet};

/// What a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// An item is in the queue.
    Put,
    /// An item of another process (`from`) was taken.
    Got,
    /// One was taken that is not what was put.
    Torn,
    /// The lock was had so many times (`from`), `number` of them after a dead
    /// owner.
    Locked,
    /// The lock was had by two.
    Broken,
    /// A permit was had so many times (`from`).
    Admitted,
    /// Too many had one.
    Crowded,
    /// The total was counted up.
    Updated,
    /// An item is in the list.
    Pushed,
    /// Nothing but a sign of life.
    Alive,
}

const KINDS: [Kind; 10] = [
    Kind::Put,
    Kind::Got,
    Kind::Torn,
    Kind::Locked,
    Kind::Broken,
    Kind::Admitted,
    Kind::Crowded,
    Kind::Updated,
    Kind::Pushed,
    Kind::Alive,
];

/// A line in the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub kind: Kind,
    /// Who writes.
    pub seat: u8,
    pub generation: u32,
    /// Whose item it is.
    pub from: (u8, u32),
    pub number: u64,
}

impl Record {
    pub const BYTES: usize = 19;

    pub fn bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = self.kind as u8;
        bytes[1] = self.seat;
        bytes[2..6].copy_from_slice(&self.generation.to_le_bytes());
        bytes[6] = self.from.0;
        bytes[7..11].copy_from_slice(&self.from.1.to_le_bytes());
        bytes[11..].copy_from_slice(&self.number.to_le_bytes());
        bytes
    }

    pub fn read(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            u32::from_le_bytes([
                bytes[at],
                bytes[at + 1],
                bytes[at + 2],
                bytes[at + 3],
            ])
        };
        Self {
            kind: KINDS[usize::from(bytes[0])],
            seat: bytes[1],
            generation: word(2),
            from: (bytes[6], word(7)),
            number: u64::from(word(11)) | u64::from(word(15)) << 32,
        }
    }
}

/// A process: its seat, and how many sat there before.
type Writer = (u8, u32);

/// The sums.
#[derive(Default)]
pub struct Ledger {
    pub acknowledged: u64,
    pub consumed: u64,
    pub duplicates: u64,
    pub disordered: u64,
    pub torn: u64,
    pub locked: u64,
    pub inherited: u64,
    pub broken: u64,
    pub admitted: u64,
    pub crowded: u64,
    pub updated: u64,
    pub pushed: HashSet<(u8, u32, u64)>,
    /// Of each producer: its items by number, whether put and whether taken.
    items: HashMap<Writer, Vec<(bool, bool)>>,
    /// The last item that a consumer had of a producer.
    last: HashMap<(Writer, Writer), u64>,
}

impl Ledger {
    pub fn enter(&mut self, record: &Record) {
        let writer = (record.seat, record.generation);
        match record.kind {
            Kind::Put => {
                self.acknowledged += 1;
                self.item(writer, record.number).0 = true;
            }
            Kind::Got => {
                self.consumed += 1;
                let taken = &mut self.item(record.from, record.number).1;
                let again = std::mem::replace(taken, true);
                self.duplicates += u64::from(again);
                let last =
                    self.last.insert((writer, record.from), record.number);
                self.disordered +=
                    u64::from(last.is_some_and(|last| last >= record.number));
            }
            Kind::Torn => self.torn += 1,
            Kind::Locked => {
                self.locked += u64::from(record.from.1);
                self.inherited += record.number;
            }
            Kind::Broken => self.broken += 1,
            Kind::Admitted => self.admitted += u64::from(record.from.1),
            Kind::Crowded => self.crowded += 1,
            Kind::Updated => self.updated += 1,
            Kind::Pushed => {
                self.pushed
                    .insert((record.seat, record.generation, record.number));
            }
            Kind::Alive => {}
        }
    }

    /// Items that were put and that nobody says he had.
    pub fn lost(&self) -> u64 {
        let lost = |&&(put, taken): &&(bool, bool)| put && !taken;
        self.items.values().flatten().filter(lost).count() as u64
    }

    fn item(&mut self, producer: (u8, u32), number: u64) -> &mut (bool, bool) {
        let items = self.items.entry(producer).or_default();
        let place = number as usize;
        if items.len() <= place {
            items.resize(place + 1, (false, false));
        }
        &mut items[place]
    }
}
