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
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Before the instruction at an address, when it comes there for the n-th
    /// time.
    At { address: u64, visit: usize },
    /// When it sleeps for the n-th time.
    Asleep { sleep: usize },
    /// When it is done.
    End,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At { address, visit } => write!(f, "before {address:#x}, visit {visit}"),
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
        let mut visits: HashMap<u64, usize> = HashMap::new();
        let mut points = Vec::new();
        for &address in &self.addresses {
            let visit = visits.entry(address).or_default();
            *visit += 1;
            if *visit <= TURNS {
                let visit = *visit;
                points.push(Point::At { address, visit });
            }
        }
        let long = visits.into_iter().filter(|(_, visits)| *visits > TURNS);
        points.extend(long.map(|(address, visit)| Point::At { address, visit }));
        points.extend((1..=self.sleeps.min(TURNS)).map(|sleep| Point::Asleep { sleep }));
        points
    }
}

/// Runs one operation in one child, which it kills at a point.
pub struct Trial {
    point: Point,
    course: Course,
}

impl Trial {
    /// A trial whose child is killed at the point.
    pub fn new(point: Point) -> Self {
        Self {
            point,
            course: Course::default(),
        }
    }

    /// The points of the operation, after a trial to its end.
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
            Point::At { address, visit } => self.go_to(pid, address, visit, &mut asleep),
            Point::Asleep { .. } | Point::End => self.go_step_by_step(pid, &mut asleep),
        });
        child.kill()?;
        if child.join().is_ok() {
            return Err("the child was not killed".into());
        }
        Ok(matches!(came?, Came::ToTheEnd))
    }

    fn go_step_by_step(&mut self, pid: Pid, asleep: &mut impl FnMut()) -> Result<Came, Failure> {
        while self.course.addresses.len() < ENDLESS {
            let step = match self.point {
                Point::End => ptrace::step,
                _ => ptrace::cont,
            };
            step(pid, None)?;
            match self.wait(pid, asleep)? {
                Came::ToAStop => self.course.addresses.push(ptrace::getregs(pid)?.rip),
                came => return Ok(came),
            }
        }
        Err("the operation does not end".into())
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
            if left == 0 || came != Came::ToAStop {
                return Ok(came);
            }
            let mut registers = ptrace::getregs(pid)?;
            registers.rip = address;
            ptrace::setregs(pid, registers)?;
            ptrace::write(pid, at, instruction)?;
            ptrace::step(pid, None)?;
            match self.wait(pid, asleep)? {
                Came::ToAStop => {}
                came => return Ok(came),
            }
        }
        Err("no visit was asked for".into())
    }

    /// Waits for the next stop.
    fn wait(&mut self, pid: Pid, asleep: &mut impl FnMut()) -> Result<Came, Failure> {
        let mut looks = 0;
        loop {
            match waitpid(pid, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => return Ok(Came::ToAStop),
                WaitStatus::Stopped(_, Signal::SIGSTOP) => return Ok(Came::ToTheEnd),
                WaitStatus::StillAlive => thread::yield_now(),
                status => return Err(format!("the child: {status:?}").into()),
            }
            looks += 1;
            if looks % LOOKS == 0 && sleeps(pid)? {
                self.course.sleeps += 1;
                let sleep = self.course.sleeps;
                if self.point == (Point::Asleep { sleep }) {
                    return Ok(Came::ToASleep);
                }
                asleep();
            }
        }
    }
}

/// Where a child came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    ToAStop,
    ToASleep,
    ToTheEnd,
}

/// Whether a process sleeps in a system call.
pub fn sleeps(pid: Pid) -> Result<bool, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(") ").ok_or("no state in /proc")?;
    Ok(rest.starts_with('S'))
}
