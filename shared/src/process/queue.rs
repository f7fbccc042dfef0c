//! A queue between any number of processes.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, SeqCst},
};
use std::time::Duration;

use nix::errno::Errno;
use serde::{Serialize, de::DeserializeOwned};

use super::codec;
use super::deadline::{Deadline, MAX_NAP};
use super::event_count::EventCount;
use super::ring::{self, Cursor, Ring};
use super::spin::Spin;
use super::sys::mapping::{Mapping, SharedMemoryError};
use super::sys::mutex::{RawGuard, RawMutex, Refused};
use super::sys::shareable::shareable;

/// How many bytes a queue holds at most, unless told otherwise.
const DEFAULT_BYTES: usize = 1 << 20;

/// A buffer larger than this is not kept for the next item.
const KEPT_BUFFER: usize = 1 << 20;

/// A bounded queue that any number of processes put into and get from.
///
/// First in, first out. Items are encoded with [`postcard`] and lie in memory
/// that this process shares with every process it forks afterwards. A put
/// waits while the queue is full, a get while it is empty.
///
/// A process may be killed at any instruction: it loses at most the item in
/// its own hands (one that it was putting, or had just got), no other item is
/// lost, torn or doubled, and nobody waits for the dead one.
///
/// Dropping a queue does not close it, since other processes may use it: say
/// [`close`](Queue::close) when nothing more will come.
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::{Process, Queue};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let queue = Queue::bounded(16)?;
/// let adder = Process::spawn(|| {
///     let mut sum = 0_u64;
///     for n in &queue {
///         sum += n; // ends when the queue is closed and empty
///     }
///     sum
/// })?;
/// for n in 1..=10_u64 {
///     queue.put(&n)?;
/// }
/// queue.close();
/// assert_eq!(adder.join()?, 55);
/// # Ok(())
/// # }
/// ```
pub struct Queue<T> {
    memory: Mapping<Ends, AtomicU64>,
    capacity: u32,
    spin: Spin,
    items: PhantomData<fn(T) -> T>,
}

shareable! {
    /// What the ring's two ends know, apart in memory so that putters and
    /// getters do not slow each other down.
    struct Ends {
        put: PutEnd,
        get: GetEnd,
        waiting: Waiting,
    }
}

shareable! {
    #[repr(align(128))]
    struct PutEnd {
        /// Held while an item is put.
        mutex: RawMutex,
        /// A [`Cursor`]. Moved with the mutex held, closed without.
        tail: AtomicU64,
        /// The head as a putter saw it last: it has come at least that far.
        head_seen: AtomicU64,
    }
}

shareable! {
    #[repr(align(128))]
    struct GetEnd {
        /// Held while an item is got.
        mutex: RawMutex,
        /// A [`Cursor`]. Moved with the mutex held.
        head: AtomicU64,
        /// The tail as a getter saw it last: it has come at least that far.
        tail_seen: AtomicU64,
    }
}

shareable! {
    #[repr(align(128))]
    struct Waiting {
        /// Notified after a put, and when the queue is closed.
        for_item: EventCount,
        /// Notified after a get, and when the queue is closed.
        for_room: EventCount,
        /// How many items were reported done, modulo 2³¹.
        done: AtomicU32,
        /// Notified when as many items are done as were put.
        for_done: EventCount,
    }
}

impl<T> Queue<T> {
    /// Makes a queue of at most `capacity` items, and of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// [`QueueError::Capacity`] for 0 and for more than 2³¹ − 1,
    /// [`QueueError::Memory`] when the shared memory cannot be had.
    pub fn bounded(capacity: usize) -> Result<Self, QueueError> {
        Self::with_bytes(capacity, DEFAULT_BYTES)
    }

    /// Makes a queue of at most `capacity` items that take at most `bytes`,
    /// rounded up to a power of two.
    ///
    /// An item takes its encoded size, rounded up to eight bytes, and eight
    /// more.
    ///
    /// # Errors
    ///
    /// [`QueueError::Capacity`] for a capacity of 0 or more than 2³¹ − 1,
    /// [`QueueError::Memory`] when the shared memory cannot be had.
    pub fn with_bytes(
        capacity: usize,
        bytes: usize,
    ) -> Result<Self, QueueError> {
        let capacity = u32::try_from(capacity)
            .ok()
            .filter(|capacity| (1..=ring::MAX_ITEMS).contains(capacity))
            .ok_or(QueueError::Capacity { capacity })?;
        let words = bytes
            .div_ceil(size_of::<u64>())
            .checked_next_power_of_two()
            .filter(|words| *words <= ring::MAX_WORDS)
            .ok_or_else(|| SharedMemoryError {
                bytes,
                source: io::ErrorKind::OutOfMemory.into(),
            })?;
        Ok(Self {
            memory: Mapping::new(words)?,
            capacity,
            spin: Spin::new(),
            items: PhantomData,
        })
    }

