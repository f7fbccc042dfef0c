//! Managers.

use std::time::Instant;

use shared::process::Manager;

use crate::Outcome;
use crate::row::{Goal, Row};

const WRITES: u64 = 50_000;

pub fn rows() -> Vec<Row> {
    vec![Row {
        name: "manager: writes to one key",
        ours: ("manager", writes),
        goals: vec![Goal::Python { times: 3.0, name: "manager" }],
    }]
}

fn writes() -> Outcome<f64> {
    let manager = Manager::new()?;
    let dict = manager.dict::<String, u64>()?;
    dict.insert("key", &0)?;
    let began = Instant::now();
    for n in 0..WRITES {
        dict.insert("key", &n)?;
    }
    Ok(began.elapsed().as_secs_f64() / WRITES as f64)
}
