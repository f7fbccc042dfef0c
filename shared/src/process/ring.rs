//! The ring of a queue: where an item lies, and what is free.
//!
//! Plain code without system calls: it can be run by Miri, and by threads of
//! one process.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const WORD: usize = size_of::<u64>();

const CLOSED: u64 = 1;
const ITEMS: u32 = u32::MAX >> 1;

/// The most items that can be told apart from none.
pub(crate) const MAX_ITEMS: u32 = ITEMS;

/// The most words: more could not be told apart from none.
pub(crate) const MAX_WORDS: usize = 1 << 31;

/// One end of the ring: how far it has come since the ring was made.
///
/// All of it is one word, so that one store commits a change: 32 bits of words
/// passed, 31 bits of items passed, and whether the end is closed. The
/// counters wrap around; only their differences mean anything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor(u64);

impl Cursor {
    pub const CLOSED: u64 = CLOSED;

    pub const fn new(word: u64) -> Self {
        Self(word)
    }

    pub const fn word(self) -> u64 {
        self.0
    }

    pub const fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// Words passed, modulo 2³².
    const fn words(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Items passed, modulo 2³¹.
    pub const fn items(self) -> u32 {
        (self.0 as u32) >> 1
    }

    /// The cursor after one more item of so many words.
    pub const fn after(self, words: u32) -> Self {
        let words = self.words().wrapping_add(words) as u64;
        let items = (self.items().wrapping_add(1) & ITEMS) as u64;
        Self(words << 32 | items << 1 | self.0 & CLOSED)
    }

    pub const fn words_since(self, earlier: Self) -> u32 {
        self.words().wrapping_sub(earlier.words())
    }

    pub const fn items_since(self, earlier: Self) -> u32 {
        items_since(self.items(), earlier.items())
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("words", &self.words())
            .field("items", &self.items())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

/// The difference of two counters of items.
pub(crate) const fn items_since(later: u32, earlier: u32) -> u32 {
    later.wrapping_sub(earlier) & ITEMS
}

/// How many words an item of so many bytes takes: one for its length, then
/// its bytes. `None` if no ring could hold it.
pub(crate) fn record_words(bytes: usize) -> Option<u32> {
    u32::try_from(bytes).ok()?;
    u32::try_from(1 + bytes.div_ceil(WORD)).ok()
}

/// The memory between the two ends.
///
/// It is made of atomic words, because other processes change it; who may
/// touch which of them is for the two ends to know.
#[derive(Clone, Copy)]
pub(crate) struct Ring<'a> {
    /// A power of two of them, so that the counters may wrap around.
    words: &'a [AtomicU64],
}

impl<'a> Ring<'a> {
    #[inline]
    pub fn new(words: &'a [AtomicU64]) -> Self {
        debug_assert!(
            words.len().is_power_of_two() && words.len() <= MAX_WORDS
        );
        Self { words }
    }

    /// Whether an item of so many words fits behind `tail`.
    #[inline]
    pub fn has_room(self, tail: Cursor, head: Cursor, words: u32) -> bool {
        let used = tail.words_since(head) as usize;
        used + words as usize <= self.words.len()
    }

    /// Writes an item behind `tail`, where there is room for it.
    #[inline]
    pub fn write(self, tail: Cursor, item: &[u8]) {
        let start = self.index(tail);
        self.words[start].store(item.len() as u64, Relaxed);
        let (here, wrapped) = self.parts(start + 1, item.len().div_ceil(WORD));
        let (first, second) = item.split_at(item.len().min(here.len() * WORD));
        store(here, first);
        store(wrapped, second);
    }

    /// Copies the item at `head` to the beginning of `buffer`, which grows if
    /// it must and never shrinks. Returns the item's length and the cursor
    /// behind it.
    #[inline]
    pub fn read(self, head: Cursor, buffer: &mut Vec<u8>) -> (usize, Cursor) {
        let start = self.index(head);
        let length = self.words[start].load(Relaxed) as usize;
        let words = length.div_ceil(WORD);
        let (here, wrapped) = self.parts(start + 1, words);
        if buffer.len() < words * WORD {
            buffer.resize(words * WORD, 0);
        }
        let (first, second) =
            buffer[..words * WORD].split_at_mut(here.len() * WORD);
        load(here, first);
        load(wrapped, second);
        (length, head.after(1 + words as u32))
    }

    #[inline]
    fn index(self, cursor: Cursor) -> usize {
        cursor.words() as usize & (self.words.len() - 1)
    }

    /// The `count` words from `start` on: those before the end of the memory,
    /// and those that go on at its beginning.
    #[inline]
    fn parts(
        self,
        start: usize,
        count: usize,
    ) -> (&'a [AtomicU64], &'a [AtomicU64]) {
        let here = count.min(self.words.len() - start);
        (&self.words[start..start + here], &self.words[..count - here])
    }
}

/// Stores bytes into as many words as they need.
#[inline]
fn store(words: &[AtomicU64], bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks();
    for (word, chunk) in words.iter().zip(whole) {
        word.store(u64::from_ne_bytes(*chunk), Relaxed);
    }
    if let (false, Some(last)) = (rest.is_empty(), words.last()) {
        let mut padded = [0; WORD];
        padded[..rest.len()].copy_from_slice(rest);
        last.store(u64::from_ne_bytes(padded), Relaxed);
    }
}

/// Loads words into as many bytes as they have.
#[inline]
fn load(words: &[AtomicU64], bytes: &mut [u8]) {
    for (word, chunk) in words.iter().zip(bytes.as_chunks_mut().0) {
        *chunk = word.load(Relaxed).to_ne_bytes();
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::sync::atomic::Ordering::{Acquire, Release};
    use std::thread;

    use super::*;

    fn words(count: usize) -> Vec<AtomicU64> {
        iter::repeat_with(AtomicU64::default).take(count).collect()
    }

    fn item(n: usize) -> Vec<u8> {
        (0..n % 29).map(|at| (n * 31 + at) as u8).collect()
    }

    #[test]
    fn items_come_back_wherever_they_lie() {
        let memory = words(8);
        let ring = Ring::new(&memory);
        let mut buffer = Vec::new();
        let mut tail = Cursor::new(0);
        for n in 0..200 {
            let (item, head) = (item(n), tail);
            let words = record_words(item.len()).expect("it is small");
            assert!(ring.has_room(tail, head, words));
            ring.write(tail, &item);
            tail = tail.after(words);
            let (length, behind) = ring.read(head, &mut buffer);
            assert_eq!(buffer[..length], item);
            assert_eq!(behind, tail);
        }
    }

    #[test]
    fn room_is_what_is_not_used() {
        let memory = words(8);
        let ring = Ring::new(&memory);
        let head = Cursor::new(0);
        assert!(ring.has_room(head, head, 8));
        assert!(!ring.has_room(head, head, 9));
        let tail = head.after(5);
        assert!(ring.has_room(tail, head, 3));
        assert!(!ring.has_room(tail, head, 4));
        assert!(!ring.has_room(head.after(8), head, 1));
    }

    #[test]
    fn counters_wrap_around() {
        let memory = words(16);
        let ring = Ring::new(&memory);
        // Two words and two items before both counters begin again.
        let (words, items) =
            (u64::from(u32::MAX - 1), u64::from(MAX_ITEMS - 1));
        let start = (words << 32) | (items << 1);
        let head = Cursor::new(start);
        assert_eq!(head.items(), MAX_ITEMS - 1);
        let mut tail = head;
        for n in 0..5 {
            assert!(ring.has_room(tail, head, 2));
            ring.write(tail, &[n; 8]);
            tail = tail.after(2);
            assert_eq!(tail.items_since(head), u32::from(n) + 1);
            assert_eq!(tail.words_since(head), (u32::from(n) + 1) * 2);
        }
        assert!(tail.word() < head.word());
        let (mut at, mut buffer) = (head, Vec::new());
        for n in 0..5 {
            let (length, behind) = ring.read(at, &mut buffer);
            assert_eq!(buffer[..length], [n; 8]);
            at = behind;
        }
        assert_eq!(at, tail);
    }

    #[test]
    fn closing_changes_no_counter() {
        let cursor = Cursor::new(0).after(3);
        let closed = Cursor::new(cursor.word() | Cursor::CLOSED);
        assert!(closed.is_closed() && !cursor.is_closed());
        assert_eq!(closed.items_since(cursor), 0);
        assert_eq!(closed.words_since(cursor), 0);
        assert!(closed.after(2).is_closed());
    }

    #[test]
    fn items_too_long_for_any_ring_have_no_size() {
        assert_eq!(record_words(0), Some(1));
        assert_eq!(record_words(8), Some(2));
        assert_eq!(record_words(9), Some(3));
        assert_eq!(record_words(usize::MAX), None);
        assert_eq!(record_words(1 << 32), None);
    }

    /// The two ends as the queue uses them, in two threads.
    #[test]
    fn a_writer_and_a_reader_agree() {
        let items = if cfg!(miri) { 200 } else { 100_000 };
        let memory = words(16);
        let ring = Ring::new(&memory);
        let (tail, head) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..items {
                    let item = item(n);
                    let words = record_words(item.len()).expect("it is small");
                    let at = Cursor::new(tail.load(Relaxed));
                    while !ring.has_room(
                        at,
                        Cursor::new(head.load(Acquire)),
                        words,
                    ) {
                        thread::yield_now();
                    }
                    ring.write(at, &item);
                    tail.store(at.after(words).word(), Release);
                }
            });
            let mut buffer = Vec::new();
            for n in 0..items {
                let at = Cursor::new(head.load(Relaxed));
                while Cursor::new(tail.load(Acquire)).items_since(at) == 0 {
                    thread::yield_now();
                }
                let (length, behind) = ring.read(at, &mut buffer);
                assert_eq!(buffer[..length], item(n));
                head.store(behind.word(), Release);
            }
        });
    }
}
