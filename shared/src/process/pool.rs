//! `Pool`: a fixed number of workers for a stream of jobs.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZero;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::fd::AsFd;

mod crew;
mod error;
mod job;
mod wire;
mod work;

pub use error::{JobError, MapError, PoolError};
pub use job::{AsCompleted, Job};

use self::crew::{Batch, Owner, Worker, each_record};
use self::wire::{Estate, Kind, MOST_BYTES, Record};
use self::work::Work;
use super::answer::Answer;
use super::codec;
use super::error::SpawnError;
use super::process::spawn_child;
use super::sys::poll::poll;
use super::sys::{fork, socket};

/// Jobs that are done quickly travel together, so many that a batch takes about
/// this long.
const BATCH_TIME: Duration = Duration::from_micros(250);
/// The most single jobs in a batch.
const MOST_JOBS: usize = 1024;
/// A batch is closed when it has this many bytes.
const BATCH_BYTES: usize = 64 * 1024;
/// An answer that is held back behind a long job is fetched after this.
const FETCH: Duration = Duration::from_millis(10);
/// So many submits may pass without a look at the workers.
const SUBMITS_A_LOOK: usize = 32;
/// So many workers may end in a row before they were ready.
const EARLY_ENDS: u32 = 64;
/// How long idle workers may take to leave.
const LEAVING: Duration = Duration::from_secs(1);

/// A fixed number of processes that run one function for many arguments.
///
/// The workers are forked when the pool is made, and know its function since
/// then. This process has no helper threads (it must stay able to fork a
/// replacement): jobs move on whenever one of the methods of the pool or of a
/// [`Job`] is called, and while one waits. Callbacks run there too, in this
/// process. A job that is handed in while a worker is idle begins at once;
/// but where jobs have turned out to take less than a hundred microseconds, and
/// each core has a worker at them, it may wait for others to travel with until
/// the next of those calls.
///
/// A worker that is killed is replaced. The job that it was at is
/// [lost](JobError::Lost), or runs again if [`attempts`](PoolBuilder::attempts)
/// allow it; what it had done and what it had not begun is not. A worker that
/// is stopped (SIGSTOP) is a slow one: [`Job::get_timeout`] tells. A pool that
/// is dropped ends its workers by SIGKILL; they end likewise when this process
/// does.
///
/// # Examples
///
/// ```standalone_crate
/// use shared::process::Pool;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let squares = Pool::new(2, |n: u64| n * n)?;
/// assert_eq!(squares.map(1..=4)?, [1, 4, 9, 16]);
/// let job = squares.submit(5)?;
/// assert_eq!(job.get()?, 25);
/// # Ok(())
/// # }
/// ```
pub struct Pool<'f, A, V> {
    inner: RefCell<Inner<'f, A, V>>,
    generation: u32,
}

/// What is called with the result of a job.
type Callback<'f, A, V> =
    Box<dyn FnOnce(&Pool<'f, A, V>, Result<V, JobError>) + 'f>;

/// A pool that has not been made yet.
#[must_use = "it starts nothing until `build`"]
pub struct PoolBuilder<'f> {
    workers: usize,
    initial: Box<dyn Fn() -> work::Outcome<()> + Send + 'f>,
    retire_after: u64,
    attempts: u32,
}

impl<'f> PoolBuilder<'f> {
    /// One of so many workers.
    pub fn new(workers: usize) -> Self {
        Self {
            workers,
            initial: Box::new(|| Ok(())),
            retire_after: u64::MAX,
            attempts: 1,
        }
    }

    /// Runs once in each worker before its first job. If it fails, the pool is
    /// of no use any more.
    pub fn initial<R: Answer<Value = ()>>(
        mut self,
        initial: impl Fn() -> R + Send + 'f,
    ) -> Self {
        self.initial = Box::new(move || initial().answer());
        self
    }

    /// A worker that has had so many jobs, at least one, is replaced by a fresh
    /// one.
    pub fn retire_after(mut self, jobs: u64) -> Self {
        self.retire_after = jobs;
        self
    }

