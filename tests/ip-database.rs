//! Lesson 29: what is found is in the table, once; what is not is named. In
//! SQLite, and in a MariaDB where there is one.

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::site::DeadEnd;
use shared::trace::{Event, Phase, Trace};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, query_as};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use testkit::{
    Change, Check, Ended, Lesson, Run, happened, may_mount, not_run, noted,
    open_spans, serve,
};
use tokio::runtime::Builder;

#[path = "../lessons/29-ip-database/src/connect.rs"]
mod connect;
#[path = "../lessons/29-ip-database/src/place.rs"]
mod place;
#[allow(dead_code, reason = "of its advice the tests read in the lesson")]
#[path = "../lessons/29-ip-database/src/trouble.rs"]
mod trouble;

const LESSON: Lesson = Lesson {
    package: "ip-database",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_ip-database"),
};

testkit::battery!(LESSON);

/// A part of each URL, which nobody is ever to read.
const SECRET: &str = "gehe1m";

const STORE: &str = "look_up_and_store";

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: STORE,
            claim: "rows: as many as were found",
            proven: |events| found(events).len() == 10 && all_stored(events),
            broken: ONE_LEFT_OUT,
        },
        Check {
            step: STORE,
            claim: "batches",
            proven: |events| {
                let spans =
                    events.iter().filter(|event| event.name == "stores");
                spans.filter(|event| event.ph == Phase::End).count() == 2
            },
            broken: (
                "main.rs",
                "if batch.len() == BATCH {",
                "if batch.len() == 1 {",
            ),
        },
        Check {
            step: STORE,
            claim: "threads that look up",
            proven: |events| {
                let spans = happened(events, "looks up");
                let threads: BTreeSet<i32> =
                    spans.map(|event| event.tid).collect();
                threads.len() == 1
            },
            broken: A_THREAD_EACH,
        },
        Check {
            step: STORE,
            claim: "look-ups at once: all",
            proven: |events| {
                open_spans(events, "looks up").into_iter().max() == Some(10)
            },
            broken: ONE_BY_ONE,
        },
        Check {
            step: "three_fail",
            claim: "look-ups that succeed",
            proven: |events| found(events).len() == 7,
            broken: CONTENT_WITH_NOTHING,
        },
        Check {
            step: "three_fail",
            claim: "rows: as many as succeed",
            proven: |events| found(events).len() == 7 && all_stored(events),
            broken: ONE_LEFT_OUT,
        },
        Check {
            step: "three_fail",
            claim: "those that are named",
            proven: |events| {
                let failed = happened(events, "fails");
                let failed: BTreeSet<&str> =
                    failed.map(|event| event.track.as_str()).collect();
                failed == ["193.0.14.129", "77.88.8.8", "8.8.8.8"].into()
            },
            broken: CONTENT_WITH_NOTHING,
        },
        Check {
            step: "twice_is_not_double",
            claim: "rows that the second time adds",
            proven: |events| {
                happened(events, "found").count() == 20
                    && noted(events, "table", "rows") == 10
                    && noted(events, "table", "rows now") == 10
            },
            broken: (
                "main.rs",
                "row.push_bind(found.ip.to_string());",
                "static ROWS: std::sync::atomic::AtomicU32 =
                    std::sync::atomic::AtomicU32::new(0);
                let n = ROWS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                row.push_bind(format!(\"{} {n}\", found.ip));",
            ),
        },
        Check {
            step: "twice_is_not_double",
            claim: "every row keeps its id",
            proven: |events| {
                let ids = |name| {
                    let ids = noted(events, "table", name);
                    ids.as_array().cloned().unwrap_or_default()
                };
                ids("ids").len() == 10 && ids("ids") == ids("ids now")
            },
            broken: (
                "twice.rs",
                "let again = fill(",
                "store.remove(&addresses).await?;\nlet again = fill(",
            ),
        },
        Check {
            step: "bound_not_pasted",
            claim: "pasted, a quote: stored",
            proven: |events| noted(events, "pasted", "a quote") == json!([]),
            broken: BOUND_BOTH_TIMES,
        },
        Check {
            step: "bound_not_pasted",
            claim: "pasted, an attack: rows of one",
            proven: |events| {
                noted(events, "pasted", "an attack") == json!(["U", "smuggled"])
            },
            broken: BOUND_BOTH_TIMES,
        },
        Check {
            step: "bound_not_pasted",
            claim: "bound, a quote",
            proven: |events| {
                noted(events, "bound", "a quote") == json!(["L'Aquila"])
            },
            broken: PASTED_BOTH_TIMES,
        },
        Check {
            step: "bound_not_pasted",
            claim: "bound, an attack",
            proven: |events| {
                let one = json!(["U', 'N'), ('203.0.113.6', 'smuggled"]);
                noted(events, "bound", "an attack") == one
            },
            broken: PASTED_BOTH_TIMES,
        },
        Check {
            step: "refused",
            claim: "rows of five",
            proven: |events| {
                let cities: Vec<String> =
                    rows(events).into_values().map(|row| row.0).collect();
                cities.len() == 4 && cities.iter().all(|city| city.len() <= 40)
            },
            broken: WIDER,
        },
        Check {
            step: "refused",
            claim: "who is named",
            proven: |events| {
                let rows = rows(events);
                let four =
                    ["1.1.1.1", "114.114.114.114", "77.88.8.8", "8.8.8.8"];
                rows.keys().map(String::as_str).eq(four)
            },
            broken: WIDER,
        },
        Check {
            step: "refused",
            claim: "the missing column is named",
            proven: |events| {
                let said = noted(events, "writer", "the other table");
                let said = said.as_str().unwrap_or_default();
                said.contains("other.db; rename or drop it")
                    && said.contains("another one, no such column: city")
            },
            broken: (
                "refused.rs",
                "CREATE TABLE ips (id INTEGER, ip TEXT, place TEXT)",
                "CREATE TABLE ips (id INTEGER, ip TEXT UNIQUE, city TEXT, \
                 country TEXT)",
            ),
        },
        Check {
            step: "price",
            claim: "20 rows, a statement each",
            proven: |events| {
                let done = noted(events, "table", "20 rows, a statement each");
                done == json!([20, 20])
            },
            broken: ("price.rs", "rows.chunks(size)", "rows.chunks(20)"),
        },
        Check {
            step: "price",
            claim: "20 rows, one statement",
            proven: |events| {
                let done = noted(events, "table", "20 rows, one statement");
                done == json!([1, 20])
            },
            broken: (
                "price.rs",
                "rows.chunks(size)",
                "rows.chunks(size.min(10))",
            ),
        },
    ]);
}

