//! `Queue`: between any number of processes, each item exactly once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal as Number;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use shared::process::{Process, Queue, QueueError, Signal};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{SOON, asleep, eventually, interrupt_on};

pub const CASES: &[Case] = cases!("queue":
    first_in_first_out,
    the_item_that_fits_is_taken_and_the_next_refused,
    an_empty_one_refuses_likewise,
    what_was_put_before_the_fork_comes_first,
    its_length_goes_up_and_down,
    an_item_that_cannot_be_encoded_is_refused_where_it_is_put,
    an_item_that_cannot_be_decoded_is_an_error_and_gone,
    closing_lets_getters_drain_first,
    closing_wakes_who_waits_for_an_item,
    closing_wakes_who_waits_for_room,
    a_put_wakes_who_sleeps,
    a_get_wakes_who_sleeps,
    one_made_in_a_child_works_there,
    each_item_arrives_once_and_in_order,
    items_of_any_size_stay_whole,
    an_item_larger_than_the_ring_names_both_sizes,
    bytes_limit_it_too,
    capacities_that_make_no_sense_are_refused,
    no_memory_is_an_error,
    a_dropped_one_gives_its_memory_back,
    a_signal_does_not_end_a_wait,
    a_killed_getter_hinders_nobody,
    a_stopped_getter_hinders_a_try_for_a_moment_only,
    encoding_an_item_may_use_a_queue,
    threads_share_one_too,
);

const A_WHILE: Duration = Duration::from_millis(60);

fn first_in_first_out() -> Outcome {
    let queue = Queue::bounded(8)?;
    for n in 0..8 {
        queue.put(&n)?;
    }
    for n in 0..8 {
        assert_eq!(queue.get()?, n);
    }
    Ok(())
}

fn the_item_that_fits_is_taken_and_the_next_refused() -> Outcome {
    let queue = Queue::bounded(2)?;
    queue.try_put(&1)?;
    queue.put_timeout(&2, A_WHILE)?;
    assert!(queue.is_full());
    let began = Instant::now();
    assert!(
        matches!(queue.try_put(&3), Err(QueueError::Full { waited }) if waited.is_zero())
    );
    assert!(began.elapsed() < A_WHILE);
    let began = Instant::now();
    let late = queue.put_timeout(&3, A_WHILE);
    assert!(
        matches!(late, Err(QueueError::Full { waited }) if waited == A_WHILE)
    );
    assert!((A_WHILE..SOON).contains(&began.elapsed()));
    assert_eq!(queue.get()?, 1);
    queue.try_put(&3)?;
    assert_eq!((queue.get()?, queue.get()?), (2, 3));
    Ok(())
}

fn an_empty_one_refuses_likewise() -> Outcome {
    let queue = Queue::<u8>::bounded(2)?;
    assert!(queue.is_empty());
    assert!(
        matches!(queue.try_get(), Err(QueueError::Empty { waited }) if waited.is_zero())
    );
    let began = Instant::now();
    let late = queue.get_timeout(A_WHILE);
    assert!(
        matches!(late, Err(QueueError::Empty { waited }) if waited == A_WHILE)
    );
    assert!((A_WHILE..SOON).contains(&began.elapsed()));
    Ok(())
}

fn what_was_put_before_the_fork_comes_first() -> Outcome {
    let queue = Queue::bounded(4)?;
    queue.put(&"parent".to_owned())?;
    let child = Process::spawn(|| queue.put(&"child".to_owned()))?;
    child.join()?;
    assert_eq!(queue.get()?, "parent");
    assert_eq!(queue.get()?, "child");
    Ok(())
}

fn its_length_goes_up_and_down() -> Outcome {
    let queue = Queue::bounded(4)?;
    let mut seen = vec![queue.len()];
    queue.put(&'a')?;
    seen.push(queue.len());
    queue.put(&'b')?;
    seen.push(queue.len());
    queue.get()?;
    seen.push(queue.len());
    queue.get()?;
    seen.push(queue.len());
    assert_eq!(seen, [0, 1, 2, 1, 0]);
    Ok(())
}

/// Fails to encode, or to decode, when it says so.
enum Fragile {
    Sound(u64),
    Unwritable,
    Unreadable,
}

