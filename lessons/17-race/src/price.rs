//! What an update costs.

use crate::{MILLION, both};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Instant;

/// A million updates by each of two threads. How many were made, and how many
/// seconds one of them took.
pub fn measured(update: impl Fn(i64) + Sync) -> (i64, f64) {
    let (made, start) = (AtomicI64::new(0), Instant::now());
    both(|change| {
        let mut mine = 0;
        while mine < MILLION {
            update(change);
            mine += 1;
        }
        made.fetch_add(mine, Relaxed);
    });
    let (seconds, made) = (start.elapsed().as_secs_f64(), made.into_inner());
    (made, seconds / made as f64)
}