const ONE_LEFT_OUT: Change =
    ("main.rs", "sql.push_values(batch,", "sql.push_values(&batch[1..],");

const A_THREAD_EACH: Change = (
    "main.rs",
    "let found = service.look_up(&track, ip).await?;",
    "let runtime = tokio::runtime::Handle::current();
     let asked = tokio::task::spawn_blocking(move || {
         runtime.block_on(service.look_up(&track, ip))
     });
     let found = asked.await.expect(\"it ends\")?;",
);

/// The site waits for the others, in vain.
const ONE_BY_ONE: Change = (
    "main.rs",
    "let found = service.look_up(&track, ip).await?;",
    "static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
     let alone = ALONE.lock().await;
     let found = service.look_up(&track, ip).await?;
     drop(alone);",
);

const CONTENT_WITH_NOTHING: Change = (
    "place.rs",
    "Success { city: String, country: String }",
    "Success { #[serde(default)] city: String, \
     #[serde(default)] country: String }",
);

const BOUND_BOTH_TIMES: Change = (
    "quotes.rs",
    "let done = paste(store, &found).await;",
    "let _ = paste;
     let done = insert(store, std::slice::from_ref(&found)).await;",
);

const PASTED_BOTH_TIMES: Change = (
    "quotes.rs",
    "let done = insert(store, &[found]).await;",
    "let _ = insert; let done = paste(store, &found).await;",
);

const WIDER: Change =
    ("engine.rs", "CHECK (length(city) <= 40)", "CHECK (length(city) <= 99)");

/// By address: city and country.
type Places = BTreeMap<String, (String, String)>;

/// What the coroutines found.
fn found(events: &[Event]) -> Places {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = happened(events, "found").map(|event| {
        let place = (text(&event.args["city"]), text(&event.args["country"]));
        (event.track.clone(), place)
    });
    found.collect()
}

/// What was read back.
fn rows(events: &[Event]) -> Places {
    let rows = noted(events, "reader", "rows");
    let rows: Vec<[String; 3]> =
        serde_json::from_value(rows).unwrap_or_default();
    let rows = rows.into_iter();
    rows.map(|[ip, city, country]| (ip, (city, country))).collect()
}

fn all_stored(events: &[Event]) -> bool {
    rows(events) == found(events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_a_place_or_a_reason(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        check_place(&bytes);
    }

    #[test]
    fn what_is_nearly_an_answer_too(
        city in any::<String>(),
        country in "\\PC{0,300}",
        status in "(success|fail|[a-z]{0,3})",
        cut in any::<prop::sample::Index>(),
        flip in any::<(prop::sample::Index, u8)>(),
    ) {
        let answer = json!({
            "status": status, "city": city, "country": country,
            "message": city,
        });
        let mut bytes = answer.to_string().into_bytes();
        if status == "success" {
            let place = place::Place::read(&bytes);
            let place = place.map_err(TestCaseError::fail)?;
            let kept: String =
                city.chars().filter(|c| !c.is_control()).take(200).collect();
            prop_assert_eq!(place.city, kept);
        }
        check_place(&bytes[..cut.index(bytes.len())]);
        let at = flip.0.index(bytes.len());
        bytes[at] = flip.1;
        check_place(&bytes);
    }
}

/// Whatever is read has no end of lines and no end of text.
fn check_place(bytes: &[u8]) {
    let texts = match place::Place::read(bytes) {
        Ok(place) => [place.city, place.country],
        Err(why) => [why, String::new()],
    };
    for text in texts {
        assert!(text.chars().count() <= 200, "{text}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

/// Runs SQL, as somebody who is not the lesson.
fn sql(url: &str, statements: &[&str]) {
    let done = try_sql(url, statements);
    done.unwrap_or_else(|error| panic!("{url}: {error}"));
}

fn try_sql(url: &str, statements: &[&str]) -> sqlx::Result<()> {
    try_on(url, async |database| {
        for statement in statements {
            let statement = AssertSqlSafe((*statement).to_owned());
            database.execute(statement).await?;
        }
        Ok(())
    })
}

/// The rows of table ips: id, address, city.
fn table(url: &str) -> Vec<(i64, String, String)> {
    on(url, async |database| {
        let sql = "SELECT id, ip, city FROM ips ORDER BY id";
        query_as(sql).fetch_all(database).await
    })
}

fn on<T>(
    url: &str,
    work: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
) -> T {
    try_on(url, work).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn try_on<T>(
    url: &str,
    work: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(install_default_drivers);
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be had").block_on(async {
        let mut database = AnyConnection::connect(url).await?;
        let done = work(&mut database).await?;
        database.close().await?;
        Ok(done)
    })
}

/// An empty database that goes with the test.
enum Database {
    File(TempDir),
    /// Of the server of this machine.
    Named(String),
}

const SERVER: &str = "mysql://root@127.0.0.1:3306";

impl Database {
    fn sqlite() -> Self {
        Self::File(tempfile::tempdir().expect("there is room"))
    }

    /// One in MariaDB; none, said aloud, where none can be made.
    fn mariadb(test: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (pid, number) = (std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let name = format!("ip_database_{pid}_{number}");
        let sets = "CHARACTER SET utf8mb4";
        let create = format!("CREATE DATABASE {name} {sets}");
        if let Err(why) = try_sql(&format!("{SERVER}/test"), &[&create]) {
            not_run(
                &format!("ip-database: {test}"),
                &format!("{SERVER}/test cannot be used: {why}"),
            );
            return None;
        }
        Some(Self::Named(name))
    }

    /// One of each kind that there is.
    fn each(test: &str) -> Vec<Self> {
        [Some(Self::sqlite()), Self::mariadb(test)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn url(&self) -> String {
        match self {
            Self::File(place) => {
                format!("sqlite://{}/ips.db", place.path().display())
            }
            Self::Named(name) => format!("{SERVER}/{name}"),
        }
    }

    /// For somebody who also makes the file.
    fn made(&self) -> String {
        match self {
            Self::File(_) => self.url() + "?mode=rwc",
            Self::Named(_) => self.url(),
        }
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut run = Run::new(LESSON, args);
        run.command.args(["--database", &self.url()]);
        run
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Named(name) = self {
            let drop = format!("DROP DATABASE {name}");
            sql(&format!("{SERVER}/test"), &[&drop]);
        }
    }
}

#[test]
fn every_step_with_a_database_of_ones_own() {
    for database in Database::each("a database of one's own") {
        for round in 0..2 {
            let ended = database.run(&[]).end().well();
            assert_eq!(ended.trace.count("step"), LESSON.steps().len());
            let rows = table(&database.url());
            // Nothing that the other steps tried is left there.
            let ips: BTreeSet<&String> =
                rows.iter().map(|(_, ip, _)| ip).collect();
            assert_eq!((rows.len(), ips.len()), (10, 10), "{round}: {rows:?}");
            for (ip, (city, _)) in found(ended.trace.events()) {
                let ip = ip.trim_end_matches(" (2)");
                let stored = rows.iter().find(|row| row.1 == ip);
                assert_eq!(stored.map(|row| &row.2), Some(&city), "{ip}");
            }
        }
    }
}

#[test]
fn so_many_as_were_asked_for() {
    for count in [1, 5, 6, 24, 500_usize] {
        let database = Database::sqlite();
        let args = ["--step", STORE, "--count", &count.to_string()];
        let ended = database.run(&args).end().well();
        assert_eq!(table(&database.url()).len(), count);
        let batches = ended.trace.spans_named("stores").count();
        assert_eq!(batches, count.div_ceil(5));
    }
    for count in ["0", "501", "-1", "x", "1.5", ""] {
        let run = Run::new(LESSON, &["--count", count]).end();
        run.refused(2, &["give a whole number from 1 to 500"]);
    }
}

/// A service of this test, which answers as it is told; those for whom it is
/// told to wait, when it is opened.
struct Service {
    url: String,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Service {
    fn new(answer: fn(&str) -> Answer) -> Self {
        let open = Arc::new((Mutex::new(false), Condvar::new()));
        let door = Arc::clone(&open);
        let address = serve(move |client| {
            // Who leaves early is not this service's affair.
            let _ = attend(client, answer, &door);
        });
        Self { url: format!("http://{address}/json"), open }
    }

    fn open(&self) {
        *self.open.0.lock().expect("nobody panics") = true;
        self.open.1.notify_all();
    }
}

enum Answer {
    Now(String),
    Later(String),
}

fn attend(
    socket: TcpStream,
    answer: fn(&str) -> Answer,
    (open, opened): &(Mutex<bool>, Condvar),
) -> std::io::Result<()> {
    let mut lines = BufReader::new(&socket).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let text = match answer(path.rsplit('/').next().unwrap_or_default()) {
        Answer::Now(text) => text,
        Answer::Later(text) => {
            let shut = open.lock().expect("nobody panics");
            let wait = Duration::from_secs(30);
            let _ = opened.wait_timeout_while(shut, wait, |open| !*open);
            text
        }
    };
    (&socket).write_all(text.as_bytes())
}

fn http(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

fn city(city: &str) -> String {
    let answer = json!(
        {"status": "success", "city": city, "country": "Nowhere"}
    );
    http("200 OK", &answer.to_string())
}

#[test]
fn whatever_a_service_says_is_only_text() {
    let service = Service::new(|ip| {
        Answer::Now(city(match ip {
            "1.1.1.1" => "L'Aquila",
            "8.8.8.8" => "x'); DROP TABLE ips; --",
            "9.9.9.9" => "\"x\" ` \\ ? $1 %s {}",
            "77.88.8.8" => "\u{1b}[2J\u{0}Uto\npia",
            "114.114.114.114" => "\u{4e1c}\u{4eac} \u{1f5fc}",
            "119.29.29.29" => "",
            "192.5.5.241" => {
                "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\
                \u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\
                \u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\
                \u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\
                \u{e9}\u{e9}"
            }
            _ => "NULL",
        }))
    });
    for database in Database::each("text of a service") {
        let args = ["--url", &service.url, "--step", STORE];
        let ended = database.run(&args).end().well();
        assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
        let rows = table(&database.url());
        let stored = |ip| {
            let row = rows.iter().find(|row| row.1 == ip);
            row.map_or("", |row| row.2.as_str())
        };
        assert_eq!(rows.len(), 10);
        assert_eq!(stored("1.1.1.1"), "L'Aquila");
        assert_eq!(stored("8.8.8.8"), "x'); DROP TABLE ips; --");
        assert_eq!(stored("9.9.9.9"), "\"x\" ` \\ ? $1 %s {}");
        assert_eq!(stored("77.88.8.8"), "[2JUtopia");
        assert_eq!(
            stored("114.114.114.114"),
            "\u{4e1c}\u{4eac} \u{1f5fc}",
            "characters of four bytes"
        );
        assert_eq!(stored("119.29.29.29"), "");
        // As many characters as there is room for, of two bytes each.
        assert_eq!(stored("192.5.5.241").chars().count(), 40);
        assert_eq!(stored("223.5.5.5"), "NULL");
    }
}

#[test]
fn a_city_too_long_and_a_look_up_that_fails_are_named() {
    let service = Service::new(|ip| {
        Answer::Now(match ip {
            "9.9.9.9" => city(&"x".repeat(41)),
            "1.1.1.1" => http("429 Too Many Requests\r\nRetry-After: 60", ""),
            "8.8.8.8" => http("200 OK", "<html>who are you?</html>"),
            "77.88.8.8" => http("200 OK", r#"{"status": "success"}"#),
            "223.5.5.5" => String::new(),
            _ => city("Utopia"),
        })
    });
    for database in Database::each("rows that are named") {
        let args = ["--url", &service.url, "--step", STORE];
        let ended = database.run(&args).end();
        ended.refused(1, &["5 of 10 addresses are not stored", "again"]);
        let rows = table(&database.url());
        assert_eq!(rows.len(), 5, "{rows:?}");
        assert!(rows.iter().all(|row| row.2 == "Utopia"), "{rows:?}");
        let said = match database {
            Database::File(_) => "CHECK constraint failed: length(city) <= 40",
            Database::Named(_) => "Data too long for column 'city'",
        };
        for (ip, why) in [
            ("9.9.9.9", said),
            ("1.1.1.1", "429 Too Many Requests, again in 60 s"),
            ("8.8.8.8", "no JSON"),
            ("77.88.8.8", "missing field `city`"),
            ("223.5.5.5", "the connection ended early"),
        ] {
            let line = ended.stdout.lines().find(|line| {
                let line = line.trim_start();
                line.starts_with(&format!("{ip} ")) && line.contains(why)
            });
            assert!(line.is_some(), "{ip}: {why}: {}", ended.stdout);
        }
        // Only the local site makes all of them wait.
        let claims = ended.trace.count("claim");
        assert_eq!(claims, 3);
    }
}

#[test]
fn rows_of_an_earlier_run_are_told_apart() {
    let all = Service::new(|_| Answer::Now(city("Utopia")));
    let but_one = Service::new(|ip| {
        Answer::Now(match ip {
            "9.9.9.9" => http("503 Service Unavailable", ""),
            _ => city("Utopia"),
        })
    });
    for database in Database::each("rows of an earlier run") {
        let args = |service: &Service, step: &str| {
            ["--url", &service.url, "--step", step].map(str::to_owned)
        };
        let run = |service: &Service, step| {
            let args = args(service, step);
            database.run(&args.each_ref().map(String::as_str)).end()
        };
        run(&all, STORE).well();
        let ended = run(&but_one, STORE);
        ended.refused(1, &["1 of 10 addresses are not stored", "9.9.9.9"]);
        let row = "503 Service Unavailable; an earlier row stays";
        assert!(ended.stdout.contains(row), "{}", ended.stdout);
        assert!(!ended.stdout.contains('\u{2717}'), "{}", ended.stdout);
        let ended = run(&but_one, "twice_is_not_double");
        ended.refused(1, &["2 of 10 addresses are not stored"]);
        assert!(!ended.stdout.contains('\u{2717}'), "{}", ended.stdout);
        assert_eq!(table(&database.url()).len(), 10);
    }
}

/// Who is found only the second time is no row that is there twice.
#[test]
fn a_look_up_that_fails_only_the_first_time() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let service = Service::new(|ip| {
        Answer::Now(match ip {
            "1.1.1.1" if ASKED.fetch_add(1, Relaxed).is_multiple_of(2) => {
                http("503 Service Unavailable", "")
            }
            _ => city("Utopia"),
        })
    });
    for database in Database::each("found the second time") {
        let args = ["--url", &service.url, "--step", "twice_is_not_double"];
        let ended = database.run(&args).end();
        ended.refused(1, &["1 of 10 addresses are not stored", "1.1.1.1"]);
        assert!(!ended.stdout.contains('\u{2717}'), "{}", ended.stdout);
        assert_eq!(table(&database.url()).len(), 10);
    }
}

/// What MySQL says of a character that a column cannot have: number 1366, and
/// no SQLSTATE that would tell.
#[test]
fn a_value_refused_by_number_alone_is_of_one_row() {
    let Some(database) = Database::mariadb("refused by number") else { return };
    let service = Service::new(|ip| {
        Answer::Now(city(if ip == "9.9.9.9" { "Odd" } else { "Utopia" }))
    });
    let args = ["--url", &service.url, "--step", STORE];
    database.run(&args).end().well();
    sql(
        &database.url(),
        &[
            "DELETE FROM ips",
            "CREATE TRIGGER odd BEFORE INSERT ON ips FOR EACH ROW \
             IF NEW.city = 'Odd' THEN SIGNAL SQLSTATE 'HY000' \
             SET MYSQL_ERRNO = 1366, MESSAGE_TEXT = 'Incorrect string value'; \
             END IF",
        ],
    );
    let ended = database.run(&args).end();
    ended.refused(1, &["1 of 10", "9.9.9.9: Incorrect string value"]);
    assert_eq!(table(&database.url()).len(), 9);
}

/// Whoever panics after a server was silent is heard.
#[test]
fn a_silent_server_silences_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0");
    let listener = listener.expect("there is a free port");
    let address = listener.local_addr().expect("it has an address");
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(install_default_drivers);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be had");
    static HEARD: AtomicU32 = AtomicU32::new(0);
    const WORD: &str = "this panic is meant";
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| match panic.payload_as_str() {
        Some(WORD) => _ = HEARD.fetch_add(1, Relaxed),
        _ => before(panic),
    }));
    let options = format!("mysql://anna@{address}/test").parse();
    let options = options.expect("it is a URL");
    let opened = connect::connect(options, Duration::from_millis(100));
    let opened = runtime.block_on(opened);
    assert!(matches!(opened, Err(trouble::Trouble::Late)), "{opened:?}");
    assert!(thread::spawn(|| panic!("{WORD}")).join().is_err());
    assert_eq!(HEARD.load(Relaxed), 1);
}

#[test]
fn another_table_of_that_name_is_named_and_left_alone() {
    for database in Database::each("another table") {
        let another = ["is another one", "rename or drop it"];
        for (columns, words) in [
            ("id INTEGER, ip CHAR(9), place CHAR(9)", ["city", "column"]),
            ("host CHAR(9)", ["id", "column"]),
            (
                "id INTEGER, ip CHAR(45), city CHAR(40), country CHAR(40)",
                ["no key", "twice"],
            ),
            (
                "id INTEGER, ip CHAR(45), city CHAR(40), country CHAR(40), \
                 UNIQUE (ip, city)",
                ["no key", "twice"],
            ),
        ] {
            let create = format!("CREATE TABLE ips ({columns})");
            sql(&database.made(), &["DROP TABLE IF EXISTS ips", &create]);
            let ended = database.run(&["--step", STORE]).end();
            ended.refused(1, &another);
            ended.refused(1, &words);
            let shown = database.url();
            ended.refused(1, &[&shown]);
        }
        if let Database::Named(_) = database {
            // Two addresses may begin alike: one would overwrite the other.
            sql(
                &database.url(),
                &[
                    "DROP TABLE ips",
                    "CREATE TABLE ips (id INTEGER, ip CHAR(45), \
                     city CHAR(40), country CHAR(40), UNIQUE (ip(10)))",
                ],
            );
            let ended = database.run(&["--step", STORE]).end();
            ended.refused(1, &["is another one", "no key", "twice"]);
        }
        // Narrower, or with one more: the database says so of each row.
        sql(
            &database.url(),
            &[
                "DROP TABLE ips",
                "CREATE TABLE ips (id INTEGER, ip CHAR(45) UNIQUE, \
                 city CHAR(40), country CHAR(40), owner CHAR(9) NOT NULL)",
            ],
        );
        let ended = database.run(&["--step", STORE]).end();
        ended.refused(1, &["10 of 10", "owner"]);
        // With ids that are no numbers.
        sql(
            &database.url(),
            &[
                "DROP TABLE ips",
                "CREATE TABLE ips (id CHAR(9) DEFAULT 'one', \
                 ip CHAR(45) UNIQUE, city CHAR(40), country CHAR(40))",
            ],
        );
        let ended = database.run(&["--step", STORE]).end();
        ended.refused(1, &["cannot read", "column 0", "another one"]);
    }
}

#[test]
fn what_is_no_url_is_refused_and_not_repeated() {
    for url in [
        "",
        "ips.db",
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "sqlite://x?mode=memory",
        "mysql://",
        "mysql://root:gehe1m@127.0.0.1",
        "mysql://root:gehe1m@127.0.0.1/",
        "mysql://root:gehe1m@127.0.0.1:99999/test",
        "mysql://root:1/gehe1m@127.0.0.1/test",
        "mysql://root:1#gehe1m@127.0.0.1/test",
        "mysql://root:1?gehe1m@127.0.0.1/test",
        "mysql://root:gehe1m@ho st/test",
        "postgres://root:gehe1m@127.0.0.1/test",
        "root:gehe1m@127.0.0.1/test",
    ] {
        let ended = Run::new(LESSON, &["--database", url]).end();
        ended.refused(2, &["--database", "mysql://USER:PASSWORD@HOST"]);
        assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    }
    for url in [
        "",
        "https://ip-api.com/json/",
        "ip-api.com",
        "http://x:y/",
        "http://x/?",
        "http://anna:gehe1m@x/",
        "mysql://root:gehe1m@127.0.0.1/test",
    ] {
        let ended = Run::new(LESSON, &["--url", url]).end();
        ended.refused(2, &["--url", "; give", "http://ip-api.com/json/"]);
        assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    }
    let url = "mysql://root:gehe1m@127.0.0.1/test";
    for args in [
        &[url][..],
        &["--step", STORE, url],
        &["--count", "3", url, url],
        &["--", url],
    ] {
        let ended = Run::new(LESSON, args).end();
        ended.refused(2, &["it belongs to no option"]);
        assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
    }
}

/// A run, of which nobody is to learn the password.
fn discreet(mut run: Run, url: &str) -> Ended {
    run.command.args(["--database", url]);
    let trace = run.trace_path();
    let ended = run.end_after(|child| {
        // Read before the folder goes.
        testkit::until("it ends", || {
            child.try_wait().is_ok_and(|ended| ended.is_some())
        });
        let trace = fs::read_to_string(&trace).unwrap_or_default();
        assert!(!trace.contains(SECRET), "{trace}");
    });
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(SECRET), "{text}");
    }
    ended
}

#[test]
fn no_server_there() {
    let nobody = DeadEnd::new().expect("there is a free port");
    let address = nobody.url().replace("http://", "");
    let url = format!("mysql://anna:{SECRET}@{address}/test");
    let ended = discreet(Run::new(LESSON, &[]), &url);
    let shown = format!("mysql://anna@{address}/test");
    ended.refused(1, &["cannot open", &shown, "Connection refused"]);
    ended.refused(1, &["see whether its server runs"]);
    assert_eq!(ended.trace.count("step"), 1);

    let url = format!("mysql://anna:{SECRET}@no.such.host.invalid/test");
    let ended = discreet(Run::new(LESSON, &["--step", STORE]), &url);
    ended.refused(1, &["cannot open", "no.such.host.invalid", "lookup"]);
}

#[test]
fn a_server_that_is_silent_or_no_database() {
    let servers: [(&[u8], &str); 8] = [
        (b"", "no answer within 10 s"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no answer within 10 s"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no answer within 10 s"),
        (b"\0\0\0\0", "Packet empty"),
        (b"\x01\0\0\0\xff", "another protocol"),
        (b"\x05\0\0\0\x0a5.5\0", "another protocol"),
        (b"\x10\0\0\0\x0aaaaaaaaaaaaaaaa", "NUL"),
        (&[0xff; 64], "no answer within 10 s"),
    ];
    let run = |(greeting, why): (&'static [u8], &'static str)| {
        let listener = TcpListener::bind("127.0.0.1:0");
        let listener = listener.expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        // Goes with the test.
        thread::spawn(move || {
            let mut guests = Vec::new();
            for mut socket in listener.incoming().flatten() {
                let _ = socket.write_all(greeting);
                guests.push(socket);
            }
        });
        let url = format!("mysql://anna:{SECRET}@{address}/test");
        let ended = discreet(Run::new(LESSON, &["--step", STORE]), &url);
        ended.refused(1, &["cannot open", &address.to_string(), why]);
        assert!(!ended.stdout.contains("panic"), "{}", ended.stdout);
    };
    thread::scope(|scope| {
        for server in servers {
            scope.spawn(move || run(server));
        }
    });
}

#[test]
fn no_such_database_and_no_such_user() {
    let Some(_one) = Database::mariadb("no such database") else { return };
    let url = format!("{SERVER}/there_is_no_such_one");
    let ended = discreet(Run::new(LESSON, &[]), &url);
    ended.refused(1, &["Unknown database 'there_is_no_such_one'", "create it"]);
    let url = format!("mysql://nobody:{SECRET}@127.0.0.1/test");
    let ended = discreet(Run::new(LESSON, &[]), &url);
    ended.refused(1, &["Access denied for user 'nobody'", "correct user"]);
    let mut run = Run::new(LESSON, &[]);
    run.command.env("MYSQL_PWD", SECRET);
    let ended = discreet(run, "mysql://nobody@127.0.0.1/test");
    ended.refused(1, &["Access denied for user 'nobody'"]);
}

#[test]
fn files_that_are_no_database() {
    let place = tempfile::tempdir().expect("there is room");
    let path = |name: &str| place.path().join(name);
    fs::create_dir(path("folder")).expect("it can be made");
    let text = "This is a letter, and not at all a database.".repeat(40);
    fs::write(path("letter"), &text).expect("it can be written");
    sql(
        &format!("sqlite://{}?mode=rwc", path("locked").display()),
        &["CREATE TABLE other (n INTEGER)"],
    );
    for (name, words) in [
        ("folder", ["unable to open", "name a file"]),
        ("no/such/folder", ["unable to open", "name a file"]),
        ("letter", ["not a database", "name another file"]),
    ] {
        let url = format!("sqlite://{}", path(name).display());
        let ended =
            Run::new(LESSON, &["--step", STORE, "--database", &url]).end();
        ended.refused(1, &[&url]);
        ended.refused(1, &words);
    }
    assert_eq!(fs::read_to_string(path("letter")).ok(), Some(text));
    for url in ["sqlite:///proc/ips.db", "sqlite:///dev/full"] {
        let ended =
            Run::new(LESSON, &["--step", STORE, "--database", url]).end();
        ended.refused(1, &[url, "name a file"]);
    }
    // A name that needs care in a URL.
    let odd = path("a #1 & 100%25 'b'.db");
    let url = format!("sqlite:{}", odd.display());
    Run::new(LESSON, &["--step", STORE, "--database", &url]).end().well();
    assert!(path("a #1 & 100% 'b'.db").is_file());
}

#[test]
fn a_database_that_another_program_has_locked() {
    let database = Database::sqlite();
    database.run(&["--step", STORE]).end().well();
    let before = table(&database.url());
    on(&database.url(), async |other| {
        other.execute("BEGIN IMMEDIATE").await?;
        let ended = database.run(&["--step", STORE]).end();
        ended.refused(1, &["10 of 10", "database is locked", "run it again"]);
        other.execute("ROLLBACK").await?;
        Ok(())
    });
    assert_eq!(table(&database.url()), before);
}

/// The place of a database, which anybody may use.
fn open_place() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("there is room");
    let open = Permissions::from_mode(0o777);
    fs::set_permissions(place.path(), open).expect("it is ours");
    let binary = place.path().join("lesson");
    testkit::copy_program(LESSON.binary, &binary);
    (place, binary)
}

#[test]
fn a_file_that_may_only_be_read() {
    let (place, binary) = open_place();
    let file = place.path().join("ips.db");
    let url = format!("sqlite://{}", file.display());
    Run::new(LESSON, &["--step", STORE, "--count", "3", "--database", &url])
        .end()
        .well();
    let read = Permissions::from_mode(0o444);
    fs::set_permissions(&file, read).expect("it is ours");
    let binary = binary.display().to_string();
    let args = ["--speed=20", "--step", STORE, "--database", &url];
    let mut run = Run::other(&binary, &args);
    run.command.env("TMPDIR", place.path()).current_dir("/");
    if Uid::effective().is_root() {
        // Permissions do not bind root.
        run.command.uid(65_534).gid(65_534);
    }
    let ended = run.end();
    ended.refused(1, &["10 of 10", "readonly database", "again"]);
    assert_eq!(table(&url).len(), 3, "what is stored stays");
}

#[test]
fn a_disk_that_is_full() {
    if !may_mount("ip-database: a full disk") {
        return;
    }
    let [place, copy] =
        [(); 2].map(|()| tempfile::tempdir().expect("there is room"));
    let (to, kept) = (place.path().display(), copy.path().display());
    let script = format!(
        "mount -t tmpfs -o size=64k none {to} && \
         {} --speed 20 --step {STORE} --count 500 \
            --database sqlite://{to}/ips.db; \
         code=$?; cp {to}/* {kept}; exit $code",
        LESSON.binary,
    );
    let args = ["--mount", "--propagation", "private", "sh", "-c", &script];
    let ended = Run::other("unshare", &args).end();
    ended.refused(1, &["of 500 addresses are not stored", "full", "again"]);
    // What was stored before stays, and nothing else is there.
    let rows = table(&format!("sqlite://{kept}/ips.db")).len();
    let missing = format!("{} of 500", 500 - rows);
    assert!(rows > 0);
    ended.refused(1, &[&missing]);
    let files = fs::read_dir(copy.path()).expect("it can be read").count();
    assert_eq!(files, 1, "no journal is left");
}

/// The first five are answered at once, the others when the door is open.
fn five_and_five(ip: &str) -> Answer {
    let first = ["1.1.1.1", "8.8.8.8", "9.9.9.9", "77.88.8.8"];
    let first = first.contains(&ip) || ip == "114.114.114.114";
    match first {
        true => Answer::Now(city("First")),
        false => Answer::Later(city("Later")),
    }
}

/// Whether the first five are stored.
fn five_are_stored(trace: &Path) -> bool {
    let trace = Trace::read(trace).unwrap_or_default();
    let events = trace.events().iter();
    let stored = events.filter(|event| event.name == "stores");
    stored.filter(|event| event.ph == Phase::End).count() == 1
}

#[test]
fn a_lesson_killed_half_way_leaves_what_is_stored() {
    for database in Database::each("killed half-way") {
        let service = Service::new(five_and_five);
        let args = ["--url", &service.url, "--step", STORE, "--speed", "1"];
        let run = database.run(&args);
        let trace = run.trace_path();
        let ended = run.end_after(|_| {
            testkit::until("five are stored", || five_are_stored(&trace));
            let trace = Trace::read(&trace).unwrap_or_default();
            let lesson = Pid::from_raw(trace.events()[0].pid);
            kill(lesson, Signal::SIGKILL).expect("it runs");
        });
        service.open();
        ended.refused(1, &["was killed by SIGKILL"]);
        assert_eq!(table(&database.url()).len(), 5);
        // And once more, to the end.
        let args = ["--url", &service.url, "--step", STORE];
        database.run(&args).end().well();
        assert_eq!(table(&database.url()).len(), 10);
    }
}

/// A MariaDB that only this test uses. It ends with it.
struct Server {
    child: Child,
    place: TempDir,
    port: u16,
}

/// The program of that name, also where only root has it in the path.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/bin"].map(PathBuf::from);
    let mut places = std::env::split_paths(&path).chain(usual);
    places.find_map(|place| Some(place.join(name)).filter(|at| at.is_file()))
}

impl Server {
    /// None, said aloud, where there is no such program.
    fn start() -> Option<Self> {
        let Some(install) = program("mariadb-install-db") else {
            not_run(
                "ip-database: a server of its own",
                "there is no mariadb-install-db",
            );
            return None;
        };
        let place = tempfile::tempdir().expect("there is room");
        let data = format!("--datadir={}", place.path().join("data").display());
        let installed = Command::new(install)
            .args(["--no-defaults", &data, "--skip-test-db"])
            .arg("--auth-root-authentication-method=normal")
            .args(user())
            .output()
            .expect("it can be run");
        let said = String::from_utf8_lossy(&installed.stdout);
        assert!(installed.status.success(), "{said}");
        let listener = TcpListener::bind("127.0.0.1:0");
        let address = listener.and_then(|listener| listener.local_addr());
        let port = address.expect("there is a free port").port();
        let child = Self::serve(&place, port)?;
        let server = Self { child, place, port };
        server.wait();
        sql(
            &server.url("root", "mysql"),
            &[
                "CREATE DATABASE lesson",
                &format!("CREATE USER anna@'%' IDENTIFIED BY '{SECRET}'"),
                "GRANT ALL ON lesson.* TO anna@'%'",
                "CREATE DATABASE other",
                "CREATE DATABASE to_read",
                "GRANT SELECT ON to_read.* TO anna@'%'",
            ],
        );
        Some(server)
    }

    fn serve(place: &TempDir, port: u16) -> Option<Child> {
        let Some(server) = program("mariadbd") else {
            not_run("ip-database: a server of its own", "there is no mariadbd");
            return None;
        };
        let at = place.path().display();
        let child = Command::new(server)
            .arg("--no-defaults")
            .args(user())
            .arg(format!("--datadir={at}/data"))
            .arg(format!("--socket={at}/socket"))
            .arg(format!("--pid-file={at}/pid"))
            .arg(format!("--port={port}"))
            .args(["--bind-address=127.0.0.1", "--skip-log-bin"])
            .args(["--innodb-buffer-pool-size=16M", "--skip-name-resolve"])
            // It would cut off what does not fit, if it is not told to refuse.
            .arg("--sql-mode=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Some(child.expect("it can be started"))
    }

    fn wait(&self) {
        testkit::until("the server listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    fn url(&self, user: &str, database: &str) -> String {
        format!("mysql://{user}@127.0.0.1:{}/{database}", self.port)
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Root has to say that it means to.
fn user() -> Option<&'static str> {
    Uid::effective().is_root().then_some("--user=root")
}

#[test]
fn a_server_that_goes_away_half_way_and_comes_back() {
    let Some(mut server) = Server::start() else { return };
    let url = server.url(&format!("anna:{SECRET}"), "lesson");
    let run = |args: &[&str], url: &str| discreet(Run::new(LESSON, args), url);
    let wrong = server.url(&format!("anna:not-{SECRET}"), "lesson");
    let ended = run(&["--step", STORE], &wrong);
    ended.refused(1, &["Access denied for user 'anna'", "correct user"]);
    for (database, why) in [
        ("other", "Access denied for user 'anna'@'%' to database 'other'"),
        ("to_read", "CREATE command denied"),
    ] {
        let url = server.url(&format!("anna:{SECRET}"), database);
        let ended = run(&["--step", STORE], &url);
        ended.refused(1, &["grant it to this user, or name another", why]);
    }
    run(&["--step", "bound_not_pasted"], &url).well();
    let mut by_environment = Run::new(LESSON, &["--step", "price"]);
    by_environment.command.env("MYSQL_PWD", SECRET);
    discreet(by_environment, &server.url("anna", "lesson")).well();

    let long = Service::new(|ip| {
        let long = if ip == "9.9.9.9" { 41 } else { 40 };
        Answer::Now(city(&"x".repeat(long)))
    });
    let ended = run(&["--url", &long.url, "--step", STORE], &url);
    ended
        .refused(1, &["1 of 10", "9.9.9.9", "Data too long for column 'city'"]);
    assert_eq!(table(&url).len(), 9);
    sql(&url, &["DROP TABLE ips"]);

    let half_way = |then: &mut dyn FnMut()| {
        let service = Service::new(five_and_five);
        let args = ["--url", &service.url, "--step", STORE, "--speed", "1"];
        let mut half = Run::new(LESSON, &args);
        half.command.args(["--database", &url]);
        let trace = half.trace_path();
        let ended = half.end_after(|_| {
            testkit::until("five are stored", || five_are_stored(&trace));
            then();
            service.open();
        });
        let words = ["5 are not stored", "cannot read", "anna@127.0.0.1"];
        ended.refused(1, &words);
        assert!(!ended.stdout.contains(SECRET), "{}", ended.stdout);
        assert!(!ended.stderr.contains(SECRET), "{}", ended.stderr);
        for ip in ["119.29.29.29", "192.5.5.241", "193.0.14.129"] {
            let row = format!("{ip} ");
            let named = ended.stdout.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(&row) && line.contains(" within ")
            });
            assert!(named, "{ip}: {}", ended.stdout);
        }
    };
    half_way(&mut || server.stop());
    server.child = Server::serve(&server.place, server.port)
        .expect("it was there a moment ago");
    server.wait();
    let rows = table(&url);
    assert_eq!(rows.len(), 5, "what was stored stays");
    assert!(rows.iter().all(|row| row.2 == "First"), "{rows:?}");
    run(&["--step", STORE], &url).well();
    assert_eq!(table(&url).len(), 10);

    // One that is there, and says nothing any more.
    let pid = Pid::from_raw(server.child.id() as i32);
    half_way(&mut || kill(pid, Signal::SIGSTOP).expect("it runs"));
    kill(pid, Signal::SIGCONT).expect("it was only stopped");
    assert_eq!(table(&url).len(), 10);
}
