//! `Barrier`: all pass together, again and again.

use std::time::Duration;

use shared::process::{Barrier, BarrierError, Lock, Process};

use crate::cases;
use crate::runner::{Case, Outcome};
use crate::support::{asleep, eventually};

pub const CASES: &[Case] = cases!("barrier":
    ten_in_lockstep_with_one_leader,
    a_thousand_rounds_never_out_of_step,
    a_wait_that_times_out_breaks_it_for_all,
    numbers_that_make_no_sense_are_refused,
    one_party_waits_for_nobody,
);

fn ten_in_lockstep_with_one_leader() -> Outcome {
    let barrier = Barrier::new(10)?;
    let came = Lock::new(0)?;
    let leaders = Lock::new(0)?;
    let parties: Vec<_> = (0..10)
        .map(|_| {
            Process::spawn(|| {
                for round in 1..=3 {
                    *came.lock()? += 1;
                    let passed = barrier.wait()?;
                    assert!(
                        *came.lock()? >= round * 10,
                        "passed before all came"
                    );
                    if passed.is_leader() {
                        *leaders.lock()? += 1;
                    }
                    barrier.wait()?;
                    assert_eq!(*leaders.lock()?, round);
                    barrier.wait()?;
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        })
        .collect::<Result<_, _>>()?;
    for party in parties {
        party.join()?;
    }
    assert_eq!((*came.lock()?, *leaders.lock()?), (30, 3));
    Ok(())
}

fn a_thousand_rounds_never_out_of_step() -> Outcome {
    let barrier = Barrier::new(5)?;
    let rounds = Lock::new([0_u32; 5])?;
    let parties: Vec<_> = (0..5)
        .map(|party| {
            let (barrier, rounds) = (&barrier, &rounds);
            Process::spawn(move || {
                for round in 1..=1_000 {
                    rounds.lock()?[party] = round;
                    barrier.wait()?;
                    let seen = *rounds.lock()?;
                    let in_step =
                        seen.iter().all(|r| (round..=round + 1).contains(r));
                    assert!(in_step, "{seen:?} in round {round}");
                }
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        })
        .collect::<Result<_, _>>()?;
    for party in parties {
        party.join()?;
    }
    Ok(())
}

fn a_wait_that_times_out_breaks_it_for_all() -> Outcome {
    let barrier = Barrier::new(4)?;
    let waiting = || {
        Process::spawn(|| matches!(barrier.wait(), Err(BarrierError::Broken)))
    };
    let waiters = [waiting()?, waiting()?];
    for waiter in &waiters {
        assert!(eventually(|| asleep(waiter.pid())));
    }
    let a_while = Duration::from_millis(60);
    let late = barrier.wait_timeout(a_while);
    assert!(matches!(late, Err(BarrierError::Timeout(t)) if t == a_while));
    for waiter in waiters {
        assert!(waiter.join()?);
    }
    assert!(barrier.is_broken());
    assert!(matches!(barrier.wait(), Err(BarrierError::Broken)));
    Ok(())
}

fn numbers_that_make_no_sense_are_refused() -> Outcome {
    for parties in [0, 1 << 31, usize::MAX] {
        let refused = Barrier::new(parties);
        assert!(
            matches!(refused, Err(BarrierError::Parties { parties: p }) if p == parties)
        );
    }
    Ok(())
}

fn one_party_waits_for_nobody() -> Outcome {
    let barrier = Barrier::new(1)?;
    for _ in 0..3 {
        assert!(barrier.wait()?.is_leader());
    }
    Ok(())
}
