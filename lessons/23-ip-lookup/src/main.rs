//! IP look-up: 24 addresses, 24 threads.
//!
//! A service on the network knows in which city an address is, and takes its
//! time to say so. What do threads help one who only waits?

mod addresses;
mod faults;
mod local;
mod options;
mod price;
mod row;
mod service;
mod told;

use local::{Meet, open};
use options::Options;
use price::in_look_ups;
use row::Row;
use service::ask;
use shared::lesson::{at_least, below, between, equals};
use shared::{Stage, Track, lesson};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use told::{complete, finish, table};

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

/// One thread asks for one address after the other; the local site invents the
/// places. How many look-ups does it have at once, and how long do all take?
///
/// - [x] one; as long as 24 look-ups
/// - [ ] a few; less than 24 look-ups: it asks ahead while it waits
/// - [ ] all 24; as long as one look-up: to wait costs nothing
fn one_by_one(stage: &Stage) -> shared::Result {
    let mut rows = addresses::chosen(stage)?;
    let (_site, service) = open(stage, Meet(1))?;
    let main = stage.track("main");
    for row in &mut rows {
        ask(&main, &service, row);
        main.say(row.to_string());
    }
    let Some(at_once) = service.at_once()? else {
        return finish(stage, &rows);
    };
    stage.claim("every row is complete", complete(&rows), equals(24));
    stage.claim("at once at the site: one", at_once, equals(1));
    let took = in_look_ups(stage)?;
    stage.claim("as long as so many look-ups: from 24", took, at_least(24.0));
    Ok(())
}

/// A thread for each address; the site answers when all of them have asked.
/// How long do they take now?
///
/// - [ ] as long as before: a core can only ask for one at a time
/// - [x] less than half as long: all of them wait at once
fn a_thread_each(stage: &Stage) -> shared::Result {
    let mut rows = addresses::chosen(stage)?;
    let (_site, service) = &open(stage, Meet(rows.len()))?;
    thread::scope(|scope| {
        for row in &mut rows {
            let track = stage.track(row.address.to_string());
            scope.spawn(move || ask(&track, service, row));
        }
    });
    let Some(at_once) = service.at_once()? else {
        table(stage, &rows);
        return finish(stage, &rows);
    };
    stage.claim("every row is complete", complete(&rows), equals(24));
    stage.claim("at once at the site: all", at_once, equals(24));
    let waiting = stage.trace()?.peak("waits");
    stage.claim("at once as the threads tell: all", waiting, equals(24));
    let took = in_look_ups(stage)?;
    stage.claim("as long as so many look-ups: below 12", took, below(12.0));
    Ok(())
}

/// Six threads share the list; whoever is free takes the next address. How
/// long does it take with six at once?
///
/// - [ ] as long as one look-up: six ask at once
/// - [ ] as long as 24: each look-up takes its time
/// - [x] as long as four look-ups at least, and far fewer than 24
fn six_threads(stage: &Stage) -> shared::Result {
    let mut rows = addresses::chosen(stage)?;
    let (_site, service) = open(stage, Meet(THREADS.min(rows.len())))?;
    share(stage, &mut rows, THREADS, |thread, row| {
        ask(thread, &service, row);
        thread.say(row.to_string());
    });
    let Some(at_once) = service.at_once()? else {
        return finish(stage, &rows);
    };
    let asked = stage.trace()?.count("filled");
    stage.claim("look-ups: as many as rows", asked, equals(24));
    stage.claim("every row is complete", complete(&rows), equals(24));
    stage.claim("at once at the site: six, never more", at_once, equals(6));
    let took = in_look_ups(stage)?;
    stage.claim("as long as so many look-ups: 4-12", took, between(4.0, 12.0));
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
