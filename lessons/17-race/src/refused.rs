//! What Rust refuses to compile: the races of this lesson, written plainly.
//!
//! Two threads that both change a number:
//!
//! ```compile_fail,E0499
//! use std::thread;
//!
//! let mut number = 0;
//! thread::scope(|scope| {
//!     scope.spawn(|| number += 1);
//!     scope.spawn(|| number -= 1);
//! });
//! ```
//!
//! One changes it, the other only reads:
//!
//! ```compile_fail,E0502
//! use std::thread;
//!
//! let mut number = 0;
//! thread::scope(|scope| {
//!     scope.spawn(|| number += 1);
//!     scope.spawn(|| println!("{number}"));
//! });
//! ```
//!
//! A `Cell` may be changed by everyone who sees it, on one thread:
//!
//! ```compile_fail,E0277
//! use std::{cell::Cell, thread};
//!
//! let number = Cell::new(0);
//! thread::scope(|scope| {
//!     scope.spawn(|| number.set(number.get() + 1));
//!     scope.spawn(|| number.set(number.get() - 1));
//! });
//! ```
//!
//! With a mutex around it, it compiles:
//!
//! ```
//! use std::{sync::Mutex, thread};
//!
//! let number = Mutex::new(0);
//! thread::scope(|scope| {
//!     scope.spawn(|| *number.lock().unwrap() += 1);
//!     scope.spawn(|| *number.lock().unwrap() -= 1);
//! });
//! assert_eq!(*number.lock().unwrap(), 0);
//! ```
//!
//! So does the lost update of the lesson, which reads an atomic and then writes
//! it: each of the two is safe. What belongs together only we know.