    /// How many items the queue holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// How many bytes its items take at most.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.memory.elements())
    }

    /// How many items are in the queue at this moment.
    #[must_use]
    pub fn len(&self) -> usize {
        // The head is read first: it never overtakes the tail.
        let head = self.head();
        let items = self.tail().items_since(head);
        items.min(self.capacity) as usize
    }

    /// Whether no item is in the queue at this moment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the queue holds as many items as it can at this moment.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Whether the queue was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.tail().is_closed()
    }

    /// Closes the queue: nothing more can be put. Who waits for room is told;
    /// getters take what is left and are told then. Harmless when it is
    /// closed.
    pub fn close(&self) {
        self.memory.put.tail.fetch_or(Cursor::CLOSED, SeqCst);
        self.memory.waiting.for_item.notify();
        self.memory.waiting.for_room.notify();
    }

    fn head(&self) -> Cursor {
        Cursor::new(self.memory.get.head.load(SeqCst))
    }

    fn tail(&self) -> Cursor {
        Cursor::new(self.memory.put.tail.load(SeqCst))
    }
}

impl<T: Serialize> Queue<T> {
    /// Puts an item at the end, and waits for room as long as it takes.
    ///
    /// # Errors
    ///
    /// [`QueueError::Closed`], also if it is closed while this waits;
    /// [`QueueError::Encode`] and [`QueueError::TooLarge`] for an item that
    /// cannot be put, ever.
    pub fn put(&self, item: &T) -> Result<(), QueueError> {
        self.encode_and_put(item, Patience::Endless)
    }

    /// Puts an item at the end if there is room.
    ///
    /// A process that was stopped in the middle of a put can hold this up, for
    /// 50 ms at most.
    ///
    /// # Errors
    ///
    /// [`QueueError::Full`], and those of [`put`](Queue::put).
    pub fn try_put(&self, item: &T) -> Result<(), QueueError> {
        self.encode_and_put(item, Patience::None)
    }

    /// Puts an item at the end, and waits for room up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`QueueError::Full`], and those of [`put`](Queue::put).
    pub fn put_timeout(
        &self,
        item: &T,
        timeout: Duration,
    ) -> Result<(), QueueError> {
        self.encode_and_put(
            item,
            Patience::For(timeout, Deadline::after(timeout)),
        )
    }

    fn encode_and_put(
        &self,
        item: &T,
        patience: Patience,
    ) -> Result<(), QueueError> {
        with_buffer(|buffer| {
            buffer.clear();
            codec::append(item, buffer).map_err(QueueError::Encode)?;
            self.put_bytes(buffer, patience)
        })
    }
}

impl<T: DeserializeOwned> Queue<T> {
    /// Gets the item at the front, and waits for one as long as it takes.
    ///
    /// # Errors
    ///
    /// [`QueueError::Closed`] when the queue is closed and empty;
    /// [`QueueError::Decode`] when the item's type cannot read back what it
    /// wrote: that item is gone.
    pub fn get(&self) -> Result<T, QueueError> {
        self.get_and_decode(Patience::Endless)
    }

    /// Gets the item at the front if there is one.
    ///
    /// A process that was stopped in the middle of a get can hold this up, for
    /// 50 ms at most.
    ///
    /// # Errors
    ///
    /// [`QueueError::Empty`], and those of [`get`](Queue::get).
    pub fn try_get(&self) -> Result<T, QueueError> {
        self.get_and_decode(Patience::None)
    }

    /// Gets the item at the front, and waits for one up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`QueueError::Empty`], and those of [`get`](Queue::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, QueueError> {
        self.get_and_decode(Patience::For(timeout, Deadline::after(timeout)))
    }

    /// Gets items until the queue is closed and empty.
    ///
    /// # Panics
    ///
    /// When [`get`](Queue::get) fails otherwise: when the item's type cannot
    /// read back what it wrote.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { queue: self }
    }

    fn get_and_decode(&self, patience: Patience) -> Result<T, QueueError> {
        with_buffer(|buffer| {
            let length = self.get_bytes(buffer, patience)?;
            postcard::from_bytes(&buffer[..length]).map_err(QueueError::Decode)
        })
    }
}

