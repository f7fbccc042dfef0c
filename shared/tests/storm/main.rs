//! A kill storm: processes at work on all that is shared, and every few
//! milliseconds one of them is killed by SIGKILL and replaced. `storm SECONDS`,
//! 10 unless said otherwise.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, pipe};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, alarm};
use shared::process::{
    Dict, Event, JobError, List, Lock, Manager, Pool, Process, Queue, Semaphore,
};

mod ledger;
mod roles;

use ledger::{Ledger, Record};
use roles::{PERMITS, ROLES, Shared, checked, checksum};

const DEFAULT_SECONDS: u64 = 10;
/// Between two kills, milliseconds.
const PAUSES: std::ops::Range<u64> = 1..6;
/// Who does nothing for so long hangs.
const HANG: Duration = Duration::from_secs(5);
/// Jobs that the pool has to do at a time.
const JOBS: usize = 40;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut seconds = DEFAULT_SECONDS;
    for argument in
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-'))
    {
        match argument.parse() {
            Ok(number) => seconds = number,
            // The name of another test: this one is not meant.
            Err(_) if !"storm".contains(&argument) => {
                return report(0, 0, 1, Duration::ZERO);
            }
            Err(_) => {}
        }
    }
    println!("\nrunning 1 test");
    let began = Instant::now();
    // Whatever hangs here is ended, and the processes with it: they are
    // daemons.
    alarm::set(u32::try_from(seconds).unwrap_or(u32::MAX).saturating_add(60));
    let outcome = storm(Duration::from_secs(seconds));
    match outcome {
        Ok(tally) => {
            println!("{tally}");
            let wrong = tally.wrong();
            println!(
                "test storm ... {}",
                if wrong.is_empty() { "ok" } else { "FAILED" }
            );
            for line in &wrong {
                println!("  {line}");
            }
            let failed = usize::from(!wrong.is_empty());
            report(1 - failed, failed, 0, began.elapsed())
        }
        Err(error) => {
            println!("test storm ... FAILED\n  {error}");
            report(0, 1, 0, began.elapsed())
        }
    }
}

