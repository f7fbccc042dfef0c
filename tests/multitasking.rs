//! Lesson 1: taking turns and running at once.

use nix::libc;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use shared::lesson::Claim;
use shared::trace::{Event, Phase};
use std::collections::HashSet;
use std::io;
use std::os::unix::process::CommandExt;
use testkit::{Change, Check, Ended, Lesson, Run, happened, not_run, noted};

const LESSON: Lesson = Lesson {
    package: "multitasking",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_multitasking"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    if cores().len() < 2 {
        return not_run("the claims of lesson 1", "there is one core only");
    }
    LESSON.prove(&[
        Check {
            step: "one_core",
            claim: "running at once: never two",
            proven: |events| several_ran(&slices(events)) == 0,
            broken: NOT_ON_ONE_CORE,
        },
        Check {
            step: "two_cores",
            claim: "running at once: both",
            proven: |events| several_ran(&slices(events)) > 0,
            broken: BOTH_ON_ONE_CORE,
        },
        Check {
            step: "one_waits",
            claim: "anna runs while ben waits",
            proven: ran_during_the_wait,
            broken: COMPUTES_TOO,
        },
        Check {
            step: "one_waits",
            claim: "waiting takes nothing of the core",
            proven: |events| {
                let part = noted(events, "ben", "part of the core").as_f64();
                part.is_some_and(|part| part < 0.1)
            },
            broken: COMPUTES_TOO,
        },
        Check {
            step: "six_tasks",
            claim: "at once on one core: never two",
            proven: |events| {
                let slices = slices(events);
                let cores: HashSet<&str> =
                    slices.iter().map(|slice| slice.name).collect();
                let in_turn = |core: &&str| {
                    let mut on_it = slices.clone();
                    on_it.retain(|slice| slice.name == *core);
                    several_ran(&on_it) == 0
                };
                assert!(!cores.is_empty(), "there are slices");
                cores.iter().all(in_turn)
            },
            broken: (
                "slices.rs",
                "core: sched_getcpu()?",
                "core: sched_getcpu()? * 0",
            ),
        },
        Check {
            step: "six_tasks",
            claim: "others run while finn waits",
            proven: others_ran_while_finn_waited,
            broken: (
                "crowd.rs",
                "task.span(\"waits\", || sleep(time));",
                "compute_anywhere(task, time)?;",
            ),
        },
        Check {
            step: "given_or_taken",
            claim: "carl gave the core up at each nap",
            proven: |events| {
                let naps = happened(events, "sleeps").count() as i64;
                naps == 10 && number(events, "carl", GIVEN_UP) >= naps
            },
            broken: (
                "switch.rs",
                "task.span(\"sleeps\", || sleep(time / 20));",
                "task.span(\"sleeps\", || \
                 crate::slices::compute_for(time / 20))?;",
            ),
        },
        Check {
            step: "given_or_taken",
            claim: "anna: taken away more often than given up",
            proven: |events| {
                number(events, "anna", GIVEN_UP) < number(events, "anna", TAKEN)
            },
            broken: ALL_NAP,
        },
        Check {
            step: "given_or_taken",
            claim: "ben: taken away more often than given up",
            proven: |events| {
                number(events, "ben", GIVEN_UP) < number(events, "ben", TAKEN)
            },
            broken: ALL_NAP,
        },
    ]);
}

/// Long enough to meet, however busy the machine is.
const NOT_ON_ONE_CORE: Change = (
    "main.rs",
    "SHORT, [(\"anna\", &[core], compute), (\"ben\", &[core], compute)]",
    "4 * LONG, [(\"anna\", &[core], compute), (\"ben\", \
     &cores::<2>(stage).unwrap_or_default()[1..], compute)]",
);

const BOTH_ON_ONE_CORE: Change = (
    "main.rs",
    "(\"ben\", &[other], compute)",
    "(\"ben\", &[one.min(other)], compute)",
);

const COMPUTES_TOO: Change = (
    "tasks.rs",
    "task.span(\"waits\", || sleep(time));",
    "compute(task, time)?;",
);

const ALL_NAP: Change = (
    "switch.rs",
    "for slice in counted(task, || Ok(compute_for(time)?))? {",
    "sleepy(task, time)?;\n for slice in compute_for(time)? {",
);

const GIVEN_UP: &str = "gave the core up";
const TAKEN: &str = "had it taken away";

fn number(events: &[Event], track: &str, name: &str) -> i64 {
    noted(events, track, name).as_i64().expect("it was counted")
}

/// When a task ran, as it recorded.
#[derive(Clone, Copy)]
struct Slice<'a> {
    track: &'a str,
    name: &'a str,
    from: u64,
    to: u64,
}

