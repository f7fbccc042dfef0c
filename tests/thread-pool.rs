//! Lesson 22: never more at work than there are workers, and each job once;
//! and what the executor promises beyond its steps.

// What the lesson has built is tested here without the lesson around it.
#[path = "../lessons/22-thread-pool/src/executor.rs"]
mod executor;
#[path = "../lessons/22-thread-pool/src/future.rs"]
mod future;

use crossbeam_channel::{bounded, unbounded};
use executor::{Executor, as_completed};
use future::{Future, JobError};
use serde_json::{Value, json};
use shared::trace::{Event, Phase};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use testkit::{Change, Check, Lesson, Run, happened};
use testkit::{noted, open_spans};

const LESSON: Lesson = Lesson {
    package: "thread-pool",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_thread-pool"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "ten_jobs",
            claim: "at once: all ten",
            proven: |events| {
                open_spans(events, "works").iter().max() == Some(&10)
            },
            broken: FIVE_WORKERS,
        },
        Check {
            step: "ten_jobs",
            claim: "each job once",
            proven: |events| {
                let jobs = happened(events, "job").map(|event| {
                    let number = event.args["value"].as_u64();
                    1_u64 << number.expect("a job has a number")
                });
                // Each of the bits 1 to 10, and each of them once.
                let jobs: Vec<u64> = jobs.collect();
                jobs.len() == 10
                    && jobs.iter().fold(0, |all, job| all | job) == 0x7fe
            },
            broken: ONE_JOB_TWICE,
        },
        Check {
            step: "ten_jobs",
            claim: "the result of the tenth future",
            proven: |events| {
                let results = noted(events, "main", "results");
                results == json!([1, 4, 9, 16, 25, 36, 49, 64, 81, 100])
            },
            broken: ONE_JOB_TWICE,
        },
        Check {
            step: "as_completed",
            claim: "the result that comes first: job",
            proven: |events| noted(events, "main", "result of job") == 2,
            broken: (
                "results.rs",
                "executor::as_completed(futures)",
                "futures",
            ),
        },
        Check {
            step: "callback",
            claim: "added before: called by",
            proven: |events| {
                // The second is called by the thread that did the job.
                let callers = threads(happened(events, "callback"));
                let worker = threads(happened(events, "job 1"));
                callers.len() == 3 && callers[..2] == [worker[0], worker[0]]
            },
            broken: (
                "future.rs",
                "let _ = panic::catch_unwind(called);",
                "(called.0)();",
            ),
        },
        Check {
            step: "callback",
            claim: "added after: called by",
            proven: |events| {
                let callers = threads(happened(events, "callback"));
                callers.last() == threads(happened(events, "waits")).first()
            },
            broken: (
                "future.rs",
                "if state.done() {\n            drop(state); //",
                "if false {\n            drop(state); //",
            ),
        },
        Check {
            step: "never_run",
            claim: "cancelled: only the job that waits",
            proven: only_the_second_is_cancelled,
            broken: ("future.rs", "None if !state.begun =>", "None =>"),
        },
        Check {
            step: "never_run",
            claim: "cancelled: only the job that waits",
            proven: only_the_second_is_cancelled,
            broken: (
                "future.rs",
                "None if !state.begun =>",
                "None if false =>",
            ),
        },
        Check {
            step: "never_run",
            claim: "close waits for nobody",
            proven: |events| {
                place(events, "close returns, the first is done")
                    < end(events, "job 1")
            },
            broken: (
                "results.rs",
                "pool.close();\n        main.note(\"close returns",
                "go.send(())?;\n pool.shutdown();\n main.note(\"close returns",
            ),
        },
        Check {
            step: "never_run",
            claim: "submit after close: refused",
            proven: |events| {
                let late = noted(events, "main", "submit after close");
                late == "the executor is closed"
            },
            broken: NOT_CLOSED_NOT_CANCELLED,
        },
        Check {
            step: "never_run",
            claim: "shutdown waits for what is begun",
            proven: |events| {
                let returns = "shutdown returns, the first is done";
                let ends = end(events, "job 1");
                ends.is_some() && ends < place(events, returns)
            },
            broken: (
                "results.rs",
                "go.send(())?;\n        \
                 main.span(\"waits\", || pool.shutdown());\n        \
                 main.note(\"shutdown returns, the first is done\", \
                 first.is_done());",
                "pool.close();\n        \
                 main.note(\"shutdown returns, the first is done\", \
                 first.is_done());\n \
                 go.send(())?;",
            ),
        },
        Check {
            step: "never_run",
            claim: "jobs that were run: the first",
            proven: |events| {
                let ran = |job: &str| happened(events, job).count();
                ["job 1", "job 2", "job 3", "job 4"].map(ran) == [1, 0, 0, 0]
            },
            broken: NOT_CLOSED_NOT_CANCELLED,
        },
        Check {
            step: "job_panics",
            claim: "jobs done: the other two",
            proven: |events| {
                let each = |name| told(events, name).ends_with(" each");
                ["4 guests", "0 guests", "3 guests"].map(each)
                    == [true, false, true]
            },
            broken: NOBODY_PANICS,
        },
        Check {
            step: "job_panics",
            claim: "what the panic said reaches `result`",
            proven: |events| {
                told(events, "0 guests").contains("divide by zero")
            },
            broken: NOBODY_PANICS,
        },
        Check {
            step: "job_panics",
            claim: "by one and the same worker",
            proven: |events| {
                let mut workers = threads(happened(events, "works"));
                workers.dedup();
                workers.len() == 1
            },
            broken: (
                "faults.rs",
                "let pool = Executor::new(scope, 1)?;\n        \
                 for guests in [4, 0, 3] {",
                "for guests in [4, 0, 3] {\n \
                 let pool = Executor::new(scope, 1)?;",
            ),
        },
        Check {
            step: "job_waits_for_job",
            claim: "one worker: not done in time",
            proven: |events| in_time(events).first() == Some(&json!(false)),
            broken: ALWAYS_TWO,
        },
        Check {
            step: "job_waits_for_job",
            claim: "one worker: inner began when outer had ended",
            proven: |events| {
                let ends = end(events, "outer");
                ends.is_some() && ends < place(events, "inner")
            },
            broken: ALWAYS_TWO,
        },
        Check {
            step: "job_waits_for_job",
            claim: "two workers: done in time",
            proven: |events| in_time(events).get(1) == Some(&json!(true)),
            broken: (
                "faults.rs",
                "(&tracks, 2, stage.time(100.0))",
                "(&tracks, 1, stage.time(1.0))",
            ),
        },
        Check {
            step: "twenty_five_jobs",
            claim: "with either each of the 25 jobs once",
            proven: |events| {
                ["executor", "rayon"].iter().all(|way| {
                    let name = format!("job of {way}");
                    let jobs = happened(events, &name);
                    let jobs: Vec<_> = jobs
                        .filter_map(|job| job.args["value"].as_u64())
                        .collect();
                    jobs.len() == 25
                        && (1..=25).all(|number| jobs.contains(&number))
                })
            },
            broken: (
                "line.rs",
                "work(\"executor\", n)",
                "work(\"executor\", n.min(24))",
            ),
        },
        Check {
            step: "twenty_five_jobs",
            claim: "at once: ten, never more",
            proven: ten_and_never_more,
            broken: FIVE_WORKERS,
        },
        Check {
            step: "twenty_five_jobs",
            claim: "at once: ten, never more",
            proven: ten_and_never_more,
            // So many that some of them begin while the first ten are held.
            broken: (
                "executor.rs",
                "for number in 1..=workers {",
                "for number in 1..=2 * workers {",
            ),
        },
        Check {
            step: "twenty_five_jobs",
            claim: "the results are the same",
            proven: |events| {
                let results = noted(events, "main", "results");
                let results = results.as_array().cloned().unwrap_or_default();
                let (one, other) = results.split_at(results.len() / 2);
                !one.is_empty() && one == other
            },
            broken: ("line.rs", "work(\"rayon\", n)", "work(\"rayon\", n + 1)"),
        },
    ]);
}

