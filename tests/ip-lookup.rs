//! Lesson 23.
fn main() {}