impl Serialize for Fragile {
    fn serialize<S: Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match self {
            Self::Sound(n) => serializer.serialize_u64(*n),
            Self::Unwritable => Err(ser::Error::custom("cannot be written")),
            Self::Unreadable => serializer.serialize_u64(u64::MAX),
        }
    }
}

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            u64::MAX => Err(de::Error::custom("cannot be read")),
            n => Ok(Self::Sound(n)),
        }
    }
}

fn an_item_that_cannot_be_encoded_is_refused_where_it_is_put() -> Outcome {
    let queue = Queue::with_bytes(4, 64)?;
    for _ in 0..100 {
        let refused = queue.try_put(&Fragile::Unwritable);
        assert!(matches!(refused, Err(QueueError::Encode(_))));
    }
    assert_eq!(queue.len(), 0);
    for n in 0..4 {
        queue.try_put(&Fragile::Sound(n))?;
    }
    for n in 0..4 {
        assert!(matches!(queue.try_get()?, Fragile::Sound(m) if m == n));
    }
    Ok(())
}

fn an_item_that_cannot_be_decoded_is_an_error_and_gone() -> Outcome {
    let queue = Queue::bounded(4)?;
    queue.put(&Fragile::Unreadable)?;
    queue.put(&Fragile::Sound(1))?;
    assert!(matches!(queue.get(), Err(QueueError::Decode(_))));
    assert!(matches!(queue.get()?, Fragile::Sound(1)));
    Ok(())
}

fn closing_lets_getters_drain_first() -> Outcome {
    let queue = Queue::bounded(4)?;
    queue.put(&1)?;
    queue.put(&2)?;
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    assert!(matches!(queue.put(&3), Err(QueueError::Closed)));
    assert!(matches!(queue.try_put(&3), Err(QueueError::Closed)));
    let got = Process::spawn(|| queue.iter().collect::<Vec<i32>>())?;
    assert_eq!(got.join()?, [1, 2]);
    assert!(matches!(queue.get(), Err(QueueError::Closed)));
    assert!(matches!(queue.try_get(), Err(QueueError::Closed)));
    Ok(())
}

fn closing_wakes_who_waits_for_an_item() -> Outcome {
    let queue = Queue::<u8>::bounded(1)?;
    let waiting =
        || Process::spawn(|| matches!(queue.get(), Err(QueueError::Closed)));
    let getters = [waiting()?, waiting()?, waiting()?];
    for getter in &getters {
        assert!(eventually(|| asleep(getter.pid())));
    }
    queue.close();
    for getter in getters {
        assert!(getter.join()?);
    }
    Ok(())
}

fn closing_wakes_who_waits_for_room() -> Outcome {
    let queue = Queue::bounded(1)?;
    queue.put(&0)?;
    let waiting =
        || Process::spawn(|| matches!(queue.put(&1), Err(QueueError::Closed)));
    let putters = [waiting()?, waiting()?, waiting()?];
    for putter in &putters {
        assert!(eventually(|| asleep(putter.pid())));
    }
    queue.close();
    for putter in putters {
        assert!(putter.join()?);
    }
    assert_eq!(queue.get()?, 0);
    Ok(())
}

/// Without the wake-up each round would last until the sleeper looks again by
/// himself: a hundred rounds, 50 ms each.
const WOKEN: Duration = Duration::from_secs(2);

fn a_put_wakes_who_sleeps() -> Outcome {
    let (there, back) = (Queue::bounded(1)?, Queue::bounded(1)?);
    let echo = Process::spawn(|| {
        for n in &there {
            back.put(&n)?;
        }
        Ok::<_, QueueError>(())
    })?;
    let mut woken = Duration::ZERO;
    for n in 0..100 {
        assert!(eventually(|| asleep(echo.pid())));
        let began = Instant::now();
        there.put(&n)?;
        assert_eq!(back.get()?, n);
        woken += began.elapsed();
    }
    assert!(woken < WOKEN, "a hundred wake-ups took {woken:?}");
    there.close();
    echo.join()?;
    Ok(())
}

fn a_get_wakes_who_sleeps() -> Outcome {
    let (full, done) = (Queue::bounded(1)?, Queue::bounded(1)?);
    full.put(&0)?;
    let putter = Process::spawn(|| {
        for n in 1..=100 {
            full.put(&n)?;
            done.put(&n)?;
        }
        Ok::<_, QueueError>(())
    })?;
    let mut woken = Duration::ZERO;
    for n in 1..=100 {
        assert!(eventually(|| asleep(putter.pid())));
        let began = Instant::now();
        assert_eq!(full.get()?, n - 1);
        assert_eq!(done.get()?, n);
        woken += began.elapsed();
    }
    assert!(woken < WOKEN, "a hundred wake-ups took {woken:?}");
    putter.join()?;
    Ok(())
}