fn report(
    passed: usize,
    failed: usize,
    filtered_out: usize,
    time: Duration,
) -> ExitCode {
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {filtered_out} filtered \
         out; finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        time.as_secs_f64()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

/// What a storm came to.
#[derive(Default)]
struct Tally {
    kills: BTreeMap<&'static str, u64>,
    hangs: Vec<String>,
    ledger: Ledger,
    lost: u64,
    updates: (u64, u64),
    pushed: (usize, usize, usize),
    jobs: Jobs,
    permits: usize,
    left: Vec<String>,
}

#[derive(Default)]
struct Jobs {
    submitted: u64,
    answered: u64,
    wrong: u64,
    lost: u64,
}

impl Tally {
    fn killed(&self, role: &str) -> u64 {
        self.kills.get(role).copied().unwrap_or(0)
    }

    /// What must not be.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut must = |so: bool, text: String| {
            if !so {
                wrong.push(text);
            }
        };
        must(
            self.kills.values().sum::<u64>() > 0,
            "nobody was killed".to_owned(),
        );
        must(self.hangs.is_empty(), format!("hung: {:?}", self.hangs));
        must(self.ledger.torn == 0, format!("{} items torn", self.ledger.torn));
        must(
            self.ledger.duplicates == 0,
            format!("{} items twice", self.ledger.duplicates),
        );
        must(
            self.ledger.disordered == 0,
            format!("{} items out of order", self.ledger.disordered),
        );
        must(self.ledger.consumed > 0, "no item was consumed".to_owned());
        let consumers = self.killed("consumer");
        must(
            self.lost <= consumers,
            format!("{} items lost by {consumers} killed consumers", self.lost),
        );
        must(
            self.ledger.broken == 0,
            format!("{} times the lock did not lock", self.ledger.broken),
        );
        must(
            self.ledger.crowded == 0,
            format!("{} times too many had a permit", self.ledger.crowded),
        );
        must(
            self.permits == PERMITS,
            format!("{} of {PERMITS} permits back", self.permits),
        );
        let (acknowledged, counted) = self.updates;
        let clients = self.killed("client");
        must(
            (acknowledged..=acknowledged + clients).contains(&counted),
            format!(
                "{acknowledged} updates acknowledged, {counted} counted, {clients} clients killed"
            ),
        );
        let (acknowledged, missing, twice) = self.pushed;
        must(
            missing == 0 && twice == 0 && acknowledged > 0,
            format!(
                "of {acknowledged} items pushed {missing} are missing, {twice} are there twice"
            ),
        );
        let jobs = &self.jobs;
        must(
            jobs.submitted == jobs.answered
                && jobs.wrong == 0
                && jobs.answered > 0,
            format!(
                "{} jobs, {} answered, {} wrong",
                jobs.submitted, jobs.answered, jobs.wrong
            ),
        );
        let workers = self.killed("worker");
        must(
            jobs.lost <= workers,
            format!("{} jobs lost by {workers} killed workers", jobs.lost),
        );
        must(
            self.left.is_empty(),
            format!("left behind: {}", self.left.join(", ")),
        );
        wrong
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills: u64 = self.kills.values().sum();
        let of: Vec<_> = self
            .kills
            .iter()
            .map(|(role, kills)| format!("{kills} {role}"))
            .collect();
        writeln!(f, "killed     {kills} ({})", of.join(", "))?;
        writeln!(f, "hung       {}", self.hangs.len())?;
        let ledger = &self.ledger;
        writeln!(
            f,
            "queue      {} put, {} consumed, {} torn, {} twice, {} lost",
            ledger.acknowledged,
            ledger.consumed,
            ledger.torn,
            ledger.duplicates,
            self.lost
        )?;
        writeln!(
            f,
            "lock       {} times, {} after a dead owner, {} broken",
            ledger.locked, ledger.inherited, ledger.broken
        )?;
        writeln!(
            f,
            "semaphore  {} times, {} crowded, {} of {PERMITS} permits back",
            ledger.admitted, ledger.crowded, self.permits
        )?;
        writeln!(
            f,
            "manager    {} updates acknowledged, {} counted; {} pushes",
            self.updates.0, self.updates.1, self.pushed.0
        )?;
        write!(
            f,
            "pool       {} jobs, {} answered, {} wrong, {} lost",
            self.jobs.submitted,
            self.jobs.answered,
            self.jobs.wrong,
            self.jobs.lost
        )
    }
}

/// What this process has, to be the same afterwards.
#[derive(PartialEq, Eq)]
struct Belongings {
    descriptors: usize,
    mappings: usize,
}

impl Belongings {
    fn count() -> io::Result<Self> {
        let maps = fs::read_to_string("/proc/self/maps")?;
        Ok(Self {
            descriptors: fs::read_dir("/proc/self/fd")?.count(),
            // Memory shared without a name is a deleted file to the kernel.
            mappings: maps
                .lines()
                .filter(|line| line.contains("/dev/zero"))
                .count(),
        })
    }
}

fn storm(time: Duration) -> Outcome<Tally> {
    let before = Belongings::count()?;
    let mut tally = blow(time)?;
    let after = Belongings::count()?;
    if after.descriptors != before.descriptors {
        tally.left.push(format!(
            "{} descriptors, {} before",
            after.descriptors, before.descriptors
        ));
    }
    if after.mappings != before.mappings {
        tally.left.push(format!(
            "{} shared mappings, {} before",
            after.mappings, before.mappings
        ));
    }
    if waitpid(None, Some(WaitPidFlag::WNOHANG)) != Err(Errno::ECHILD) {
        tally.left.push("a process".to_owned());
    }
    let ours = format!("process-manager-{}-", std::process::id());
    for entry in fs::read_dir(std::env::temp_dir())?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&ours) {
            tally.left.push(entry.path().display().to_string());
        }
    }
    Ok(tally)
}

/// A place in the storm: whoever is there is killed now and then, and replaced.
struct Seat {
    role: usize,
    process: Process<()>,
    generation: u32,
    seen: Instant,
}