    /// How often a job may begin: a job whose worker ended over it begins
    /// again, until it has been begun so many times. 1 unless said
    /// otherwise: a job may have done half of what it does.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Forks the workers.
    ///
    /// # Errors
    /// [`PoolError::NoWorkers`]; [`PoolError::Spawn`] or [`PoolError::Memory`],
    /// and then no worker is left.
    pub fn build<A, R>(
        self,
        function: impl Fn(A) -> R + Send + 'f,
    ) -> Result<Pool<'f, A, R::Value>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Answer,
    {
        if self.workers == 0 {
            return Err(PoolError::NoWorkers);
        }
        if self.retire_after == 0 || self.attempts == 0 {
            return Err(PoolError::NoJobs);
        }
        let work = Work {
            function: Box::new(move |argument| function(argument).answer()),
            initial: self.initial,
        };
        let mut inner = Inner {
            work: Rc::new(work),
            wanted: self.workers,
            retire_after: self.retire_after,
            attempts: self.attempts,
            crew: Vec::new(),
            hired: 0,
            early_ends: 0,
            unfit: None,
            again: VecDeque::new(),
            singles: VecDeque::new(),
            chunks: VecDeque::new(),
            slots: HashMap::new(),
            maps: Vec::new(),
            callbacks: VecDeque::new(),
            next_id: 0,
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            together: 1,
            since_look: 0,
            fetched: Instant::now(),
            closed: false,
        };
        for started in 0..self.workers {
            inner.hire().map_err(|error| match error {
                Unhired::Spawn(source) => {
                    PoolError::Spawn { started, wanted: self.workers, source }
                }
                Unhired::Memory(error) => PoolError::Memory(error),
            })?;
        }
        Ok(Pool { inner: RefCell::new(inner), generation: fork::generation() })
    }
}

impl fmt::Debug for PoolBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("workers", &self.workers)
            .field("retire_after", &self.retire_after)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl<'f, A, V> Pool<'f, A, V>