/// The part that knows nothing of the items' type.
impl<T> Queue<T> {
    fn ring(&self) -> Ring<'_> {
        Ring::new(self.memory.elements())
    }

    fn put_bytes(
        &self,
        item: &[u8],
        patience: Patience,
    ) -> Result<(), QueueError> {
        let words = ring::record_words(item.len())
            .filter(|words| *words as usize <= self.memory.elements().len())
            .ok_or_else(|| QueueError::TooLarge {
                item: item.len(),
                ring: self.bytes(),
            })?;
        let room = |tail: Cursor, head: Cursor| {
            tail.items_since(head) < self.capacity
                && self.ring().has_room(tail, head, words)
        };
        let waiting = &self.memory.waiting;
        let can_go_on = || {
            let head = self.head();
            let tail = self.tail();
            tail.is_closed() || room(tail, head)
        };
        while let Some(guard) = patience.lock(&self.memory.put.mutex)? {
            if self.commit_put(item, words, room)? {
                waiting.for_item.notify();
                return Ok(());
            }
            drop(guard);
            if !patience.wait(&waiting.for_room, &self.spin, can_go_on) {
                break;
            }
        }
        Err(QueueError::Full { waited: patience.waited() })
    }

    /// Puts an item if there is room; the caller holds the mutex of that end.
    #[inline]
    fn commit_put(
        &self,
        item: &[u8],
        words: u32,
        room: impl Fn(Cursor, Cursor) -> bool,
    ) -> Result<bool, QueueError> {
        let end = &self.memory.put;
        let tail = Cursor::new(end.tail.load(Relaxed));
        if tail.is_closed() {
            return Err(QueueError::Closed);
        }
        if !room(tail, Cursor::new(end.head_seen.load(Relaxed))) {
            let head = self.memory.get.head.load(Acquire);
            end.head_seen.store(head, Relaxed);
            if !room(tail, Cursor::new(head)) {
                return Ok(false);
            }
        }
        self.ring().write(tail, item);
        // One store is the commit. It fails only if the queue was closed
        // since: everything else that moves the tail holds the mutex.
        end.tail
            .compare_exchange(
                tail.word(),
                tail.after(words).word(),
                SeqCst,
                SeqCst,
            )
            .map_err(|_| QueueError::Closed)?;
        Ok(true)
    }

    /// Gets an item's bytes to the beginning of the buffer; how many.
    fn get_bytes(
        &self,
        buffer: &mut Vec<u8>,
        patience: Patience,
    ) -> Result<usize, QueueError> {
        let waiting = &self.memory.waiting;
        let can_go_on = || {
            let head = self.head();
            let tail = self.tail();
            tail.is_closed() || tail.items_since(head) > 0
        };
        while let Some(guard) = patience.lock(&self.memory.get.mutex)? {
            if let Some(length) = self.commit_get(buffer)? {
                waiting.for_room.notify();
                return Ok(length);
            }
            drop(guard);
            if !patience.wait(&waiting.for_item, &self.spin, can_go_on) {
                break;
            }
        }
        Err(QueueError::Empty { waited: patience.waited() })
    }

    /// Gets an item if there is one; the caller holds the mutex of that end.
    #[inline]
    fn commit_get(
        &self,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<usize>, QueueError> {
        let end = &self.memory.get;
        let head = Cursor::new(end.head.load(Relaxed));
        let tail_seen = Cursor::new(end.tail_seen.load(Relaxed));
        if tail_seen.items_since(head) == 0 {
            let tail = Cursor::new(self.memory.put.tail.load(Acquire));
            end.tail_seen.store(tail.word(), Relaxed);
            if tail.items_since(head) == 0 {
                return if tail.is_closed() {
                    Err(QueueError::Closed)
                } else {
                    Ok(None)
                };
            }
        }
        let (length, behind) = self.ring().read(head, buffer);
        // One store is the commit; swapped, so that it is ordered before the
        // look for sleepers that follows.
        end.head.swap(behind.word(), SeqCst);
        Ok(Some(length))
    }

    /// Counts one item as done; whether there was one that was not.
    pub(crate) fn mark_done(&self) -> bool {
        let done = &self.memory.waiting.done;
        let one_more = |count: u32| {
            let unfinished = ring::items_since(self.tail().items(), count);
            (unfinished > 0).then(|| (count + 1) & ring::MAX_ITEMS)
        };
        let marked = done.fetch_update(SeqCst, SeqCst, one_more).is_ok();
        if self.unfinished() == 0 {
            self.memory.waiting.for_done.notify();
        }
        marked
    }

    /// How many items were put and not yet reported done.
    pub(crate) fn unfinished(&self) -> usize {
        // What is done is read first: it never overtakes what was put.
        let done = self.memory.waiting.done.load(SeqCst);
        ring::items_since(self.tail().items(), done) as usize
    }

    /// Waits until all is done; whether it was before the deadline.
    pub(crate) fn wait_until_done(&self, deadline: Deadline) -> bool {
        let for_done = &self.memory.waiting.for_done;
        loop {
            let ticket = for_done.prepare();
            if self.unfinished() == 0 {
                return true;
            }
            match deadline.nap() {
                Some(nap) => for_done.wait(ticket, nap),
                None => return false,
            }
        }
    }
}

