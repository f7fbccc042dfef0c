//! Which cores a task may use.

use anyhow::Context;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use shared::Stage;

/// In sched_setaffinity(2) and its like, the process that calls.
const MYSELF: Pid = Pid::from_raw(0);

/// From now on this process runs on these cores and no others.
pub fn keep_to(cores: &[usize]) -> shared::Result {
    let mut set = CpuSet::new();
    cores.iter().try_for_each(|&core| set.set(core))?;
    sched_setaffinity(MYSELF, &set)
        .with_context(|| format!("cannot keep to the cores {cores:?}"))
}

/// N cores to choose from; or None, and it is said why, where there are fewer
/// or one may not choose.
pub fn cores<const N: usize>(stage: &Stage) -> Option<[usize; N]> {
    let all = up_to(usize::MAX, stage)?;
    let cores = all.first_chunk().copied();
    if cores.is_none() {
        let why = format!("this program may use {} core", all.len());
        stage.cannot_show("two tasks at once", &why);
    }
    cores
}

/// The cores to choose from, `most` of them at most.
pub fn up_to(most: usize, stage: &Stage) -> Option<Vec<usize>> {
    match allowed() {
        Ok(mut cores) => {
            cores.truncate(most);
            Some(cores)
        }
        Err(error) => {
            let why = format!("a process may not choose its cores: {error}");
            stage.cannot_show("who runs on which core", &why);
            None
        }
    }
}

fn allowed() -> nix::Result<Vec<usize>> {
    let set = sched_getaffinity(MYSELF)?;
    // May this process choose? What it has already changes nothing.
    sched_setaffinity(MYSELF, &set)?;
    let all = 0..CpuSet::count();
    Ok(all.filter(|&core| set.is_set(core) == Ok(true)).collect())
}