fn slices(events: &[Event]) -> Vec<Slice<'_>> {
    let measured = events.iter().filter(|event| event.ph == Phase::Measured);
    let slices = measured.map(|event| {
        let time = |key| event.args[key].as_u64().expect("a time in ns");
        let (from, to) = (time("from_ns"), time("to_ns"));
        Slice { track: &event.track, name: &event.name, from, to }
    });
    let slices: Vec<_> = slices.collect();
    assert!(!slices.is_empty());
    slices
}

/// For how many nanoseconds several tasks ran: the sum of the stretches between
/// two times at which something changed, in each of which more than one did.
fn several_ran(slices: &[Slice]) -> u64 {
    let times = slices.iter().flat_map(|slice| [slice.from, slice.to]);
    let mut times: Vec<u64> = times.collect();
    times.sort_unstable();
    let several = |stretch: &&[u64]| {
        let through =
            |slice: &&Slice| slice.from <= stretch[0] && stretch[1] <= slice.to;
        slices.iter().filter(through).count() > 1
    };
    let stretches = times.windows(2).filter(several);
    stretches.map(|stretch| stretch[1] - stretch[0]).sum()
}

/// From when to when somebody waited the last time.
fn wait(events: &[Event]) -> Option<(u64, u64)> {
    let named = events.iter().filter(|event| event.name == "waits");
    let mut times = named.map(|event| event.t_ns);
    let end = times.next_back()?;
    Some((times.next_back()?, end))
}

fn ran_during_the_wait(events: &[Event]) -> bool {
    let Some((begin, end)) = wait(events) else { return false };
    slices(events).iter().any(|slice| slice.from < end && begin < slice.to)
}

fn others_ran_while_finn_waited(events: &[Event]) -> bool {
    let Some((begin, end)) = wait(events) else { return false };
    let slices = slices(events);
    let mut finns = slices.iter().filter(|slice| slice.track == "finn");
    let left = finns.rfind(|slice| slice.to <= begin).expect("he ran first");
    let mut others: Vec<_> =
        slices.iter().filter(|slice| slice.track != "finn").collect();
    others.sort_by_key(|slice| slice.from);
    let next = others.iter().find(|slice| {
        slice.name == left.name && (begin..end).contains(&slice.from)
    });
    let next = next.map_or("none of them", |slice| slice.track);
    assert_eq!(noted(events, "finn's core", "goes to"), next);
    others.iter().any(|slice| slice.from < end && begin < slice.to)
}

fn cores() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("it can be asked");
    let all = 0..CpuSet::count();
    all.filter(|&core| set.is_set(core) == Ok(true)).collect()
}

/// Runs the lesson with something done to its process before it begins.
#[expect(unsafe_code, reason = "only the lesson is to be restricted")]
fn restricted(
    by: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) -> Ended {
    let mut run = Run::new(LESSON, &[]);
    // SAFETY: between fork and exec `by` makes system calls and nothing else.
    unsafe { run.command.pre_exec(by) };
    run.end().well()
}

fn claims(ended: &Ended) -> Vec<String> {
    let claims = Claim::all(&ended.trace).into_iter();
    claims.map(|claim| claim.text).collect()
}

#[test]
fn one_core_shows_no_two_at_once() {
    let mut set = CpuSet::new();
    set.set(cores()[0]).expect("there is such a core");
    let ended =
        restricted(move || Ok(sched_setaffinity(Pid::from_raw(0), &set)?));
    let said = "two tasks at once: this program may use 1 core";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
    let claims = claims(&ended);
    assert!(!claims.contains(&"running at once: both".to_owned()));
    assert_eq!(claims.len(), 8, "{claims:?}");
}

#[test]
fn where_cores_may_not_be_chosen_nothing_is_claimed() {
    let ended = restricted(forbid_to_choose_cores);
    let said = |words: &str| ended.stdout.matches(words).count();
    assert_eq!(said("not shown here"), 6, "{}", ended.stdout);
    assert_eq!(said("EPERM"), 6, "{}", ended.stdout);
    assert_eq!(claims(&ended), [""; 0]);
}

/// From now on sched_setaffinity(2) says EPERM, as in some containers.
#[expect(unsafe_code, reason = "nix has no seccomp(2)")]
fn forbid_to_choose_cores() -> io::Result<()> {
    let line = |code: u32, jt, k: u32| libc::sock_filter {
        code: code as u16,
        jt,
        jf: 0,
        k,
    };
    let call = libc::SYS_sched_setaffinity as u32;
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    let mut lines = [
        // The number of the call is the first word of what is looked at.
        line(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        line(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, call),
        line(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
        line(libc::BPF_RET | libc::BPF_K, 0, refuse),
    ];
    let filter = libc::sock_fprog { len: 4, filter: lines.as_mut_ptr() };
    // SAFETY: prctl(2) reads the filter, which lives longer than the call.
    let forbidden = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(
                libc::PR_SET_SECCOMP,
                libc::SECCOMP_MODE_FILTER,
                &raw const filter,
            ) == 0
    };
    if forbidden { Ok(()) } else { Err(io::Error::last_os_error()) }
}