where
    A: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    /// Forks so many workers that run `function`.
    ///
    /// # Errors
    /// [`PoolError::NoWorkers`]; [`PoolError::Spawn`] or [`PoolError::Memory`],
    /// and then no worker is left.
    pub fn new<R: Answer<Value = V>>(
        workers: usize,
        function: impl Fn(A) -> R + Send + 'f,
    ) -> Result<Self, PoolError> {
        PoolBuilder::new(workers).build(function)
    }

    /// Hands a job in; it is run when a worker is free.
    ///
    /// # Errors
    /// [`PoolError`]: the pool is closed, or the argument cannot be encoded.
    pub fn submit(&self, argument: A) -> Result<Job<'_, 'f, A, V>, PoolError> {
        self.submit_watched(&argument, None)
    }

    /// Hands a job in whose result goes to `callback`, once, in this process,
    /// while a method of the pool or of a job runs. It may hand in more.
    ///
    /// # Errors
    /// [`PoolError`]: the pool is closed, or the argument cannot be encoded.
    pub fn submit_then(
        &self,
        argument: A,
        callback: impl FnOnce(&Self, Result<V, JobError>) + 'f,
    ) -> Result<(), PoolError> {
        self.hand_in(&argument, Some(Box::new(callback)), None).map(drop)
    }

    /// Runs the function for each item and returns what it returned, in the
    /// items' order.
    ///
    /// Items travel in chunks, each as one message; a worker that is done takes
    /// over what another has not begun. All jobs are done when this
    /// returns.
    ///
    /// # Errors
    /// [`MapError`]: the first item whose job came to nothing; or the pool refused.
    pub fn map(
        &self,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<V>, MapError> {
        let items = items.into_iter();
        let share = {
            let inner = self.inner.borrow();
            match items.size_hint() {
                (_, Some(most)) => most.div_ceil(inner.wanted * 4).max(1),
                (_, None) => MOST_JOBS,
            }
        };
        self.map_by(items, share, BATCH_BYTES)
    }

    /// As [`map`](Self::map), in chunks of so many items.
    ///
    /// # Errors
    /// [`MapError`]: the first item whose job came to nothing; or the pool refused.
    pub fn map_chunked(
        &self,
        items: impl IntoIterator<Item = A>,
        chunk: usize,
    ) -> Result<Vec<V>, MapError> {
        if chunk == 0 {
            return Err(PoolError::EmptyChunks.into());
        }
        self.map_by(items.into_iter(), chunk, MOST_BYTES)
    }

    /// Runs the function for each item; yields the results one by one, in the
    /// items' order. The items are handed in at once.
    ///
    /// # Errors
    /// [`PoolError`]: the pool is closed, or an argument cannot be encoded.
    pub fn each(
        &self,
        items: impl IntoIterator<Item = A>,
    ) -> Result<impl Iterator<Item = Result<V, JobError>>, PoolError> {
        let jobs = items
            .into_iter()
            .map(|item| self.submit(item))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(jobs.into_iter().map(Job::get))
    }

    /// Runs the function for each item; yields the results as they come, each
    /// with its item's place. The items are handed in at once.
    ///
    /// # Errors
    /// [`PoolError`]: the pool is closed, or an argument cannot be encoded.
    pub fn each_unordered(
        &self,
        items: impl IntoIterator<Item = A>,
    ) -> Result<AsCompleted<'_, 'f, A, V>, PoolError> {
        let arrived = Rc::new(RefCell::new(VecDeque::new()));
        let mut places = HashMap::new();
        for (place, item) in items.into_iter().enumerate() {
            let job = self.submit_watched(&item, Some(Rc::clone(&arrived)))?;
            places.insert(job.id(), (place, job));
        }
        Ok(AsCompleted::new(self, places, arrived))
    }

    /// Takes no more jobs. Those handed in go on. Closing twice is fine.
    pub fn close(&self) {
        self.inner.borrow_mut().closed = true;
    }

    /// Waits until all jobs are done and all callbacks have run; then the
    /// workers leave.
    ///
    /// # Errors
    /// [`PoolError::NotClosed`].
    pub fn join(&self) -> Result<(), PoolError> {
        self.check_ours()?;
        if !self.inner.borrow().closed {
            return Err(PoolError::NotClosed);
        }
        while self.inner.borrow().has_work() {
            self.turn(Turn::Wait(None));
        }
        self.inner.borrow_mut().dismiss();
        Ok(())
    }

    /// The pids of the workers alive.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.inner
            .borrow()
            .crew
            .iter()
            .map(|worker| worker.child.pid())
            .collect()
    }

    /// Moves jobs on without waiting: for a loop that has other things to do.
    pub fn poll(&self) {
        self.turn(Turn::Look);
    }

    fn check_ours(&self) -> Result<(), PoolError> {
        if self.generation == fork::generation() {
            Ok(())
        } else {
            Err(PoolError::NotOurs)
        }
    }

    fn submit_watched(
        &self,
        argument: &A,
        arrived: Option<Arrived>,
    ) -> Result<Job<'_, 'f, A, V>, PoolError> {
        let id = self.hand_in(argument, None, arrived)?;
        Ok(Job::new(self, id))
    }

    fn hand_in(
        &self,
        argument: &A,
        callback: Option<Callback<'f, A, V>>,
        arrived: Option<Arrived>,
    ) -> Result<u64, PoolError> {
        self.check_ours()?;
        let mut inner = self.inner.borrow_mut();
        inner.check_open()?;
        let mut bytes = Vec::new();
        encode(argument, &mut bytes)?;
        let id = inner.id();
        inner.slots.insert(
            id,
            Slot { state: State::Queued, callback, arrived, wanted: true },
        );
        inner.singles.push_back((id, bytes));
        inner.since_look += 1;
        if inner.has_idle() && !inner.are_enough_at_work() {
            inner.dispatch(Turn::Look);
        } else if inner.since_look >= SUBMITS_A_LOOK {
            drop(inner);
            self.turn(Turn::Look);
        }
        Ok(id)
    }

    fn map_by(
        &self,
        mut items: impl Iterator<Item = A>,
        chunk: usize,
        bytes: usize,
    ) -> Result<Vec<V>, MapError> {
        self.check_ours()?;
        let map = {
            let mut inner = self.inner.borrow_mut();
            inner.check_open()?;
            let id = inner.id();
            inner.maps.push(MapState::new(id));
            id
        };
        let mut first = 0;
        let mut more = true;
        loop {
            while more && self.inner.borrow().wants_chunks() {
                match self.next_chunk(map, first, &mut items, chunk, bytes) {
                    Ok(None) => more = false,
                    Ok(Some(batch)) => {
                        first += batch.len() as usize;
                        let mut inner = self.inner.borrow_mut();
                        inner.map(map).expect_more(first);
                        inner.chunks.push_back(batch);
                        inner.dispatch(Turn::Wait(None));
                    }
                    Err(error) => {
                        self.inner.borrow_mut().end_map(map);
                        return Err(error.into());
                    }
                }
            }
            if !more && self.inner.borrow_mut().map(map).missing == 0 {
                break;
            }
            self.turn(Turn::Wait(None));
        }
        let mut inner = self.inner.borrow_mut();
        let state = inner.end_map(map);
        state.expect("a map is there until it is done").finish()
    }

    fn next_chunk(
        &self,
        map: u64,
        first: usize,
        items: &mut impl Iterator<Item = A>,
        most: usize,
        bytes: usize,
    ) -> Result<Option<Batch>, PoolError> {
        let mut batch = Batch::new(Owner::Map { map, first });
        while (batch.len() as usize) < most.min(u32::MAX as usize)
            && batch.bytes() < bytes
        {
            let Some(item) = items.next() else { break };
            batch.push(|bytes| encode(&item, bytes))?;
        }
        Ok((batch.len() > 0).then_some(batch))
    }

    /// Moves jobs on, then runs the callbacks that are due.
    fn turn(&self, turn: Turn) {
        if self.check_ours().is_err() {
            return;
        }
        self.inner.borrow_mut().turn(turn);
        loop {
            let due = self.inner.borrow_mut().callbacks.pop_front();
            let Some((callback, result)) = due else { break };
            callback(self, result);
        }
    }
}

