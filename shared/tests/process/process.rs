//! `Process`: what CPython promises of its own, in Rust's shape.

use shared::process::Process;

use crate::cases;
use crate::runner::{Case, Outcome};

pub const CASES: &[Case] = cases!("process": answer_arrives);

fn answer_arrives() -> Outcome {
    let numbers = vec![1_u64, 2, 3];
    let sum = Process::spawn(|| numbers.iter().sum::<u64>())?;
    assert_eq!(sum.join()?, 6);
    Ok(())
}
