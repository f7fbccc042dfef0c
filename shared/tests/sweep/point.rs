//! A point in the course of an operation at which a child is killed.

use std::collections::HashMap;
use std::error::Error;
use std::ffi::c_void;
use std::fmt;
use std::fs;
use std::thread;

use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use shared::process::Process;

/// What a check says that does not hold.
pub type Failure = Box<dyn Error>;

/// How often an instruction of a loop is swept from its first turn on.
const TURNS: usize = 3;

/// More instructions than any operation has.
const ENDLESS: usize = 500_000;

/// How often to look whether a step is over before asking whether the child
/// sleeps.
const LOOKS: usize = 200;

/// The instruction `int3`, which stops a traced process.
const BREAKPOINT: i64 = 0xcc;

/// A point in the course of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Point {
    /// Before the instruction at an address, when it comes there for the n-th
    /// time.
    At {
        address: u64,
        visit: usize,
        /// How many instructions came before it.
        steps: usize,
    },
    /// After so many instructions.
    After { steps: usize },
    /// When it sleeps for the n-th time.
    Asleep { sleep: usize },
    /// When it is done.
    End,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { address, visit, .. } => {
                write!(f, "before {address:#x}, visit {visit}")
            }
            Self::After { steps } => write!(f, "after {steps} instructions"),
            Self::Asleep { sleep } => write!(f, "in sleep {sleep}"),
            Self::End => write!(f, "at the end"),
        }
    }
}

/// Where a child went in the course of an operation.
#[derive(Default)]
struct Course {
    /// Where it was after each step.
    addresses: Vec<u64>,
    sleeps: usize,
}

impl Course {
    /// Every point of the course, but of a loop the first turns and the last.
    fn points(&self) -> Vec<Point> {
        let mut visits: HashMap<u64, Vec<usize>> = HashMap::new();
        for (before, &address) in self.addresses.iter().enumerate() {
            visits.entry(address).or_default().push(before + 1);
        }
        let mut points = Vec::new();
        for (address, steps) in visits {
            let last = steps.len();
            for (visit, steps) in (1..).zip(steps) {
                if visit <= TURNS || visit == last {
                    points.push(Point::At { address, visit, steps });
                }
            }
        }
        points.sort_by_key(|point| match point {
            Point::At { steps, .. } => *steps,
            _ => 0,
        });
        points.extend(
            (1..=self.sleeps.min(TURNS)).map(|sleep| Point::Asleep { sleep }),
        );
        points
    }
}

/// Runs one operation in one child, which it kills at a point.
pub struct Trial {
    point: Point,
    course: Course,
    killed: bool,
}

impl Trial {
    /// A trial whose child is killed at the point.
    pub fn new(point: Point) -> Self {
        Self { point, course: Course::default(), killed: false }
    }

    /// Whether the child was killed at the point. It is not when it takes
    /// another course than the one before, since others run beside it.
    pub fn has_killed(&self) -> bool {
        self.killed
    }

    /// The points of the course that the child took step by step.
    pub fn points(&self) -> Vec<Point> {
        self.course.points()
    }

    /// Runs an operation in a child and kills it at the point; whether it had
    /// come to the operation's end.
    ///
    /// `prepare` runs in the child before the operation, and `before` here
    /// then. `asleep` runs here whenever the child sleeps in the operation.
    pub fn run<G>(
        &mut self,
        prepare: impl FnOnce() -> G + Send,
        before: impl FnOnce() -> Result<(), Failure>,
        operation: impl FnOnce(G) + Send,
        mut asleep: impl FnMut(),
    ) -> Result<bool, Failure> {
        let child = Process::builder().daemon(true).spawn(|| {
            let prepared = prepare();
            ptrace::traceme()?;
            raise(Signal::SIGSTOP)?;
            operation(prepared);
            raise(Signal::SIGSTOP)
        })?;
        let pid = Pid::from_raw(child.pid().try_into()?);
        match waitpid(pid, None)? {
            WaitStatus::Stopped(_, Signal::SIGSTOP) => {}
            status => return Err(format!("the child: {status:?}").into()),
        }
        let came = before().and_then(|()| match self.point {
            Point::At { address, visit, .. } => {
                self.go_to(pid, address, visit, &mut asleep)
            }
            Point::After { steps } => self.go_steps(pid, steps, &mut asleep),
            Point::End => self.go_steps(pid, ENDLESS, &mut asleep),
            Point::Asleep { .. } => {
                ptrace::cont(pid, None)?;
                self.wait(pid, &mut asleep)
            }
        });
        child.kill()?;
        if child.join().is_ok() {
            return Err("the child was not killed".into());
        }
        let done = came? == Came::Done;
        self.killed = !done;
        Ok(done)
    }

    fn go_steps(
        &mut self,
        pid: Pid,
        steps: usize,
        asleep: &mut impl FnMut(),
    ) -> Result<Came, Failure> {
        for _ in 0..steps {
            ptrace::step(pid, None)?;
            match self.wait(pid, asleep)? {
                Came::Stopped => {
                    self.course.addresses.push(ptrace::getregs(pid)?.rip)
                }
                came => return Ok(came),
            }
        }
        if steps == ENDLESS {
            return Err("the operation does not end".into());
        }
        Ok(Came::Stopped)
    }

    fn go_to(
        &mut self,
        pid: Pid,
        address: u64,
        visit: usize,
        asleep: &mut impl FnMut(),
    ) -> Result<Came, Failure> {
        let at = address as *mut c_void;
        let instruction = ptrace::read(pid, at)?;
        for left in (0..visit).rev() {
            ptrace::write(pid, at, instruction & !0xff | BREAKPOINT)?;
            ptrace::cont(pid, None)?;
            let came = self.wait(pid, asleep)?;
            if left == 0 || came != Came::Stopped {
                return Ok(came);
            }
            let mut registers = ptrace::getregs(pid)?;
            registers.rip = address;
            ptrace::setregs(pid, registers)?;
            ptrace::write(pid, at, instruction)?;
            ptrace::step(pid, None)?;
            match self.wait(pid, asleep)? {
                Came::Stopped => {}
                came => return Ok(came),
            }
        }
        Err("no visit was asked for".into())
    }

    /// Waits for the next stop.
    fn wait(
        &mut self,
        pid: Pid,
        asleep: &mut impl FnMut(),
    ) -> Result<Came, Failure> {
        let mut looks = 0;
        loop {
            match waitpid(pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => {
                    return Ok(Came::Stopped);
                }
                WaitStatus::Stopped(_, Signal::SIGSTOP) => {
                    return Ok(Came::Done);
                }
                WaitStatus::StillAlive => thread::yield_now(),
                status => return Err(format!("the child: {status:?}").into()),
            }
            looks += 1;
            if looks % LOOKS == 0 && sleeps(pid)? {
                self.course.sleeps += 1;
                let sleep = self.course.sleeps;
                if self.point == (Point::Asleep { sleep }) {
                    return Ok(Came::Asleep);
                }
                asleep();
            }
        }
    }
}

/// What a child came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Stopped,
    Asleep,
    Done,
}

/// Whether a process sleeps in a system call.
pub fn sleeps(pid: Pid) -> Result<bool, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(") ").ok_or("no state in /proc")?;
    Ok(rest.starts_with('S'))
}