fn blow(time: Duration) -> Outcome<Tally> {
    let mut tally = Tally::default();
    let shared = Shared {
        queue: Queue::with_bytes(64, 1 << 16)?,
        lock: Lock::new([0; 8])?,
        semaphore: Semaphore::new(PERMITS)?,
        inside: Lock::new([0; 16])?,
        stop: Event::new()?,
    };
    let manager = Manager::new()?;
    let counts: Dict<String, u64> = manager.dict()?;
    let list: List<(u8, u32, u64)> = manager.list()?;
    let pool = Pool::new(2, |job: (u64, String)| {
        (checksum(job.0, job.1.as_bytes()), job.1)
    })?;
    let (read, write) = pipe()?;
    let mut records = Records { read, rest: Vec::new() };
    let start = |role: usize, seat: u8, generation: u32| {
        let run = ROLES[role].1;
        let (shared, counts, list, write) = (&shared, &counts, &list, &write);
        Process::builder()
            .daemon(true)
            .name(format!("{} {generation}", ROLES[role].0))
            .spawn(move || {
                run(&roles::Desk {
                    shared,
                    counts,
                    list,
                    write,
                    seat,
                    generation,
                })
            })
    };
    let mut seats = (0..ROLES.len())
        .map(|role| {
            let process = start(role, role as u8, 0)?;
            Ok(Seat { role, process, generation: 0, seen: Instant::now() })
        })
        .collect::<Outcome<Vec<_>>>()?;
    let mut chance =
        Chance(0x9E37_79B9_7F4A_7C15 ^ u64::from(std::process::id()));
    let jobs = Rc::new(RefCell::new(Jobs::default()));
    let end = Instant::now() + time;
    let mut pool_seen = (0, Instant::now());
    while Instant::now() < end && tally.hangs.is_empty() {
        let pause = Duration::from_millis(
            PAUSES.start + chance.below(PAUSES.end - PAUSES.start),
        );
        let next = Instant::now() + pause;
        while Instant::now() < next {
            for record in
                records.wait(next.saturating_duration_since(Instant::now()))?
            {
                if let Some(seat) = seats.get_mut(usize::from(record.seat)) {
                    seat.seen = Instant::now();
                }
                tally.ledger.enter(&record);
            }
            feed(&pool, &jobs, &mut chance)?;
        }
        let answered = jobs.borrow().answered;
        if answered != pool_seen.0 {
            pool_seen = (answered, Instant::now());
        }
        if pool_seen.1.elapsed() > HANG {
            tally.hangs.push("the pool".to_owned());
        }
        for seat in &seats {
            if seat.seen.elapsed() > HANG {
                tally.hangs.push(format!(
                    "{} ({})",
                    ROLES[seat.role].0,
                    seat.process.pid()
                ));
            }
        }
        let victim = chance.below(seats.len() as u64 + 2) as usize;
        match seats.get_mut(victim) {
            Some(seat) => {
                let role = ROLES[seat.role].0;
                seat.process.kill()?;
                seat.generation += 1;
                seat.seen = Instant::now();
                let replacement =
                    start(seat.role, victim as u8, seat.generation)?;
                let ended =
                    std::mem::replace(&mut seat.process, replacement).join();
                match ended {
                    Err(shared::process::JoinError::Killed { .. }) => {}
                    other => {
                        return Err(format!(
                            "{role} ended by itself: {other:?}"
                        )
                        .into());
                    }
                }
                *tally.kills.entry(role).or_default() += 1;
            }
            None => {
                if let Some(&pid) = pool.pids().get(victim - seats.len())
                    && kill(Pid::from_raw(pid as i32), Signal::SIGKILL).is_ok()
                {
                    *tally.kills.entry("worker").or_default() += 1;
                }
            }
        }
    }

    // Calm: the producers end, then the consumers find the queue closed and
    // empty.
    shared.stop.set();
    let calm = |seats: Vec<Seat>,
                records: &mut Records,
                tally: &mut Tally|
     -> Outcome<()> {
        for seat in seats {
            let deadline = Instant::now() + HANG;
            while seat.process.is_alive() && Instant::now() < deadline {
                for record in records.wait(Duration::from_millis(5))? {
                    tally.ledger.enter(&record);
                }
            }
            if seat.process.is_alive() {
                tally.hangs.push(format!("{} at the end", seat.process.name()));
                seat.process.kill()?;
                continue;
            }
            seat.process.join()?;
        }
        Ok(())
    };
    let (consumers, others) =
        seats.into_iter().partition(|seat| ROLES[seat.role].0 == "consumer");
    calm(others, &mut records, &mut tally)?;
    shared.queue.close();
    calm(consumers, &mut records, &mut tally)?;
    pool.close();
    pool.join()?;
    drop(pool);
    // Nobody is left who could write: the records come to an end.
    drop(write);
    loop {
        let rest = records.wait(HANG)?;
        if rest.is_empty() {
            break;
        }
        rest.iter().for_each(|record| tally.ledger.enter(record));
    }

    tally.jobs = Rc::try_unwrap(jobs)
        .map_err(|_| "a callback was not called")?
        .into_inner();
    tally.lost = tally.ledger.lost();
    tally.permits = shared.semaphore.available();
    drop(shared.lock.lock_timeout(HANG)?);
    tally.updates = (tally.ledger.updated, counts.get("total")?.unwrap_or(0));
    let mut there = BTreeMap::<(u8, u32, u64), usize>::new();
    for item in list.to_vec()? {
        *there.entry(item).or_default() += 1;
    }
    let missing = tally
        .ledger
        .pushed
        .iter()
        .filter(|item| !there.contains_key(item))
        .count();
    let twice = there.values().filter(|&&count| count > 1).count();
    tally.pushed = (tally.ledger.pushed.len(), missing, twice);
    Ok(tally)
}