fn one_made_in_a_child_works_there() -> Outcome {
    let child = Process::spawn(|| {
        let queue = Queue::bounded(4)?;
        let grandchild = Process::spawn(|| queue.put(&7))?;
        let got = queue.get()?;
        grandchild.join()?;
        Ok::<i32, Box<dyn std::error::Error + Send + Sync>>(got)
    })?;
    assert_eq!(child.join()?, 7);
    Ok(())
}

fn each_item_arrives_once_and_in_order() -> Outcome {
    const PUTTERS: usize = 4;
    const EACH: usize = 5_000;
    let queue = Queue::bounded(7)?;
    let getters: Vec<_> = (0..4)
        .map(|_| {
            Process::spawn(|| queue.iter().collect::<Vec<(usize, usize)>>())
        })
        .collect::<Result<_, _>>()?;
    let putters: Vec<_> = (0..PUTTERS)
        .map(|putter| {
            let queue = &queue;
            Process::spawn(move || {
                (0..EACH).try_for_each(|n| queue.put(&(putter, n)))
            })
        })
        .collect::<Result<_, _>>()?;
    for putter in putters {
        putter.join()?;
    }
    queue.close();
    let mut arrived = vec![vec![false; EACH]; PUTTERS];
    for getter in getters {
        let mut last = [None; PUTTERS];
        for (putter, n) in getter.join()? {
            assert!(last[putter] < Some(n), "out of order at one getter");
            last[putter] = Some(n);
            assert!(!arrived[putter][n], "item {n} of {putter} came twice");
            arrived[putter][n] = true;
        }
    }
    assert!(arrived.iter().flatten().all(|arrived| *arrived));
    Ok(())
}

fn items_of_any_size_stay_whole() -> Outcome {
    let item = |n: usize| vec![n as u8; n * 37 % 700];
    let queue = Queue::with_bytes(64, 1 << 10)?;
    let getter = Process::spawn(|| {
        let mut count = 0_u32;
        for (n, bytes) in queue.iter().enumerate() {
            assert_eq!(bytes, item(n));
            count += 1;
        }
        count
    })?;
    for n in 0..3_000 {
        queue.put(&item(n))?;
    }
    queue.close();
    assert_eq!(getter.join()?, 3_000);
    Ok(())
}

fn an_item_larger_than_the_ring_names_both_sizes() -> Outcome {
    let queue = Queue::with_bytes(4, 1 << 10)?;
    assert_eq!(queue.bytes(), 1 << 10);
    let refused = queue.put(&"x".repeat(2_000)).unwrap_err();
    assert!(matches!(
        refused,
        QueueError::TooLarge { item: 2_002, ring: 1_024 }
    ));
    let text = refused.to_string();
    assert!(text.contains("2002") && text.contains("1024"), "{text}");
    // Two bytes of length before the text, eight for the queue.
    let largest = "x".repeat(1_024 - 8 - 2);
    for _ in 0..3 {
        queue.try_put(&largest)?;
        assert_eq!(queue.try_get()?, largest);
    }
    assert!(matches!(
        queue.try_put(&(largest + "x")),
        Err(QueueError::TooLarge { .. })
    ));
    Ok(())
}

fn bytes_limit_it_too() -> Outcome {
    let queue = Queue::with_bytes(1_000, 1 << 10)?;
    let item = "x".repeat(502);
    queue.try_put(&item)?;
    queue.try_put(&item)?;
    assert!(matches!(queue.try_put(&item), Err(QueueError::Full { .. })));
    assert_eq!(queue.try_get()?, item);
    queue.try_put(&item)?;
    Ok(())
}

fn capacities_that_make_no_sense_are_refused() -> Outcome {
    for capacity in [0, 1 << 31, usize::MAX] {
        let refused = Queue::<u8>::bounded(capacity);
        assert!(
            matches!(refused, Err(QueueError::Capacity { capacity: c }) if c == capacity)
        );
    }
    for bytes in [usize::MAX, 1 << 60] {
        assert!(matches!(
            Queue::<u8>::with_bytes(1, bytes),
            Err(QueueError::Memory(_))
        ));
    }
    Ok(())
}