impl<A, V> Drop for Pool<'_, A, V> {
    fn drop(&mut self) {
        // A copy in a child: its workers are the parent's.
        if self.generation != fork::generation() {
            return;
        }
        self.inner.get_mut().end();
    }
}

impl<A, V> fmt::Debug for Pool<'_, A, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

fn encode<A: Serialize>(
    argument: &A,
    bytes: &mut Vec<u8>,
) -> Result<(), PoolError> {
    let before = bytes.len();
    codec::append(argument, bytes).map_err(PoolError::Argument)?;
    match bytes.len() - before {
        bytes if bytes > MOST_BYTES => {
            Err(PoolError::ArgumentTooLarge { bytes, limit: MOST_BYTES })
        }
        _ => Ok(()),
    }
}

/// Whether to wait for something to happen, and until when.
#[derive(Clone, Copy)]
enum Turn {
    Look,
    Wait(Option<Instant>),
}

/// Where the ids of watched jobs go when they are done.
type Arrived = Rc<RefCell<VecDeque<u64>>>;

/// A single job.
struct Slot<'f, A, V> {
    state: State<V>,
    callback: Option<Callback<'f, A, V>>,
    arrived: Option<Arrived>,
    /// Whether somebody still has a handle.
    wanted: bool,
}

enum State<V> {
    /// It waits here or in a worker.
    Queued,
    Done(Result<V, JobError>),
}

struct MapState<V> {
    id: u64,
    values: Vec<Option<V>>,
    failures: Vec<(usize, JobError)>,
    missing: usize,
}

impl<V> MapState<V> {
    fn new(id: u64) -> Self {
        Self { id, values: Vec::new(), failures: Vec::new(), missing: 0 }
    }

    fn expect_more(&mut self, total: usize) {
        self.missing += total - self.values.len();
        self.values.resize_with(total, || None);
    }

    fn finish(mut self) -> Result<Vec<V>, MapError> {
        self.failures.sort_by_key(|&(index, _)| index);
        match self.failures.into_iter().next() {
            Some((index, source)) => Err(MapError::Job { index, source }),
            None => Ok(self.values.into_iter().flatten().collect()),
        }
    }
}

enum Unhired {
    Spawn(SpawnError),
    Memory(super::sys::mapping::SharedMemoryError),
}

impl fmt::Display for Unhired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn(error) => f.write_str(&super::answer::chain(error)),
            Self::Memory(error) => f.write_str(&super::answer::chain(error)),
        }
    }
}

struct Inner<'f, A, V> {
    work: Rc<Work<'f, A, V>>,
    wanted: usize,
    retire_after: u64,
    attempts: u32,
    crew: Vec<Worker>,
    /// How many workers there have been.
    hired: u64,
    /// How many of them ended before they were ready, since one was.
    early_ends: u32,
    /// Why no worker is of use.
    unfit: Option<String>,
    /// Batches that a dead worker had, or that were taken from a busy one.
    again: VecDeque<Batch>,
    singles: VecDeque<(u64, Vec<u8>)>,
    chunks: VecDeque<Batch>,
    slots: HashMap<u64, Slot<'f, A, V>>,
    /// A map within a callback of another is the only reason for more than
    /// one.
    maps: Vec<MapState<V>>,
    callbacks: VecDeque<(Callback<'f, A, V>, Result<V, JobError>)>,
    next_id: u64,
    /// How many workers can compute at the same time.
    cores: usize,
    /// How many single jobs travel together.
    together: usize,
    since_look: usize,
    /// When the workers' memory was last looked into.
    fetched: Instant,
    closed: bool,
}