/// Keeps the pool busy, and checks what it answers.
fn feed<'f>(
    pool: &Pool<'f, (u64, String), (u64, String)>,
    jobs: &Rc<RefCell<Jobs>>,
    chance: &mut Chance,
) -> Outcome<()> {
    pool.poll();
    loop {
        let number = {
            let mut jobs = jobs.borrow_mut();
            if jobs.submitted - jobs.answered >= JOBS as u64 {
                return Ok(());
            }
            jobs.submitted += 1;
            jobs.submitted
        };
        let length = [3, 100, 100, 50_000, 400_000][chance.below(5) as usize];
        let text = "x".repeat(length);
        let jobs = Rc::clone(jobs);
        pool.submit_then((number, text), move |_, result| {
            let mut jobs = jobs.borrow_mut();
            jobs.answered += 1;
            match result {
                Ok((sum, text)) => {
                    let right = text.len() == length
                        && checked(number, text.as_bytes(), sum);
                    jobs.wrong += u64::from(!right);
                }
                Err(JobError::Lost { .. }) => jobs.lost += 1,
                Err(_) => jobs.wrong += 1,
            }
        })?;
    }
}

/// What the processes write, record by record.
struct Records {
    read: PipeReader,
    rest: Vec<u8>,
}

impl Records {
    /// Waits for records; none when the time is over or nobody can write any
    /// more.
    fn wait(&mut self, time: Duration) -> Outcome<Vec<Record>> {
        let timeout = PollTimeout::try_from(time.as_millis() as i32 + 1)?;
        match poll(
            &mut [PollFd::new(self.read.as_fd(), PollFlags::POLLIN)],
            timeout,
        ) {
            Ok(0) | Err(Errno::EINTR) => return Ok(Vec::new()),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 1 << 16];
        let bytes = self.read.read(&mut buffer)?;
        self.rest.extend_from_slice(&buffer[..bytes]);
        let whole = self.rest.len() / Record::BYTES * Record::BYTES;
        let records = self.rest[..whole]
            .chunks(Record::BYTES)
            .map(Record::read)
            .collect();
        self.rest.drain(..whole);
        Ok(records)
    }
}

/// Writes a record; one write of so few bytes is never torn.
fn write_record(mut pipe: &PipeWriter, record: &Record) -> io::Result<()> {
    use std::io::Write;
    pipe.write_all(&record.bytes())
}

/// Numbers without a pattern (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
