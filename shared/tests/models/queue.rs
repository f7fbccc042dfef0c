//! `Queue` and `JoinableQueue`, used by two processes in turns.

use std::collections::VecDeque;
use std::error::Error;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use shared::process::{JoinableQueue, Process, Queue, QueueError};

use crate::for_all;

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Operation {
    Put(Vec<u8>),
    Get,
    Count,
    Close,
    TaskDone,
    Join,
}

/// What an operation answers, as far as a model can know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Answer {
    Done,
    Item(Vec<u8>),
    /// How many items, whether that is none, whether that is all it can hold.
    Counted(usize, bool, bool),
    Full,
    Empty,
    Closed,
    TooLarge,
    Refused,
    AllDone(bool),
}

fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => vec(any::<u8>(), 0..60).prop_map(Operation::Put),
        2 => vec(any::<u8>(), 60..300).prop_map(Operation::Put),
        8 => Just(Operation::Get),
        2 => Just(Operation::Count),
        1 => Just(Operation::Close),
    ]
}

/// Each with the hand that does it: the child's or the parent's.
fn by_two_hands(
    operation: impl Strategy<Value = Operation>,
) -> impl Strategy<Value = Vec<(bool, Operation)>> {
    vec((any::<bool>(), operation), 1..120)
}

pub fn against_vec_deque() -> Result<(), String> {
    let inputs = (1..6_usize, 1..4_u32, by_two_hands(operations()));
    for_all(&inputs, |(capacity, size, operations)| {
        let bytes = 32 << size;
        let queue =
            JoinableQueue::with_bytes(capacity, bytes).map_err(failed)?;
        compare(&queue, Model::new(capacity, bytes), operations)
    })
}

pub fn joinable_against_counters() -> Result<(), String> {
    let operations = prop_oneof![
        3 => Just(Operation::Put(Vec::new())),
        3 => Just(Operation::Get),
        3 => Just(Operation::TaskDone),
        1 => Just(Operation::Join),
    ];
    for_all(&by_two_hands(operations), |operations| {
        let queue = JoinableQueue::bounded(4).map_err(failed)?;
        compare(&queue, Model::new(4, queue.bytes()), operations)
    })
}

/// Lets two processes do the operations, one after the other, and compares
/// each answer with the model's.
fn compare(
    queue: &JoinableQueue<Vec<u8>>,
    mut model: Model,
    operations: Vec<(bool, Operation)>,
) -> Result<(), TestCaseError> {
    let (asked, answered) = (Queue::bounded(1), Queue::bounded(1));
    let (asked, answered) = (asked.map_err(failed)?, answered.map_err(failed)?);
    let other_hand = Process::builder()
        .daemon(true)
        .spawn(|| {
            for operation in &asked {
                answered.put(&apply(queue, &operation))?;
            }
            Ok::<(), QueueError>(())
        })
        .map_err(failed)?;
    for (by_child, operation) in operations {
        let answer = if by_child {
            asked.put(&operation).map_err(failed)?;
            answered.get_timeout(Duration::from_secs(10)).map_err(failed)?
        } else {
            apply(queue, &operation)
        };
        let expected = model.apply(&operation);
        prop_assert_eq!(
            answer, expected, "{:?} by the child: {}", operation, by_child
        );
    }
    asked.close();
    other_hand.join().map_err(failed)
}

fn apply(queue: &JoinableQueue<Vec<u8>>, operation: &Operation) -> Answer {
    let result = match operation {
        Operation::Put(item) => queue.try_put(item).map(|()| Answer::Done),
        Operation::Get => queue.try_get().map(Answer::Item),
        Operation::Count => {
            Ok(Answer::Counted(queue.len(), queue.is_empty(), queue.is_full()))
        }
        Operation::Close => {
            queue.close();
            Ok(Answer::Done)
        }
        Operation::TaskDone => queue.task_done().map(|()| Answer::Done),
        Operation::Join => {
            Ok(Answer::AllDone(queue.join_timeout(Duration::ZERO)))
        }
    };
    result.unwrap_or_else(|error| match error {
        QueueError::Full { .. } => Answer::Full,
        QueueError::Empty { .. } => Answer::Empty,
        QueueError::Closed => Answer::Closed,
        QueueError::TooLarge { .. } => Answer::TooLarge,
        _ => Answer::Refused,
    })
}

/// A queue as its documentation describes it.
struct Model {
    items: VecDeque<Vec<u8>>,
    capacity: usize,
    bytes: usize,
    closed: bool,
    unfinished: usize,
}

impl Model {
    fn new(capacity: usize, bytes: usize) -> Self {
        Self {
            items: VecDeque::new(),
            capacity,
            bytes,
            closed: false,
            unfinished: 0,
        }
    }

    fn apply(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Put(item) => {
                let used: usize =
                    self.items.iter().map(|item| size(item)).sum();
                if size(item) > self.bytes {
                    return Answer::TooLarge;
                }
                if self.closed {
                    return Answer::Closed;
                }
                if self.items.len() == self.capacity
                    || used + size(item) > self.bytes
                {
                    return Answer::Full;
                }
                self.items.push_back(item.clone());
                self.unfinished += 1;
                Answer::Done
            }
            Operation::Get => match self.items.pop_front() {
                Some(item) => Answer::Item(item),
                None if self.closed => Answer::Closed,
                None => Answer::Empty,
            },
            Operation::Count => {
                let count = self.items.len();
                Answer::Counted(count, count == 0, count == self.capacity)
            }
            Operation::Close => {
                self.closed = true;
                Answer::Done
            }
            Operation::TaskDone => {
                if self.unfinished == 0 {
                    return Answer::Refused;
                }
                self.unfinished -= 1;
                Answer::Done
            }
            Operation::Join => Answer::AllDone(self.unfinished == 0),
        }
    }
}

/// What an item takes: its length and its bytes, rounded up to eight, and
/// eight more.
fn size(item: &[u8]) -> usize {
    let length = if item.len() < 128 { 1 } else { 2 };
    (length + item.len()).next_multiple_of(8) + 8
}

fn failed(error: impl Error) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}