impl<'f, A, V> Inner<'f, A, V>
where
    A: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    fn check_open(&self) -> Result<(), PoolError> {
        match &self.unfit {
            Some(message) => Err(PoolError::Unfit { message: message.clone() }),
            None if self.closed => Err(PoolError::Closed),
            None => Ok(()),
        }
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn map(&mut self, map: u64) -> &mut MapState<V> {
        let state = self.maps.iter_mut().find(|state| state.id == map);
        state.expect("a map is there until it is done")
    }

    fn end_map(&mut self, map: u64) -> Option<MapState<V>> {
        let place = self.maps.iter().position(|state| state.id == map)?;
        Some(self.maps.remove(place))
    }

    fn has_idle(&self) -> bool {
        self.crew.iter().any(Worker::is_free)
    }

    /// Whether to wake one more worker would cost more than it brings: jobs are
    /// done quickly, and each core has a worker that is at them.
    fn are_enough_at_work(&self) -> bool {
        let at_work = self.crew.iter().filter(|worker| !worker.is_free());
        self.together > 1 && at_work.count() >= self.cores
    }

    fn has_queue(&self) -> bool {
        !(self.again.is_empty()
            && self.singles.is_empty()
            && self.chunks.is_empty())
    }

    fn has_work(&self) -> bool {
        self.has_queue()
            || !self.callbacks.is_empty()
            || self.crew.iter().any(Worker::is_awaited)
    }

    /// One chunk is kept ready beyond what the workers have.
    fn wants_chunks(&self) -> bool {
        self.chunks.is_empty()
    }

    fn hire(&mut self) -> Result<(), Unhired> {
        let name = format!("PoolWorker-{}", self.hired + 1);
        let estate = Estate::new().map_err(Unhired::Memory)?;
        let (ours, theirs) = socket::pair().map_err(|error| {
            Unhired::Spawn(SpawnError::system(
                &name,
                "socketpair",
                error.into(),
            ))
        })?;
        let ours = fork::Private::new(ours);
        let child = spawn_child(&name, true, &theirs, || {
            self.work.serve(&theirs, &estate)
        })
        .map_err(Unhired::Spawn)?;
        self.hired += 1;
        self.crew.push(Worker::new(child, ours, estate));
        Ok(())
    }

    fn turn(&mut self, turn: Turn) {
        self.since_look = 0;
        self.fill_crew();
        self.dispatch(turn);
        if self.crew.is_empty() || !self.callbacks.is_empty() {
            return;
        }
        let ready = self.wait(turn).unwrap_or_default();
        // From the back: a worker that is removed moves only those behind it.
        for (index, (answered, ended)) in ready.into_iter().enumerate().rev() {
            if self.crew[index].has_more_to_write() {
                self.crew[index].write();
            }
            let useless = answered && !self.listen(index);
            if useless {
                self.crew[index].child.kill_and_wait();
            }
            if ended || useless {
                self.bury(index);
            }
        }
        if self.fetched.elapsed() >= FETCH {
            self.fetch();
        }
        self.fill_crew();
        self.dispatch(turn);
    }

    /// Waits for the workers; says of each whether it has answered and whether
    /// it has ended. `None`: nothing.
    fn wait(&self, turn: Turn) -> Option<Vec<(bool, bool)>> {
        let mut fds = Vec::with_capacity(2 * self.crew.len());
        for worker in &self.crew {
            let mut flags = PollFlags::POLLIN;
            if worker.has_more_to_write() {
                flags |= PollFlags::POLLOUT;
            }
            fds.push(PollFd::new(worker.socket().as_fd(), flags));
            // One that was gone before it could be watched closes its socket,
            // at least.
            let end = worker.child.pidfd().unwrap_or(worker.socket());
            fds.push(PollFd::new(end.as_fd(), PollFlags::POLLIN));
        }
        let deadline = match turn {
            Turn::Look => Some(Instant::now()),
            Turn::Wait(deadline)
                if self.crew.iter().any(Worker::wants_a_look) =>
            {
                let look = Instant::now() + FETCH;
                Some(deadline.map_or(look, |deadline| deadline.min(look)))
            }
            Turn::Wait(deadline) => deadline,
        };
        if !poll(&mut fds, deadline).ok()? {
            return None;
        }
        let any = |fd: &PollFd| fd.any().unwrap_or(false);
        Some(
            fds.chunks(2)
                .zip(&self.crew)
                .map(|(pair, worker)| {
                    let readable = PollFlags::POLLIN
                        | PollFlags::POLLHUP
                        | PollFlags::POLLERR;
                    let answered = pair[0]
                        .revents()
                        .is_some_and(|events| events.intersects(readable));
                    (answered, any(&pair[1]) && worker.child.status().is_some())
                })
                .collect(),
        )
    }

    /// Takes what a worker has answered; `false` if that makes no sense, or it
    /// can answer no more.
    fn listen(&mut self, index: usize) -> bool {
        let open = self.crew[index].read();
        let input = self.crew[index].take_input();
        let taken = each_record(&input, |record| self.take(index, record));
        if let Some(taken) = taken {
            self.crew[index].put_back(input, taken);
        }
        open && taken.is_some()
    }

    /// Takes one record of a worker; `false` if that makes no sense.
    fn take(&mut self, index: usize, record: Record<'_>) -> bool {
        match record.kind {
            Kind::Ready => {
                self.crew[index].ready = true;
                self.early_ends = 0;
                true
            }
            Kind::Unfit => {
                self.unfit =
                    Some(String::from_utf8_lossy(record.contents).into_owned());
                true
            }
            Kind::Done => self.done(index, record.contents),
            _ => self.answered(index, &record),
        }
    }

    fn answered(&mut self, index: usize, record: &Record<'_>) -> bool {
        let Some(assigned) = &mut self.crew[index].assigned else {
            return false;
        };
        let Some(answered) = assigned.answered.get_mut(record.index as usize)
        else {
            return false;
        };
        if std::mem::replace(answered, true) {
            return true; // sent, and found in what it keeps as well
        }
        assigned.answers += 1;
        let result = match (record.kind, postcard::from_bytes::<V>) {
            (Kind::Value, decode) => decode(record.contents).map_err(|error| {
                JobError::Unsendable { message: error.to_string() }
            }),
            (kind, _) => {
                let message =
                    String::from_utf8_lossy(record.contents).into_owned();
                Err(match kind {
                    Kind::Panicked => JobError::Panicked { message },
                    Kind::Unreadable => JobError::Unreadable { message },
                    Kind::Unsendable => JobError::Unsendable { message },
                    _ => JobError::Failed { message },
                })
            }
        };
        match &assigned.batch.owner {
            Owner::Map { map, first } => {
                let (map, item) = (*map, first + record.index as usize);
                self.settle_item(map, item, result);
            }
            Owner::Jobs(ids) => {
                let id = ids[record.index as usize];
                self.settle_job(id, result);
            }
        }
        true
    }

    /// Takes the answers that workers have ready but hold back.
    fn fetch(&mut self) {
        self.fetched = Instant::now();
        for index in 0..self.crew.len() {
            if self.crew[index].may_hold_back()
                && let Some(kept) = self.crew[index].estate.kept_now()
            {
                each_record(&kept, |record| self.take(index, record));
            }
        }
    }

    /// A worker is done with its batch.
    fn done(&mut self, index: usize, nanoseconds: &[u8]) -> bool {
        let Ok(nanoseconds) = <[u8; 8]>::try_from(nanoseconds) else {
            return false;
        };
        let worker = &mut self.crew[index];
        let (begun, mine) = worker.estate.claimed();
        let Some(assigned) = worker.assigned.take() else {
            return false;
        };
        if begun != mine {
            return false;
        }
        if matches!(assigned.batch.owner, Owner::Jobs(_)) && begun > 0 {
            let each = Duration::from_nanos(
                u64::from_le_bytes(nanoseconds) / u64::from(begun),
            );
            let fitting = BATCH_TIME.as_nanos() / each.as_nanos().max(1);
            self.together =
                (fitting as usize).clamp(1, (self.together * 2).min(MOST_JOBS));
        }
        if worker.jobs >= self.retire_after {
            // It leaves when it sees that nothing more will come, and is then
            // replaced.
            let _ = worker.dismiss();
            worker.retiring = true;
        }
        true
    }

    fn settle_item(
        &mut self,
        map: u64,
        item: usize,
        result: Result<V, JobError>,
    ) {
        // A map that was given up because an argument could not be encoded is
        // not there any more.
        let Some(state) = self.maps.iter_mut().find(|state| state.id == map)
        else {
            return;
        };
        state.missing -= 1;
        match result {
            Ok(value) => state.values[item] = Some(value),
            Err(error) => state.failures.push((item, error)),
        }
    }

    fn settle_job(&mut self, id: u64, result: Result<V, JobError>) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        if let Some(callback) = slot.callback.take() {
            self.slots.remove(&id);
            self.callbacks.push_back((callback, result));
        } else if slot.wanted {
            slot.state = State::Done(result);
            if let Some(arrived) = &slot.arrived {
                arrived.borrow_mut().push_back(id);
            }
        } else {
            self.slots.remove(&id);
        }
    }

    fn settle(
        &mut self,
        owner: &Owner,
        index: u32,
        result: Result<V, JobError>,
    ) {
        match owner {
            Owner::Map { map, first } => {
                self.settle_item(*map, first + index as usize, result)
            }
            Owner::Jobs(ids) => self.settle_job(ids[index as usize], result),
        }
    }

    /// Takes over what a worker leaves that has ended.
    fn bury(&mut self, index: usize) {
        for left in self.crew[index].inherit() {
            // What is not whole was being written when it ended.
            each_record(&left, |record| self.take(index, record));
        }
        let worker = self.crew.remove(index);
        if !worker.ready {
            self.early_ends += 1;
        }
        let Some(assigned) = worker.assigned else {
            return;
        };
        let (begun, mine) = worker.estate.claimed();
        let status = worker.child.wait();
        if begun < mine {
            self.again.push_front(assigned.batch.part(begun..mine));
        }
        for job in (0..begun).filter(|&job| !assigned.answered[job as usize]) {
            if assigned.batch.deaths + 1 < self.attempts {
                let mut batch = assigned.batch.part(job..job + 1);
                batch.deaths += 1;
                self.again.push_front(batch);
            } else {
                let error = JobError::Lost { pid: worker.child.pid(), status };
                self.settle(&assigned.batch.owner, job, Err(error));
            }
        }
    }

    /// Replaces workers that are gone, if there is anything left to do or to
    /// come.
    fn fill_crew(&mut self) {
        if self.crew.len() >= self.wanted || self.closed && !self.has_queue() {
            return;
        }
        if self.early_ends > EARLY_ENDS {
            self.unfit = Some(format!(
                "{EARLY_ENDS} workers in a row ended before they were ready"
            ));
        }
        while self.crew.len() < self.wanted && self.unfit.is_none() {
            if let Err(error) = self.hire() {
                // The others do the work; the next turn tries again.
                if self.crew.is_empty() {
                    self.give_up(&error.to_string());
                }
                return;
            }
        }
        if self.crew.is_empty()
            && let Some(message) = self.unfit.clone()
        {
            self.give_up(&message);
        }
    }

    /// There is nobody to run the jobs.
    fn give_up(&mut self, message: &str) {
        let error = || Err(JobError::NoWorker { message: message.to_owned() });
        for batch in self
            .again
            .drain(..)
            .chain(self.chunks.drain(..))
            .collect::<Vec<_>>()
        {
            for index in 0..batch.len() {
                self.settle(&batch.owner, index, error());
            }
        }
        for (id, _) in std::mem::take(&mut self.singles) {
            self.settle_job(id, error());
        }
    }

    /// Gives idle workers what there is to do: all of them if this process waits
    /// anyway, else as many as are enough.
    fn dispatch(&mut self, turn: Turn) {
        let workers = self.crew.len().clamp(1, self.cores);
        let share = self.singles.len().div_ceil(workers);
        for index in 0..self.crew.len() {
            if matches!(turn, Turn::Look) && self.are_enough_at_work() {
                return;
            }
            if self.crew[index].is_free() {
                let Some(batch) = self.next_batch(index, share) else {
                    return;
                };
                self.crew[index].assign(batch);
            }
        }
    }

    /// With no more single jobs than a share of them.
    fn next_batch(&mut self, index: usize, share: usize) -> Option<Batch> {
        let room = self
            .retire_after
            .saturating_sub(self.crew[index].jobs)
            .min(u64::from(u32::MAX));
        let batch = self
            .again
            .pop_front()
            .or_else(|| self.batch_singles(share.min(room as usize)))
            .or_else(|| self.chunks.pop_front())
            .or_else(|| self.take_over())?;
        let room = room as u32;
        if batch.len() > room {
            self.again.push_front(batch.part(room..batch.len()));
            return Some(batch.part(0..room));
        }
        Some(batch)
    }

    /// As many single jobs as should travel together, and no more than `most`.
    fn batch_singles(&mut self, most: usize) -> Option<Batch> {
        let most = self.together.min(most);
        let mut batch = Batch::new(Owner::Jobs(Vec::new()));
        while (batch.len() as usize) < most && batch.bytes() < BATCH_BYTES {
            let Some((id, argument)) = self.singles.pop_front() else {
                break;
            };
            let Owner::Jobs(ids) = &mut batch.owner else {
                unreachable!("made so above")
            };
            ids.push(id);
            let pushed: Result<(), std::convert::Infallible> =
                batch.push(|bytes| {
                    bytes.extend_from_slice(&argument);
                    Ok(())
                });
            let Ok(()) = pushed;
        }
        (batch.len() > 0).then_some(batch)
    }

    /// Half of what the busiest worker has to spare.
    fn take_over(&mut self) -> Option<Batch> {
        let to_spare = |worker: &Worker| {
            let (begun, mine) = worker.estate.claimed();
            worker.has_to_spare(begun, mine)
        };
        let busiest = self.crew.iter().max_by_key(|worker| to_spare(worker))?;
        let assigned = busiest.assigned.as_ref()?;
        let taken = busiest.estate.reclaim(|begun, mine| {
            let spare = busiest.has_to_spare(begun, mine);
            (spare > 0).then(|| mine - spare.div_ceil(2))
        })?;
        Some(assigned.batch.part(taken))
    }

    /// Takes a job back that has not begun.
    fn cancel(&mut self, id: u64) -> bool {
        if let Some(place) =
            self.singles.iter().position(|&(queued, _)| queued == id)
        {
            self.singles.remove(place);
            self.settle_job(id, Err(JobError::Cancelled));
            return true;
        }
        let place_in = |batch: &Batch| match &batch.owner {
            Owner::Jobs(ids) => {
                ids.iter().position(|&job| job == id).map(|place| place as u32)
            }
            Owner::Map { .. } => None,
        };
        if let Some(at) =
            self.again.iter().position(|batch| place_in(batch).is_some())
        {
            let batch = self.again.remove(at).expect("found there");
            let place = place_in(&batch).expect("found there");
            for part in [place + 1..batch.len(), 0..place] {
                if !part.is_empty() {
                    self.again.insert(at, batch.part(part));
                }
            }
            self.settle_job(id, Err(JobError::Cancelled));
            return true;
        }
        let taken = self.crew.iter().find_map(|worker| {
            let batch = &worker.assigned.as_ref()?.batch;
            let place = place_in(batch)?;
            let taken = worker.estate.reclaim(|begun, mine| {
                (begun <= place && place < mine).then_some(place)
            })?;
            Some(batch.part(taken.start + 1..taken.end))
        });
        let Some(behind) = taken else { return false };
        if behind.len() > 0 {
            self.again.push_front(behind);
        }
        self.settle_job(id, Err(JobError::Cancelled));
        true
    }

    /// Which worker is at a job, and whether that is stopped.
    fn worker_of(&self, id: u64) -> Option<(u32, bool)> {
        self.crew.iter().find_map(|worker| {
            let Owner::Jobs(ids) = &worker.assigned.as_ref()?.batch.owner
            else {
                return None;
            };
            let place = ids.iter().position(|&job| job == id)? as u32;
            let (begun, _) = worker.estate.claimed();
            let pid = worker.child.pid();
            (place < begun).then(|| (pid, worker.child.is_stopped()))
        })
    }

    /// The workers leave; those that do not are ended.
    fn dismiss(&mut self) {
        for worker in &self.crew {
            let _ = worker.dismiss();
        }
        let deadline = Some(Instant::now() + LEAVING);
        for worker in &self.crew {
            worker.child.wait_until(deadline);
        }
        self.end();
    }
}

impl<A, V> Inner<'_, A, V> {
    /// Ends the workers, whatever they do.
    fn end(&mut self) {
        for worker in &self.crew {
            let _ = worker.child.send(super::status::Signal::KILL);
        }
        for worker in self.crew.drain(..) {
            worker.child.kill_and_wait();
        }
    }
}

impl<A, V> Drop for Inner<'_, A, V> {
    fn drop(&mut self) {
        // A pool that could not be made leaves no workers; one that was made
        // has ended them already.
        if self.crew.iter().all(|worker| worker.child.is_ours()) {
            self.end();
        }
    }
}
