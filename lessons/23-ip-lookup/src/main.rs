//! IP look-up: 24 addresses, 24 threads.
//!
//! A service on the network knows in which city an address is, and takes its
//! time to say so. What do threads help one who only waits?

mod addresses;
mod faults;
mod price;
mod row;
mod service;

use addresses::rows;
use price::time;
use row::{Row, finish, table};
use service::{Options, Service, open};
use shared::lesson::{at_least, below, equals};
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;

const THREADS: usize = 6;

fn main() -> ExitCode {
    lesson![
        one_by_one,
        a_thread_each,
        six_threads,
        faults::each_row_says_why,
        price::how_many_pay;
        service, row,
    ]
    .with::<Options>()
    .run()
}

/// One thread asks for one address after the other. How many look-ups does the
/// site have at once, and how long do all of them take?
fn one_by_one(stage: &Stage) -> shared::Result {
    let mut rows = rows(stage)?;
    let (_site, service) = open(stage, 1)?;
    let main = stage.track("main");
    for row in &mut rows {
        ask(&main, &service, row);
        main.say(row.to_string());
    }
    let Some(at_once) = service.at_once()? else {
        return finish(stage, &rows);
    };
    stage.claim("at once at the site: one", at_once, equals(1));
    stage.claim("time, in look-ups: all", time(stage)?, at_least(24.0));
    Ok(())
}

fn ask(track: &Track, service: &Service, row: &mut Row) {
    track.span("asks", || service.look_up(row));
    track.mark_with("filled", [("row", row.to_string().into())]);
}

/// A thread for each address, all of them at once. How long do they take now?
fn a_thread_each(stage: &Stage) -> shared::Result {
    let mut rows = rows(stage)?;
    let (_site, service) = &open(stage, rows.len())?;
    thread::scope(|scope| {
        for row in &mut rows {
            let track = stage.track(row.address.to_string());
            scope.spawn(move || ask(&track, service, row));
        }
    });
    table(stage, &rows);
    let Some(at_once) = service.at_once()? else {
        return finish(stage, &rows);
    };
    let complete = rows.iter().all(|row| row.place.is_ok());
    stage.claim("every row is complete", complete, equals(true));
    stage.claim("at once at the site: all", at_once, equals(24));
    let asking = stage.trace()?.peak("asks");
    stage.claim("threads that ask at once: all", asking, equals(24));
    stage.claim("time, in look-ups: far less", time(stage)?, below(12.0));
    Ok(())
}

/// Six threads share the list; whoever is free takes the next address. How
/// long does it take with six at once?
fn six_threads(stage: &Stage) -> shared::Result {
    let mut rows = rows(stage)?;
    let (_site, service) = open(stage, THREADS.min(rows.len()))?;
    share(stage, &mut rows, THREADS, |thread, row| {
        ask(thread, &service, row);
        thread.say(row.to_string());
    });
    let Some(at_once) = service.at_once()? else {
        return finish(stage, &rows);
    };
    let asked = stage.trace()?.count("filled");
    stage.claim("look-ups: one a row", asked, equals(rows.len()));
    stage.claim("at once at the site: six, never more", at_once, equals(6));
    stage.claim(
        "time, in look-ups: 24 / 6 at least",
        time(stage)?,
        at_least(4.0),
    );
    Ok(())
}

fn share<F>(stage: &Stage, rows: &mut [Row], threads: usize, work: F)
where
    F: Fn(&Track, &mut Row) + Sync,
{
    let (list, work) = (&Mutex::new(rows.iter_mut()), &work);
    thread::scope(|scope| {
        for n in 1..=threads {
            let track = stage.track(format!("thread {n}"));
            scope.spawn(move || {
                while let Some(row) = next(list) {
                    work(&track, row);
                }
            });
        }
    });
}

/// The list is locked while a row is taken from it, not while it is filled.
fn next<T>(list: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    list.lock().unwrap_or_else(PoisonError::into_inner).next()
}