const FIVE_WORKERS: Change =
    ("main.rs", "const WORKERS: usize = 10;", "const WORKERS: usize = 5;");

const ONE_JOB_TWICE: Change =
    ("main.rs", "move || work(job)", "move || work(job.min(9))");

/// The fourth job comes before it is closed, and the third is not cancelled.
const NOT_CLOSED_NOT_CANCELLED: Change = (
    "results.rs",
    "pool.close();
        main.note(\"close returns, the first is done\", first.is_done());
        let late = pool.submit(|| work(&tracks, \"job 4\", || ()));
        main.note(\"submit after close\", said(&late));
        main.say(\"cancels whatever still waits\");
        pool.cancel_waiting();",
    "let late = pool.submit(|| work(&tracks, \"job 4\", || ()));
        main.note(\"submit after close\", said(&late));
        pool.close();
        main.note(\"close returns, the first is done\", first.is_done());",
);

fn only_the_second_is_cancelled(events: &[Event]) -> bool {
    let name = "cancel the first, the second";
    noted(events, "main", name) == json!([false, true])
}

fn ten_and_never_more(events: &[Event]) -> bool {
    let peak = |way| open_spans(events, way).into_iter().max();
    ["executor", "rayon"].map(peak) == [Some(10); 2]
}

const NOBODY_PANICS: Change =
    ("faults.rs", "12 / guests\n", "12 / guests.max(1)\n");

const ALWAYS_TWO: Change = (
    "faults.rs",
    "(&tracks, 1, stage.time(1.5))",
    "(&tracks, 2, stage.time(100.0))",
);

fn threads<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<i32> {
    events.map(|event| event.tid).collect()
}

/// Where `name` first begins or happens.
fn place(events: &[Event], name: &str) -> Option<usize> {
    events.iter().position(|event| event.name == name)
}

/// Where the first span called `name` ends.
fn end(events: &[Event], name: &str) -> Option<usize> {
    let ends = |event: &Event| event.ph == Phase::End && event.name == name;
    events.iter().position(ends)
}

fn told(events: &[Event], name: &str) -> String {
    noted(events, "main", name).as_str().unwrap_or_default().to_owned()
}

fn in_time(events: &[Event]) -> Vec<Value> {
    let told = happened(events, "inner is done in time");
    told.map(|event| event.args["value"].clone()).collect()
}

/// So few are allowed that the executor gets some of its workers, not all.
#[test]
fn no_thread_to_be_had() {
    for step in LESSON.steps() {
        for limit in [2, 6] {
            // More than that many threads are needed by these alone.
            let many = ["ten_jobs", "twenty_five_jobs", "price"];
            if limit == 6 && !many.contains(&step.as_str()) {
                continue;
            }
            let args = ["--speed", "20", "--step", &step];
            let run = Run::of_few(LESSON, limit, &args);
            run.end().refused(1, &["ulimit -u"]);
        }
    }
}

/// Runs `body`, which ends by itself.
fn ends(body: impl FnOnce() + Send + 'static) {
    let (tell, told) = bounded(1);
    let test = thread::spawn(move || {
        body();
        let _ = tell.send(());
    });
    let ended = told.recv_timeout(Duration::from_secs(60));
    match ended {
        Ok(()) => test.join().expect("it has come to its end"),
        Err(error) if error.is_timeout() => panic!("it does not end"),
        Err(_) => std::panic::resume_unwind(
            test.join().expect_err("it has not told its end"),
        ),
    }
}

const LONG: Duration = Duration::from_secs(30);

#[test]
fn many_may_ask_for_a_result_and_again() {
    ends(|| {
        let (go, may_go) = bounded::<()>(0);
        thread::scope(|scope| {
            let pool = Executor::new(scope, 1).unwrap();
            let job = pool
                .submit(move || {
                    let _ = may_go.recv();
                    "done"
                })
                .unwrap();
            assert_eq!(
                job.result_timeout(Duration::ZERO),
                Err(JobError::TimedOut)
            );
            assert!(!job.is_done());
            let asking = [0; 3].map(|_| {
                let job = job.clone();
                scope.spawn(move || job.result())
            });
            drop(go);
            for asked in asking {
                assert_eq!(asked.join().unwrap(), Ok("done"));
            }
            assert_eq!(job.result(), Ok("done"));
            assert_eq!(job.result_timeout(Duration::ZERO), Ok("done"));
            assert!(job.is_done());
        });
    });
}

#[test]
fn only_what_has_not_begun_is_cancelled() {
    ends(|| {
        let (go, may_go) = bounded::<()>(0);
        let (tell, begun) = bounded(1);
        thread::scope(|scope| {
            let pool = Executor::new(scope, 1).unwrap();
            let first = pool.submit(move || {
                let _ = tell.send(());
                let _ = may_go.recv();
            });
            let first = first.unwrap();
            let second = pool.submit(|| ()).unwrap();
            begun.recv().unwrap();
            assert!(!first.cancel());
            let (tell, called) = unbounded();
            second.on_done(move |job| {
                let _ = tell.send((thread::current().id(), job.result()));
            });
            assert!(second.cancel());
            // Whoever cancels calls, before it returns.
            let here = thread::current().id();
            assert_eq!(called.try_recv(), Ok((here, Err(JobError::Cancelled))));
            assert!(second.cancel());
            assert!(second.is_done());
            assert_eq!(second.result(), Err(JobError::Cancelled));
            drop(go);
            assert_eq!(first.result(), Ok(()));
            assert!(!first.cancel());
            pool.shutdown();
            assert!(called.try_recv().is_err());
        });
    });
}

#[test]
fn callbacks_are_called_in_order_and_once() {
    ends(|| {
        let called = Mutex::new(Vec::new());
        let (go, may_go) = bounded::<()>(0);
        thread::scope(|scope| {
            let pool = Executor::new(scope, 1).unwrap();
            let job = pool.submit(move || {
                let _ = may_go.recv();
                7
            });
            let job = job.unwrap();
            for number in 0..3 {
                let called = &called;
                job.on_done(move |job| {
                    called.lock().unwrap().push((number, job.result()));
                    assert!(number > 0, "the first panics");
                });
            }
            // One that asks, and adds another one.
            let called = &called;
            job.on_done(move |job| {
                job.on_done(move |job| {
                    called.lock().unwrap().push((3, job.result()));
                });
            });
            drop(go);
            pool.submit(|| ()).unwrap().result().unwrap();
            let result = Ok(7);
            let four = [0, 1, 2, 3].map(|number| (number, result.clone()));
            assert_eq!(*called.lock().unwrap(), four);
            // Now it is called here, and a panic of it ends here.
            let before = thread::current().id();
            job.on_done(move |_| {
                assert_eq!(thread::current().id(), before);
                called.lock().unwrap().push((4, Ok(0)));
                panic!("nobody is hurt");
            });
            assert_eq!(called.lock().unwrap().len(), 5);
        });
    });
}

#[test]
fn a_worker_outlives_every_panic() {
    struct Bad;
    impl Drop for Bad {
        fn drop(&mut self) {
            assert!(thread::panicking(), "dropped");
        }
    }
    ends(|| {
        let number = 7;
        let (go, may_go) = bounded::<()>(0);
        thread::scope(|scope| {
            let pool = Executor::new(scope, 1).unwrap();
            let plain = pool.submit(|| panic!("plain")).unwrap();
            let made = pool.submit(|| panic!("made of {number}")).unwrap();
            let odd = pool.submit(|| std::panic::panic_any(number)).unwrap();
            let said = |job: Future<()>| match job.result() {
                Err(JobError::Panicked(why)) => why,
                other => panic!("{other:?}"),
            };
            let all = [plain, made, odd].map(said);
            assert_eq!(all, ["plain", "made of 7", "it did not say why"]);
            // Nobody wants the result: the worker drops it.
            let bad = pool.submit(move || {
                let _ = may_go.recv();
                Bad
            });
            drop(bad);
            drop(go);
            assert_eq!(pool.submit(|| number).unwrap().result(), Ok(7));
            let text = JobError::Panicked("plain".into()).to_string();
            assert_eq!(text, "the job panicked: plain");
        });
    });
}

#[test]
fn what_was_handed_in_is_done_after_it_is_closed_or_dropped() {
    ends(|| {
        let done = AtomicUsize::new(0);
        let work = || {
            done.fetch_add(1, Relaxed);
        };
        thread::scope(|scope| {
            let pool = Executor::new(scope, 2).unwrap();
            let jobs = [0; 100].map(|_| pool.submit(work).unwrap());
            pool.close();
            assert!(pool.submit(work).is_err());
            pool.shutdown();
            assert!(jobs.iter().all(Future::is_done));
            pool.shutdown(); // nothing is left to wait for
            assert!(pool.submit(work).is_err());
            let pool = Executor::new(scope, 2).unwrap();
            for _ in 0..100 {
                pool.submit(work).unwrap();
            }
        });
        assert_eq!(done.into_inner(), 200);
    });
}

#[test]
fn cancelled_together_nobody_waits_for_them() {
    ends(|| {
        let (go, may_go) = bounded::<()>(0);
        let (tell, begun) = bounded(1);
        thread::scope(|scope| {
            let pool = Executor::new(scope, 1).unwrap();
            let first = pool.submit(move || {
                let _ = tell.send(());
                let _ = may_go.recv();
            });
            let others = [0; 20].map(|_| pool.submit(|| ()).unwrap());
            begun.recv().unwrap();
            pool.cancel_waiting();
            for job in &others {
                assert_eq!(job.result(), Err(JobError::Cancelled));
            }
            // It is not closed by that.
            let late = pool.submit(|| ()).unwrap();
            drop(go);
            assert_eq!(late.result(), Ok(()));
            assert_eq!(first.unwrap().result(), Ok(()));
        });
    });
}

#[test]
fn who_would_wait_for_itself_is_told() {
    ends(|| {
        thread::scope(|scope| {
            assert!(Executor::new(scope, 0).is_err());
            let pool = Arc::new(Executor::new(scope, 1).unwrap());
            let own = Arc::clone(&pool);
            let job = pool.submit(move || own.shutdown()).unwrap();
            let error = job.result_timeout(LONG).unwrap_err().to_string();
            assert!(error.contains("cannot wait"), "{error}");
            assert_eq!(pool.submit(|| 7).unwrap().result(), Ok(7));
        });
    });
}

#[test]
fn completed_are_all_and_each_once() {
    ends(|| {
        thread::scope(|scope| {
            let pool = Executor::new(scope, 3).unwrap();
            let jobs = (0..100).map(|n| pool.submit(move || n).unwrap());
            let jobs: Vec<Future<i32>> = jobs.collect();
            for job in jobs.iter().step_by(7) {
                job.cancel();
            }
            let cancelled = |job: &&Future<i32>| job.result().is_err();
            let completed: Vec<_> = as_completed(jobs.clone()).collect();
            assert_eq!(completed.len(), 100);
            let mut results: Vec<i32> =
                completed.iter().flat_map(Future::result).collect();
            results.sort_unstable();
            let expected = jobs.iter().flat_map(Future::result);
            assert!(expected.eq(results));
            let count = completed.iter().filter(cancelled).count();
            assert_eq!(count, jobs.iter().filter(cancelled).count());
            // Who stops listening disturbs nobody.
            let jobs = (0..10).map(|n| pool.submit(move || n).unwrap());
            assert!(as_completed(jobs).next().is_some());
            assert_eq!(as_completed(Vec::<Future<i32>>::new()).count(), 0);
        });
    });
}

/// Many hand in, cancel, ask and add callbacks at once: each job is run once
/// or cancelled, its callback is called once, and both agree.
#[test]
fn each_job_is_run_once_or_cancelled() {
    const THREADS: usize = 4;
    const JOBS: usize = 2_000;
    ends(|| {
        let (ran, called) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let cancelled = AtomicUsize::new(0);
        thread::scope(|scope| {
            let pool = Arc::new(Executor::new(scope, 3).unwrap());
            let hands_in = |_| {
                let pool = Arc::clone(&pool);
                let (ran, called) = (&ran, &called);
                let cancelled = &cancelled;
                scope.spawn(move || {
                    let jobs: Vec<_> = (0..JOBS)
                        .map(|_| {
                            let work = || {
                                ran.fetch_add(1, Relaxed);
                            };
                            let job = pool.submit(work).unwrap();
                            let call = || {
                                called.fetch_add(1, Relaxed);
                            };
                            job.on_done(move |_| call());
                            job
                        })
                        .collect();
                    let taken_back =
                        jobs.iter().rev().filter(|job| job.cancel()).count();
                    cancelled.fetch_add(taken_back, Relaxed);
                    let errors =
                        jobs.iter().filter(|job| job.result().is_err()).count();
                    assert_eq!(errors, taken_back);
                })
            };
            let threads: Vec<_> = (0..THREADS).map(hands_in).collect();
            for thread in threads {
                thread.join().unwrap();
            }
            pool.shutdown();
        });
        let (ran, cancelled) = (ran.into_inner(), cancelled.into_inner());
        assert_eq!(ran + cancelled, THREADS * JOBS);
        assert_eq!(called.into_inner(), THREADS * JOBS);
    });
}
