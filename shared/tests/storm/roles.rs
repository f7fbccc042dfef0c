//! What the processes of a storm do until they are killed.

use std::error::Error;
use std::fs;
use std::io::PipeWriter;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::process::{Dict, Event, List, Lock, Queue, QueueError, Semaphore};

use crate::ledger::{Kind, Record};
use crate::write_record;

pub const PERMITS: usize = 2;

/// So many rounds at the lock are told of at a time: who only writes is not
/// killed where it matters.
const ROUNDS: u32 = 64;
/// The same at the semaphore.
const VISITS: u32 = 16;
/// What is done under the lock, so that it is held most of the time.
const STEPS: u64 = 100;

/// Between two looks at who has a permit: one that is just being killed may
/// have lost it already.
const SECOND_LOOK: Duration = Duration::from_millis(100);

type Failure = Box<dyn Error + Send + Sync>;

/// What a process does.
type Role = fn(&Desk<'_>) -> Result<(), Failure>;

/// The eight.
pub const ROLES: [(&str, Role); 8] = [
    ("producer", produce),
    ("producer", produce),
    ("consumer", consume),
    ("consumer", consume),
    ("guest", lock_and_enter),
    ("guest", lock_and_enter),
    ("guest", lock_and_enter),
    ("client", ask_the_manager),
];

#[derive(Serialize, Deserialize)]
pub struct Item {
    producer: (u8, u32),
    number: u64,
    text: String,
    sum: u64,
}

pub struct Shared {
    pub queue: Queue<Item>,
    /// All words are equal whenever nobody has it.
    pub lock: Lock<[u64; 8]>,
    pub semaphore: Semaphore,
    /// The pids of those who have a permit.
    pub inside: Lock<[u32; 16]>,
    pub stop: Event,
}

/// What a process works with.
pub struct Desk<'a> {
    pub shared: &'a Shared,
    pub counts: &'a Dict<String, u64>,
    pub list: &'a List<(u8, u32, u64)>,
    pub write: &'a PipeWriter,
    pub seat: u8,
    pub generation: u32,
}

impl Desk<'_> {
    fn tell(&self, kind: Kind, number: u64) -> std::io::Result<()> {
        self.tell_of(kind, (0, 0), number)
    }

    fn tell_of(
        &self,
        kind: Kind,
        from: (u8, u32),
        number: u64,
    ) -> std::io::Result<()> {
        let (seat, generation) = (self.seat, self.generation);
        write_record(
            self.write,
            &Record { kind, seat, generation, from, number },
        )
    }
}

/// A sum over a number and a text.
pub fn checksum(number: u64, text: &[u8]) -> u64 {
    let edge = text.iter().step_by(text.len() / 64 + 1);
    edge.fold(number ^ text.len() as u64, |sum, &byte| {
        sum.wrapping_mul(1_099_511_628_211) ^ u64::from(byte)
    })
}

pub fn checked(number: u64, text: &[u8], sum: u64) -> bool {
    checksum(number, text) == sum
}

fn produce(desk: &Desk<'_>) -> Result<(), Failure> {
    for number in 0.. {
        if desk.shared.stop.is_set() {
            break;
        }
        let letter = char::from(b'a' + (number % 26) as u8);
        let text = letter
            .to_string()
            .repeat([1, 10, 300, 5000][(number % 4) as usize]);
        let sum = checksum(number, text.as_bytes());
        let producer = (desk.seat, desk.generation);
        desk.shared.queue.put(&Item { producer, number, text, sum })?;
        desk.tell(Kind::Put, number)?;
    }
    Ok(())
}

fn consume(desk: &Desk<'_>) -> Result<(), Failure> {
    loop {
        match desk.shared.queue.get_timeout(Duration::from_millis(500)) {
            Ok(item)
                if checked(item.number, item.text.as_bytes(), item.sum) =>
            {
                desk.tell_of(Kind::Got, item.producer, item.number)?;
            }
            Ok(item) => desk.tell_of(Kind::Torn, item.producer, item.number)?,
            Err(QueueError::Decode(_)) => desk.tell(Kind::Torn, 0)?,
            Err(QueueError::Closed) => return Ok(()),
            Err(QueueError::Empty { .. }) => desk.tell(Kind::Alive, 0)?,
            Err(error) => return Err(error.into()),
        }
    }
}

fn lock_and_enter(desk: &Desk<'_>) -> Result<(), Failure> {
    while !desk.shared.stop.is_set() {
        let mut inherited = 0;
        let mut broken = 0;
        for _ in 0..ROUNDS {
            let mut words = desk.shared.lock.lock()?;
            if words.dead_owner().is_some() {
                inherited += 1;
                *words = [words.iter().copied().max().unwrap_or(0); 8];
            }
            let before = words[0];
            let mut whole = words.iter().all(|&word| word == before);
            for step in 1..=STEPS {
                for word in words.iter_mut() {
                    *word += 1;
                    whole &= *word == before + step;
                }
            }
            broken += u32::from(!whole);
        }
        desk.tell_of(Kind::Locked, (0, ROUNDS), inherited)?;
        if broken > 0 {
            desk.tell(Kind::Broken, 0)?;
        }

        let mut crowded = false;
        for _ in 0..VISITS {
            let permit = desk.shared.semaphore.acquire()?;
            crowded |= enter(desk)?;
            leave(desk)?;
            drop(permit);
        }
        desk.tell_of(Kind::Admitted, (0, VISITS), 0)?;
        if crowded {
            desk.tell(Kind::Crowded, 0)?;
        }
    }
    Ok(())
}

/// Puts this process among those who have a permit; says whether they are too
/// many.
fn enter(desk: &Desk<'_>) -> Result<bool, Failure> {
    let mut inside = desk.shared.inside.lock()?;
    let mut others = living(&inside[..]);
    if others.len() >= PERMITS {
        thread::sleep(SECOND_LOOK);
        others.retain(|&pid| is_alive(pid));
    }
    let crowded = others.len() >= PERMITS;
    let mut now = [0; 16];
    others.truncate(15);
    others.push(std::process::id());
    now[..others.len()].copy_from_slice(&others);
    *inside = now;
    Ok(crowded)
}

fn leave(desk: &Desk<'_>) -> Result<(), Failure> {
    let this = std::process::id();
    let mut inside = desk.shared.inside.lock()?;
    for pid in inside.iter_mut().filter(|pid| **pid == this) {
        *pid = 0;
    }
    Ok(())
}

fn living(pids: &[u32]) -> Vec<u32> {
    pids.iter().copied().filter(|&pid| pid != 0 && is_alive(pid)).collect()
}

fn is_alive(pid: u32) -> bool {
    let stat =
        fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn ask_the_manager(desk: &Desk<'_>) -> Result<(), Failure> {
    for number in 0.. {
        if desk.shared.stop.is_set() {
            break;
        }
        desk.counts.update("total", |total| total.unwrap_or(0) + 1)?;
        desk.tell(Kind::Updated, number)?;
        if number % 64 == 0 {
            desk.list.push(&(desk.seat, desk.generation, number))?;
            desk.tell(Kind::Pushed, number)?;
        }
    }
    Ok(())
}