fn no_memory_is_an_error() -> Outcome {
    let limit = 1 << 30;
    setrlimit(Resource::RLIMIT_AS, limit, limit)?;
    let refused = Queue::<u8>::with_bytes(1, 1 << 31).unwrap_err();
    let QueueError::Memory(memory) = refused else {
        return Err(refused.into());
    };
    assert!(memory.bytes >= 1 << 31);
    assert_eq!(
        memory.source.raw_os_error(),
        Some(nix::errno::Errno::ENOMEM as i32)
    );
    Ok(())
}

fn a_dropped_one_gives_its_memory_back() -> Outcome {
    let mappings = || {
        fs::read_to_string("/proc/self/maps").map(|maps| maps.lines().count())
    };
    drop(Queue::<u8>::bounded(1)?);
    let before = mappings()?;
    for _ in 0..100 {
        drop(Queue::<u8>::bounded(1)?);
    }
    assert_eq!(mappings()?, before);
    Ok(())
}

fn a_signal_does_not_end_a_wait() -> Outcome {
    let queue = Queue::bounded(1)?;
    let getter = Process::spawn(|| {
        interrupt_on(Number::SIGINT)?;
        queue.put(&0_u8)?; // the handler is there
        while !queue.is_empty() {
            thread::yield_now();
        }
        let got = queue.get()?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(got)
    })?;
    assert_eq!(queue.get()?, 0);
    for _ in 0..20 {
        assert!(eventually(|| asleep(getter.pid())));
        getter.send(Signal::INT)?;
    }
    assert!(getter.is_alive());
    queue.put(&9)?;
    assert_eq!(getter.join()?, 9);
    Ok(())
}

fn a_killed_getter_hinders_nobody() -> Outcome {
    let queue = Queue::bounded(4)?;
    for n in 0..20 {
        let killed = Process::spawn(|| while queue.get().is_ok() {})?;
        let getter = Process::spawn(|| queue.get())?;
        assert!(eventually(|| asleep(killed.pid()) && asleep(getter.pid())));
        killed.kill()?;
        assert!(killed.join().is_err());
        queue.put(&n)?;
        assert_eq!(getter.join()?, n);
    }
    Ok(())
}

fn a_stopped_getter_hinders_a_try_for_a_moment_only() -> Outcome {
    let queue = Queue::bounded(4)?;
    // Stopped at any point of a get, some of them with the lock held.
    let busy = Process::spawn(|| -> () {
        loop {
            if queue.try_put(&1).is_err() {
                while queue.try_get().is_ok() {}
            }
        }
    })?;
    for _ in 0..40 {
        busy.send(Signal::STOP)?;
        assert!(eventually(|| crate::support::state(busy.pid()) == Some('T')));
        let began = Instant::now();
        let _ = queue.try_get();
        let _ = queue.try_put(&2);
        let _ = queue.get_timeout(A_WHILE);
        assert!(began.elapsed() < SOON);
        busy.send(Signal::CONT)?;
    }
    busy.kill()?;
    assert!(busy.join().is_err());
    Ok(())
}

/// Puts what it wraps into a queue when it is encoded.
struct Telltale<'a>(&'a Queue<u8>);

impl Serialize for Telltale<'_> {
    fn serialize<S: Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        self.0.put(&5).map_err(ser::Error::custom)?;
        serializer.serialize_u8(6)
    }
}

fn encoding_an_item_may_use_a_queue() -> Outcome {
    let inner = Queue::bounded(1)?;
    let outer = Queue::bounded(1)?;
    outer.put(&Telltale(&inner))?;
    assert_eq!((inner.get()?, outer.len()), (5, 1));
    Ok(())
}

fn threads_share_one_too() -> Outcome {
    let queue = Queue::bounded(3)?;
    let ended = AtomicBool::new(false);
    let sum = thread::scope(|scope| {
        let sums: Vec<_> =
            (0..2).map(|_| scope.spawn(|| queue.iter().sum::<u64>())).collect();
        let putters: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| (1..=1_000).try_for_each(|n: u64| queue.put(&n)))
            })
            .collect();
        for putter in putters {
            putter.join().expect("a putter does not panic")?;
        }
        ended.store(true, Ordering::Relaxed);
        queue.close();
        Ok::<u64, QueueError>(
            sums.into_iter()
                .map(|sum| sum.join().expect("a getter does not panic"))
                .sum(),
        )
    })?;
    assert_eq!(sum, 2 * 500_500);
    Ok(())
}
