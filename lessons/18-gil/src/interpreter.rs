//! A small interpreter: it runs a program, one instruction after the other.

use crate::gil::{Gil, Held};
use num_bigint::BigUint;
use shared::Track;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// An instruction. Most of them work on a stack of numbers.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// Puts a number on the stack.
    Push(i64),
    /// Puts the counter, which all threads share, on the stack.
    Load,
    /// Takes the top of the stack for the new value of the counter.
    Store,
    /// Takes two numbers off the stack and puts their sum there.
    Add,
    /// Takes the top of the stack and adds it to the counter.
    AddTo,
    /// Multiplies the product, which is the thread's own, by the top of the
    /// stack.
    Multiply,
    /// Counts the top of the stack down; goes on at that instruction until it
    /// is 0.
    Repeat(usize),
    /// Stays here, and computes, until another thread has had a turn.
    Linger,
    /// Waits so long, and leaves the lock to others meanwhile.
    Sleep(Duration),
}

/// No thread lingers longer than that, even if nobody else comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs programs, any number of threads at once.
#[derive(Default)]
pub struct Interpreter {
    gil: Option<Gil>,
    pub counter: AtomicI64,
}

/// Where a thread is in its program, and what it has of its own.
pub struct Frame<'a> {
    track: &'a Track,
    began: Instant,
    next: usize,
    /// How often it has had the lock.
    turns: u64,
    pub stack: Vec<i64>,
    pub product: BigUint,
    /// From when until when it slept last, in ns since the run began.
    pub slept: [u64; 2],
}

impl<'a> Frame<'a> {
    pub fn new(track: &'a Track) -> Self {
        Self {
            track,
            began: Instant::now(),
            next: 0,
            turns: 1,
            stack: Vec::new(),
            product: BigUint::from(1_u32),
            slept: [0; 2],
        }
    }

    fn pop(&mut self) -> i64 {
        self.stack.pop().expect("a program takes what it has put there")
    }
}

impl Interpreter {
    pub fn with_lock() -> Self {
        Self { gil: Some(Gil::default()), ..Self::default() }
    }

    pub fn without_lock() -> Self {
        Self::default()
    }

    /// Runs a program on this thread.
    pub fn run<'a>(&self, program: &[Op], track: &'a Track) -> Frame<'a> {
        self.run_with(program, track, thread::sleep)
    }

    /// Runs a program that waits by `sleep`.
    pub fn run_with<'a>(
        &self,
        program: &[Op],
        track: &'a Track,
        mut sleep: impl FnMut(Duration),
    ) -> Frame<'a> {
        let mut frame = Frame::new(track);
        let mut held = self.take(track);
        let (now, mut slept) = (|| track.recorder().now_ns(), [0; 2]);
        while let Some(&op) = program.get(frame.next) {
            frame.next += 1;
            self.execute(op, &mut frame, |time| {
                drop(held.take());
                let from = now();
                track.span("sleeps", || sleep(time));
                slept = [from, now()];
                held = self.take(track);
            });
            if let Some(asked) = held.take_if(|held| held.is_asked_for()) {
                asked.hand_over();
                held = self.take(track);
                frame.turns += 1;
            }
        }
        frame.slept = slept;
        frame
    }

    /// Nothing, where there is no lock.
    fn take<'a>(&'a self, track: &'a Track) -> Option<Held<'a>> {
        self.gil.as_ref().map(|gil| gil.take(track))
    }

    /// Executes one instruction, of a thread that has the lock.
    pub fn execute(
        &self,
        op: Op,
        frame: &mut Frame,
        sleep: impl FnOnce(Duration),
    ) {
        match op {
            Op::Push(number) => frame.stack.push(number),
            Op::Load => {
                let value = self.counter.load(Relaxed);
                frame.track.note("loads", value);
                frame.stack.push(value);
            }
            Op::Store => {
                let value = frame.pop();
                frame.track.note("stores", value);
                self.counter.store(value, Relaxed);
            }
            Op::Add => {
                let sum = frame.pop() + frame.pop();
                frame.stack.push(sum);
            }
            Op::AddTo => {
                // Several steps of the processor, but one of the interpreter.
                let sum = self.counter.load(Relaxed) + frame.pop();
                frame.track.note("stores", sum);
                self.counter.store(sum, Relaxed);
            }
            Op::Multiply => {
                let factor = frame.stack.last().copied().unwrap_or_default();
                frame.product *= factor.unsigned_abs();
            }
            Op::Repeat(to) => {
                let left = frame.pop() - 1;
                if left > 0 {
                    frame.stack.push(left);
                    frame.next = to;
                }
            }
            Op::Linger => {
                let alone = self.gil.is_some() && frame.turns == 1;
                if alone && frame.began.elapsed() < PATIENCE {
                    frame.next -= 1;
                }
            }
            Op::Sleep(time) => sleep(time),
        }
    }
}

/// A program: `product = 1 * 2 * ... * n`.
pub fn product(n: i64) -> [Op; 3] {
    [Op::Push(n), Op::Multiply, Op::Repeat(1)]
}