/// How long a put or a get waits.
#[derive(Clone, Copy)]
enum Patience {
    None,
    For(Duration, Deadline),
    Endless,
}

impl Patience {
    /// Takes the mutex of one end; `None` if it was not free in time.
    #[inline]
    fn lock(
        self,
        mutex: &RawMutex,
    ) -> Result<Option<RawGuard<'_>>, QueueError> {
        match mutex.try_lock() {
            Ok(guard) => Ok(Some(guard)),
            Err(Refused::Busy) => self.lock_slowly(mutex),
            Err(refused) => Err(QueueError::refused(refused)),
        }
    }

    #[cold]
    fn lock_slowly(
        self,
        mutex: &RawMutex,
    ) -> Result<Option<RawGuard<'_>>, QueueError> {
        let deadline = match self {
            // Held for an instant only, unless its holder was stopped.
            Self::None => Deadline::after(MAX_NAP),
            Self::For(_, deadline) => deadline,
            Self::Endless => Deadline::Never,
        };
        match mutex.lock(deadline) {
            Ok(guard) => Ok(Some(guard)),
            Err(Refused::Busy) => Ok(None),
            Err(refused) => Err(QueueError::refused(refused)),
        }
    }

    /// Waits until it is worth another try; false if the time is over.
    #[cold]
    fn wait(
        self,
        event_count: &EventCount,
        spin: &Spin,
        can_go_on: impl Fn() -> bool,
    ) -> bool {
        let deadline = match self {
            Self::None => return false,
            Self::For(_, deadline) => deadline,
            Self::Endless => Deadline::Never,
        };
        if spin.until(&can_go_on) {
            return true;
        }
        let ticket = event_count.prepare();
        if can_go_on() {
            return true;
        }
        match deadline.nap() {
            Some(nap) => {
                event_count.wait(ticket, nap);
                true
            }
            None => false,
        }
    }

    fn waited(self) -> Duration {
        match self {
            Self::For(timeout, _) => timeout,
            Self::None | Self::Endless => Duration::ZERO,
        }
    }
}

/// Lends a buffer that is kept from one item to the next.
fn with_buffer<R>(work: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    // Taken out, because encoding an item may itself use a queue.
    let mut buffer = BUFFER.take();
    let result = work(&mut buffer);
    if buffer.capacity() <= KEPT_BUFFER {
        BUFFER.set(buffer);
    }
    result
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

/// Items of a [`Queue`], until it is closed and empty.
#[derive(Debug)]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
}

impl<T: DeserializeOwned> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self.queue.get() {
            Ok(item) => Some(item),
            Err(QueueError::Closed) => None,
            Err(error) => panic!("the next item of a queue: {error}"),
        }
    }
}

impl<'a, T: DeserializeOwned> IntoIterator for &'a Queue<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Why a [`Queue`] could not be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There was no room, at once or for the whole of the given time.
    #[error("the queue is full (waited {waited:?})")]
    Full {
        /// How long the call was to wait for room.
        waited: Duration,
    },
    /// There was no item, at once or for the whole of the given time.
    #[error("the queue is empty (waited {waited:?})")]
    Empty {
        /// How long the call was to wait for an item.
        waited: Duration,
    },
    /// The queue was closed and, for a get, is empty.
    #[error("the queue is closed")]
    Closed,
    /// The item can never be put.
    #[error(
        "an item of {item} bytes does not fit into a queue of {ring} bytes; \
         make the queue with more (Queue::with_bytes), or the item smaller"
    )]
    TooLarge {
        /// The size of the encoded item in bytes.
        item: usize,
        /// What the queue can hold in bytes.
        ring: usize,
    },
    /// A queue of no items, or of too many, was asked for.
    #[error(
        "a queue cannot have room for {capacity} items, only for 1 to {}",
        ring::MAX_ITEMS
    )]
    Capacity {
        /// What was asked for.
        capacity: usize,
    },
    /// The item could not be turned into bytes.
    #[error("cannot encode the item")]
    Encode(#[source] postcard::Error),
    /// The bytes could not be turned into an item.
    #[error(
        "cannot decode the item: its type does not read back what it wrote"
    )]
    Decode(#[source] postcard::Error),
    /// More items were reported done than were put.
    #[error("task_done was said for more items than were put")]
    TaskDone,
    /// The shared memory could not be had.
    #[error("cannot make a queue")]
    Memory(#[from] SharedMemoryError),
    /// The system refused.
    #[error("cannot take the lock of the queue")]
    System(#[source] io::Error),
}

impl QueueError {
    #[cold]
    fn refused(refused: Refused) -> Self {
        Self::System(match refused {
            Refused::Busy => Errno::EBUSY.into(),
            Refused::HeldHere => Errno::EDEADLK.into(),
            Refused::System(error) => error,
        })
    }
}
