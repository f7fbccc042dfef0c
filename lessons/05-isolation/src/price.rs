//! What the ways to reach a number cost.

use crate::map_shared;
use shared::Stage;
use std::hint::black_box;
use std::io::{Read, Write, pipe};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

static OWN: AtomicI32 = AtomicI32::new(0);

/// What does it cost to add to a global, to add in shared memory, and to send
/// a number through a pipe?
///
/// - [ ] least to add to a global; the other two alike
/// - [x] most by far to send through a pipe
/// - [ ] most in shared memory: all processes have to agree
pub fn price(stage: &Stage) -> shared::Result {
    const TIMES: u32 = 100_000;
    let add = |number: &AtomicI32| {
        (0..TIMES).for_each(|_| _ = black_box(number).fetch_add(1, Relaxed));
        Ok(number.swap(0, Relaxed)) // for the next run of this step
    };
    stage.measure("add to a global", TIMES, || add(&OWN))?;
    let number = map_shared(0)?;
    stage.measure("add in shared memory", TIMES, || add(number))?;
    let (mut ear, mut mouth) = pipe()?;
    stage.measure("send through a pipe", TIMES, || {
        let (mut bytes, mut sum) = ([0; 4], 0);
        for n in 0..TIMES {
            mouth.write_all(&n.to_ne_bytes())?;
            ear.read_exact(&mut bytes)?;
            sum += u64::from(u32::from_ne_bytes(bytes));
        }
        Ok(sum)
    })?;
    Ok(())
}
