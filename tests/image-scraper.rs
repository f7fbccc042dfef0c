//! Lesson 32: every picture once, whatever the site answers and whoever
//! interrupts.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use proptest::prelude::{ProptestConfig, any, proptest};
use robots::Robots;
use shared::site::{DeadEnd, picture};
use shared::trace::{Event, Phase, Trace};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;
use testkit::{
    Change, Check, Ended, Lesson, Run, happened, may_mount, noted, open_spans,
    serve_some,
};
use url::Url;

#[path = "../lessons/32-image-scraper/src/links.rs"]
mod links;
#[path = "../lessons/32-image-scraper/src/name.rs"]
mod name;
#[path = "../lessons/32-image-scraper/src/robots.rs"]
mod robots;
#[path = "../lessons/32-image-scraper/src/seen.rs"]
mod seen;

const LESSON: Lesson = Lesson {
    package: "image-scraper",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_image-scraper"),
};

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "walk_the_gallery",
            claim: "pictures found",
            proven: |events| noted(events, "parent", "pictures") == 60,
            broken: (
                "links.rs", "b\"img\" => b\"src\",", "b\"img\" => b\"alt\",",
            ),
        },
        Check {
            step: "walk_the_gallery",
            claim: "pages that no robot is to read",
            proven: |events| {
                let name = "links that are not for robots";
                noted(events, "parent", name) == 5
            },
            broken: DISALLOWED_TO_NOBODY,
        },
        Check {
            step: "walk_the_gallery",
            claim: "read of these",
            proven: |events| {
                let asked = asked_for(events);
                asked.len() > 60 && !asked.iter().any(|path| private(path))
            },
            broken: DISALLOWED_TO_NOBODY,
        },
        Check {
            step: "walk_the_gallery",
            claim: "asked for: each page once",
            proven: |events| {
                let asked = asked_for(events);
                let different: BTreeSet<_> = asked.iter().collect();
                // With robots.txt.
                asked.len() == 67 && different.len() == 67
            },
            // Pages lead back to their list: only MOST_PAGES ends it.
            broken: (
                "seen.rs",
                "if self.urls.contains(url) {",
                "if self.full {",
            ),
        },
        Check {
            step: "download",
            claim: "pictures there, byte for byte",
            proven: |events| {
                let found = files(events);
                (1..=60).all(|number| {
                    let hash = hash_of(number);
                    found.values().any(|other| *other == hash)
                })
            },
            broken: (
                "store.rs",
                "file.write_all(bytes)",
                "file.write_all(&bytes[..bytes.len() / 2])",
            ),
        },
        Check {
            step: "download",
            claim: "files: none twice",
            proven: |events| {
                // The first of those that are the same stays.
                let expected = (1..=55).map(|number| {
                    let url = format!("http://x/gallery/image/{number}.png");
                    (name::file_name(&parsed(&url)), hash_of(number))
                });
                files(events) == expected.collect()
            },
            broken: (
                "store.rs",
                "twice.insert(file);",
                "twice.insert(file);
                twice.clear();",
            ),
        },
        Check {
            step: "download",
            claim: "on their way at once: eight, never more",
            proven: |events| {
                let asked = asked_for(events);
                asked.iter().all(|path| path.starts_with("/gallery/image/"))
                    && open_spans(events, "waits").into_iter().max() == Some(8)
            },
            // Of those who fetch; who walks has as many as before.
            broken: (
                "crew.rs",
                "Self::new(stage, walker, PROCESSES, COROUTINES)",
                "Self::new(stage, walker, PROCESSES, COROUTINES - 1)",
            ),
        },
        Check {
            step: "download",
            claim: "processes that stored: two",
            proven: |events| {
                let stores = happened(events, "stores");
                let pids: BTreeSet<_> = stores.map(|event| event.pid).collect();
                pids.len() == 2 && !pids.contains(&events[0].pid)
            },
            broken: (
                "main.rs",
                "const PROCESSES: usize = 2;",
                "const PROCESSES: usize = 1;",
            ),
        },
        Check {
            step: "once_more",
            claim: "fetched the first time",
            proven: |events| {
                let [first, _] = stored_in_turn(events);
                first == 60
            },
            broken: (
                "store.rs",
                "pictures.iter().filter(missing).collect()",
                "pictures.iter().filter(missing).skip(1).collect()",
            ),
        },
        Check {
            step: "once_more",
            claim: "asked for the second time: pictures",
            proven: |events| {
                let [_, second] = stored_in_turn(events);
                second == 0 && asked_for(events).len() == 60
            },
            broken: ALL_ARE_MISSING,
        },
        Check {
            step: "once_more",
            claim: "the folder: as it was",
            proven: |events| {
                let of = |name| noted(events, "parent", name);
                of("hash before").is_string()
                    && of("hash before") == of("hash after")
            },
            broken: (
                "store.rs",
                "if found.is_empty() {",
                "if found.is_empty() || found == label {",
            ),
        },
        Check {
            step: "interrupted",
            claim: "there when they were killed",
            proven: |events| {
                let there = there_when_killed(events);
                (20..=36).contains(&there) && stored_in_turn(events)[0] >= 20
            },
            broken: ("again.rs", "Some(STORED)", "None"),
        },
        Check {
            step: "interrupted",
            claim: "files that are no whole picture",
            proven: |events| {
                let others = noted(events, "parent", "not a whole picture");
                others.as_array().is_some_and(Vec::is_empty)
            },
            broken: STOPPED_HALF_WAY_IN_PLACE,
        },
        Check {
            step: "interrupted",
            claim: "the folder: as without interruption",
            proven: |events| {
                let of = |name| noted(events, "parent", name);
                of("hash").is_string()
                    && of("hash") == of("hash without interruption")
            },
            broken: STOPPED_HALF_WAY_IN_PLACE,
        },
        Check {
            step: "interrupted",
            claim: "fetched after that: the rest",
            proven: |events| {
                let [_, second] = stored_in_turn(events);
                second + there_when_killed(events) == 60
            },
            broken: ALL_ARE_MISSING,
        },
        Check {
            step: "odd_answers",
            claim: "kept",
            proven: |events| files(events).len() == 12,
            broken: ASKED_ONCE,
        },
        Check {
            step: "odd_answers",
            claim: "not had, and named",
            proven: |events| reasons(events) == WHY_NOT,
            broken: ASKED_ONCE,
        },
        Check {
            step: "odd_answers",
            claim: "different reasons",
            proven: |events| reasons(events).len() == 7,
            broken: ASKED_ONCE,
        },
        Check {
            step: "odd_answers",
            claim: "files beside the folder",
            proven: |events| noted(events, "parent", "beside") == 0,
            broken: (
                "name.rs",
                "    let plain = |c: char| match c.is_alphanumeric() \
                 || c == '-' {",
                "    let stem = stem.trim_start_matches('/');
                let plain = |c: char| match c != '\\0' {",
            ),
        },
        Check {
            step: "odd_answers",
            claim: "files that are no picture",
            proven: |events| {
                let found = files(events);
                let names: Vec<_> = found.keys().collect();
                let bad = ["html-", "garbled-", "cut-", "404-"];
                !names.is_empty()
                    && !names
                        .iter()
                        .any(|name| bad.iter().any(|bad| name.starts_with(bad)))
            },
            broken: ("main.rs", "picture::check(&reply.body)?;", ""),
        },
        Check {
            step: "odd_answers",
            claim: "told to wait 1 s: waited",
            proven: waited_when_told,
            broken: ("retry.rs", "own.max(left)", "own"),
        },
    ]);
}

const DISALLOWED_TO_NOBODY: Change =
    ("robots.rs", "\"disallow\" => false,", "\"disallow\" => continue,");

const ALL_ARE_MISSING: Change =
    ("store.rs", "self.file(picture).is_none();", "!picture.name.is_empty();");

const ASKED_ONCE: Change =
    ("retry.rs", "const ATTEMPTS: u32 = 3;", "const ATTEMPTS: u32 = 1;");

/// A picture is written where it is to be; of one of them only a half, and then
/// its process stands still until it is killed.
const STOPPED_HALF_WAY_IN_PLACE: Change = (
    "store.rs",
    "let aside = self.folder.join(aside);",
    "let _ = aside;
    let aside = self.folder.join(name);
    if name.starts_with(\"10-\") && self.folder.ends_with(\"pictures\") {
        fs::write(&aside, &bytes[..bytes.len() / 2])?;
        loop { std::thread::park(); }
    }
    let _ = fs::remove_file(&aside);",
);

/// Why seven of the odd pictures are not had.
const WHY_NOT: [&str; 7] = [
    "404 Not Found",
    "a damaged picture",
    "more than 1048576 bytes",
    "no answer in time, asked 3 times",
    "no picture",
    "the connection ended early, asked 3 times",
    "too many redirects",
];

fn private(path: &str) -> bool {
    path.starts_with("/gallery/private/")
}

/// The paths that were asked for, in their order.
fn asked_for(events: &[Event]) -> Vec<&str> {
    let waits = happened(events, "waits");
    waits.filter_map(|event| event.args.get("path")?.as_str()).collect()
}

/// The files that were there in the end: their names, and their hashes.
fn files(events: &[Event]) -> BTreeMap<String, String> {
    let files = noted(events, "parent", "files");
    let files = files.as_array().into_iter().flatten();
    let files = files.filter_map(|file| file.as_str()?.split_once(' '));
    files.map(|(name, hash)| (name.to_owned(), hash.to_owned())).collect()
}

fn reasons(events: &[Event]) -> Vec<String> {
    let reasons = noted(events, "parent", "reasons");
    let reasons = reasons.as_array().into_iter().flatten();
    reasons.filter_map(|why| why.as_str().map(str::to_owned)).collect()
}

/// The hash of a picture of the local site.
fn hash_of(number: usize) -> String {
    blake3::hash(picture(number).expect("there is one")).to_string()
}

/// How many pictures were stored after the first walk, and after the second.
fn stored_in_turn(events: &[Event]) -> [usize; 2] {
    let walks =
        |event: &&Event| event.name == "walks" && event.ph == Phase::Begin;
    let second = events.iter().rposition(|event| walks(&event));
    let (first, second) = events.split_at(second.unwrap_or(0));
    [first, second].map(|events| happened(events, "stores").count())
}

fn there_when_killed(events: &[Event]) -> usize {
    let there = noted(events, "parent", "there when they were killed");
    there.as_u64().unwrap_or_default() as usize
}

/// Who was told to come again after a second did so no sooner.
fn waited_when_told(events: &[Event]) -> bool {
    let told = events.iter().position(|event| {
        event.name == "asks again" && event.args["told"] == 1
    });
    let Some(told) = told else { return false };
    let (told, later) = (&events[told], &events[told..]);
    let mut again = happened(later, "waits");
    let again = again.find(|event| event.track == told.track);
    again.is_some_and(|again| again.t_ns - told.t_ns >= 1_000_000_000)
}

fn parsed(url: &str) -> Url {
    Url::parse(url).expect("it is an address")
}

/// A folder in which pictures are to be kept.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room"))
    }

    fn to(&self) -> PathBuf {
        self.0.path().join("pictures")
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut run = Run::new(LESSON, args);
        run.command.arg("--to").arg(self.to());
        run
    }

    /// All that is in it, by name.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.to()).expect("the folder is there");
        let files = entries.map(|entry| {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().expect("it has a name").to_owned();
            let name = name.into_string().expect("of letters");
            (name, fs::read(path).expect("it is a file"))
        });
        files.collect()
    }

    /// Those that have the names of pictures.
    fn pictures(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files();
        files.retain(|name, _| name::is_of_a_picture(name));
        files
    }
}

/// Every picture of the local site once, under its name.
fn all_pictures() -> BTreeMap<String, Vec<u8>> {
    let all = (1..=55).map(|number| {
        let url = format!("http://x/gallery/image/{number}.png");
        let bytes = picture(number).expect("there are so many");
        (name::file_name(&parsed(&url)), bytes.to_vec())
    });
    all.collect()
}

#[test]
fn all_pictures_are_kept_and_a_second_run_changes_nothing() {
    let place = Place::new();
    let ended = place.run(&[]).end().well();
    assert_eq!(place.pictures(), all_pictures());
    assert_eq!(happened(ended.trace.events(), "stores").count(), 60);
    let first = place.files();
    let others: Vec<_> =
        first.keys().filter(|name| !name::is_of_a_picture(name)).collect();
    assert_eq!(others, [".scraped-from", "contact-sheet.png", "pictures.tsv"]);
    let index = String::from_utf8(first["pictures.tsv"].clone());
    let index = index.expect("it is text");
    assert_eq!(index.lines().count(), 61);
    // The last five are the first five again.
    for (number, same) in (56..=60).zip(1..=5) {
        let line = |number| {
            let path = format!("/gallery/image/{number}.png\t");
            index.lines().find_map(|line| line.strip_prefix(&path))
        };
        assert!(line(number).is_some() && line(number) == line(same));
    }
    let sheet = image::load_from_memory(&first["contact-sheet.png"]);
    let sheet = sheet.expect("the sheet is a picture");
    assert_eq!((sheet.width(), sheet.height()), (844, 388));

    let ended = place.run(&[]).end().well();
    assert_eq!(happened(ended.trace.events(), "stores").count(), 0);
    assert_eq!(place.files(), first);
}

#[test]
fn a_file_that_somebody_removed_is_fetched_again() {
    let place = Place::new();
    place.run(&[]).end().well();
    let first = place.files();
    // Two pictures are in the first one.
    for (name, fetched) in [("1-", 2), ("7-", 1)] {
        let name = first.keys().find(|file| file.starts_with(name));
        fs::remove_file(place.to().join(name.expect("it is there")))
            .expect("it can be removed");
        let ended = place.run(&[]).end().well();
        assert_eq!(happened(ended.trace.events(), "stores").count(), fetched);
        assert_eq!(place.files(), first);
    }
}

/// A run is interrupted when so many files are there; by SIGKILL of the
/// lesson's own process, or as a terminal does it.
fn interrupt(place: &Place, files: usize, signal: Signal) {
    let run = place.run(&["--speed", "10"]);
    let trace = run.trace_path();
    let ended = run.end_after(|child| {
        let mut over = false;
        testkit::until("some pictures are there", || {
            over = child.try_wait().is_ok_and(|status| status.is_some());
            let there = fs::read_dir(place.to());
            over || there.is_ok_and(|there| there.count() >= files)
        });
        if over {
            return;
        }
        let pid = match signal {
            Signal::SIGKILL => {
                let trace = Trace::read(&trace).unwrap_or_default();
                trace.events().first().map(|event| event.pid)
            }
            _ => i32::try_from(child.id()).ok(),
        };
        let pid = Pid::from_raw(pid.expect("it has begun"));
        let _ = kill(pid, signal); // unless it has just ended
    });
    match signal {
        Signal::SIGKILL if ended.code == 1 => {
            ended.refused(1, &["was killed by SIGKILL"]);
        }
        _ => assert!(
            ended.code == 0 || ended.code == 128 + signal as i32,
            "{}: {}",
            ended.code,
            ended.stderr
        ),
    }
    let left = place.files();
    assert!(!left.contains_key(".unfinished"), "it was tidied up");
}

#[test]
fn interrupted_at_many_moments_it_comes_to_the_same() {
    let whole = Place::new();
    whole.run(&[]).end().well();
    let whole = whole.files();
    let known = all_pictures();
    for signal in [Signal::SIGINT, Signal::SIGKILL, Signal::SIGTERM] {
        let place = Place::new();
        for files in [1, 2, 3, 5, 10, 20, 35, 50, 58, 60] {
            interrupt(&place, files, signal);
            for (name, bytes) in place.pictures() {
                let number = name.split('-').next().expect("it has parts");
                let number = number.parse().expect("a number");
                let expected = picture(number).expect("it is there");
                assert!(bytes == expected, "{name} is no whole picture");
                assert!(known.contains_key(&name) || number > 55);
            }
        }
        place.run(&[]).end().well();
        assert!(place.files() == whole, "{signal}");
    }
}

#[test]
fn half_files_of_a_killed_run_are_removed() {
    let place = Place::new();
    place.run(&[]).end().well();
    let whole = place.files();
    let aside = place.to().join(".unfinished");
    fs::create_dir(&aside).expect("it can be made");
    fs::write(aside.join("1-00000000.png.77"), "half").expect("and written to");
    place.run(&[]).end().well();
    assert_eq!(place.files(), whole);
}

/// Whoever could write to the index could have any file read or removed.
#[test]
fn an_index_that_leads_elsewhere_is_not_followed() {
    let place = Place::new();
    place.run(&[]).end().well();
    let whole = place.files();
    let outside = place.0.path().join("outside-00000000");
    fs::copy(place.to().join(whole_name(&whole, "1-")), &outside)
        .expect("there is room");
    let index = place.to().join("pictures.tsv");
    let text = fs::read_to_string(&index).expect("it is there");
    // The second picture is said to be in a file that is the same as the first.
    let name = whole_name(&whole, "2-");
    let text = text.replace(&name, &outside.display().to_string());
    fs::write(&index, text).expect("it can be written to");
    fs::remove_file(place.to().join(&name)).expect("it is there");
    place.run(&[]).end().well();
    assert!(outside.exists(), "it is none of its files");
    assert_eq!(place.files(), whole);
}

/// The name of the file that begins so.
fn whole_name(files: &BTreeMap<String, Vec<u8>>, start: &str) -> String {
    let mut names = files.keys().filter(|name| name.starts_with(start));
    names.next().expect("it is there").clone()
}

#[test]
fn what_cannot_be_read_is_named() {
    let place = Place::new();
    place.run(&[]).end().well();
    let name = whole_name(&place.files(), "contact");
    // A folder in its place.
    fs::remove_file(place.to().join("pictures.tsv")).expect("it is there");
    fs::create_dir(place.to().join("pictures.tsv")).expect("it can be made");
    let ended = place.run(&[]).end();
    ended.refused(1, &["cannot write", "pictures.tsv", "see that this user"]);
    fs::remove_dir(place.to().join("pictures.tsv")).expect("it is empty");
    fs::remove_file(place.to().join(&name)).expect("it is there");
    fs::create_dir(place.to().join(&name)).expect("it can be made");
    let ended = place.run(&[]).end();
    ended.refused(1, &["cannot write", &name, "see that this user"]);
}

#[test]
fn one_run_at_a_time_works_in_a_folder() {
    let place = Place::new();
    let first = place.run(&["--speed", "0.2"]);
    let ended = first.end_after(|child| {
        let aside = place.to().join(".unfinished");
        testkit::until("it has begun", || aside.is_dir());
        let second = place.run(&[]).end();
        let words = ["another run is at work in it", "wait until it has ended"];
        second.refused(1, &words);
        assert!(!second.stderr.contains("name a folder"), "{}", second.stderr);
        assert!(aside.is_dir(), "the first one's files are left alone");
        let first = Pid::from_raw(child.id() as i32);
        kill(first, Signal::SIGTERM).expect("it is still at work");
    });
    assert_eq!(ended.code, 128 + Signal::SIGTERM as i32);
}

/// A service of this test: what it answers to which path, and 404 to any
/// other; without a word to a path with no answer.
struct Service {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

struct Asked {
    path: String,
    /// Who asks, as the request says.
    agent: String,
    at: Instant,
}

type Answers = dyn Fn(&str, usize) -> Option<Vec<u8>> + Send + Sync;

impl Service {
    /// `answer` is called with the path, and how often it was asked for before.
    fn new(
        answer: impl Fn(&str, usize) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        Self::for_some(usize::MAX, answer)
    }

    /// It goes away when so many have come.
    fn for_some(
        most: usize,
        answer: impl Fn(&str, usize) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        let address = serve_some(most, move |client| {
            // Who leaves early is not this service's affair.
            let _ = attend(client, &answer, &list);
        });
        Self { url: format!("http://{address}/gallery/"), asked }
    }

    fn asked(&self, path: &str) -> usize {
        let asked = self.asked.lock().expect("nobody panics");
        asked.iter().filter(|asked| asked.path == path).count()
    }

    fn scrape(&self, place: &Place) -> Ended {
        place.run(&["--url", &self.url]).end()
    }
}

fn attend(
    socket: TcpStream,
    answer: &Answers,
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(&socket).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut agent = String::new();
    while let Some(line) = lines.next().transpose()?.filter(|l| !l.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap_or_default();
        if name.eq_ignore_ascii_case("user-agent") {
            value.clone_into(&mut agent);
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let before = {
        let mut asked = asked.lock().expect("nobody panics");
        let at = Instant::now();
        asked.push(Asked { path: path.to_owned(), agent, at });
        asked.iter().filter(|asked| asked.path == path).count() - 1
    };
    match answer(path, before) {
        Some(answer) => (&socket).write_all(&answer),
        // Until the client leaves.
        None => lines.next().transpose().map(|_| ()),
    }
}

fn http(head: &str, body: &[u8]) -> Option<Vec<u8>> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    Some([head.as_bytes(), body].concat())
}

fn page(body: &str) -> Option<Vec<u8>> {
    http("200 OK\r\nContent-Type: text/html", body.as_bytes())
}

fn png(number: usize) -> Option<Vec<u8>> {
    http("200 OK", picture(number).expect("there are so many"))
}

fn images(range: std::ops::Range<usize>) -> Option<Vec<u8>> {
    let tags = range.map(|n| format!("<img src={n}.png>"));
    page(&tags.collect::<String>())
}

/// The number in `/gallery/NUMBER.png`.
fn number(path: &str) -> Option<usize> {
    path.strip_prefix("/gallery/")?.strip_suffix(".png")?.parse().ok()
}

#[test]
fn another_gallery_is_kept_and_no_site_is_started() {
    let service = Service::new(|path, _| match path {
        // No robots.txt: all is allowed.
        "/gallery/" => http(
            "200 OK\r\nContent-Type: Text/HTML; charset=utf-8",
            b"<a href='deep/er/'>deeper</a> <a href='/elsewhere/'>up</a>
             <a href='full.png?a=1&amp;b=2#top'><img src='small.png'></a>
             <img src='http://other.example/7.png'>",
        ),
        "/gallery/deep/er/" => page(
            "<base href='..'><base href='/wrong/'>
             <img src=../5.png><a href=''>none</a><a href=.>back</a>",
        ),
        "/gallery/deep/" => page("<a href=/gallery/>home</a>"),
        "/gallery/full.png?a=1&b=2" => png(1),
        "/gallery/small.png" => png(2),
        "/gallery/5.png" => png(5),
        _ => http("404 Not Found", b""),
    });
    let place = Place::new();
    let ended = service.scrape(&place).well();
    assert_eq!(ended.trace.count("claim"), 0);
    let kept: BTreeSet<_> = place.pictures().into_values().collect();
    let expected = [1, 2, 5].map(|n| picture(n).expect("it is there"));
    assert_eq!(kept, expected.map(<[u8]>::to_vec).into());
    for path in ["/robots.txt", "/gallery/", "/gallery/deep/er/"] {
        assert_eq!(service.asked(path), 1, "{path}");
    }
    assert_eq!(service.asked("/elsewhere/"), 0);
    // The name that it looks for in robots.txt.
    let asked = service.asked.lock().expect("nobody panics");
    for Asked { path, agent, .. } in asked.iter() {
        assert_eq!(agent, robots::NAME, "{path}");
    }
    drop(asked);
    // For another gallery it is not the place.
    let other = Service::new(|_, _| http("404 Not Found", b""));
    let before = place.files();
    other.scrape(&place).refused(1, &["it has the pictures of", &service.url]);
    assert_eq!(place.files(), before);
}

#[test]
fn robots_txt_is_obeyed_also_by_redirects() {
    let service = Service::new(|path, _| match path {
        "/robots.txt" => http(
            "200 OK",
            b"User-agent: other\nDisallow: /\n\nUser-agent: *\n\
              Disallow: /gallery/secret\nDisallow: /*.gif$\n\
              Allow: /gallery/secret/but-this.png\n",
        ),
        "/gallery/" => page(
            "<a href=secret/>no</a><img src=secret/1.png><img src=2.gif>
             <img src=secret/but-this.png><img src=moved.png>
             <img src=away.png><img src=moved-within.png>",
        ),
        "/gallery/moved.png" => {
            http("302 Found\r\nLocation: /gallery/secret/1.png", b"")
        }
        "/gallery/away.png" => {
            http("302 Found\r\nLocation: http://other.example/", b"")
        }
        "/gallery/moved-within.png" => {
            http("302 Found\r\nLocation: /gallery/3.png", b"")
        }
        "/gallery/secret/but-this.png" => png(4),
        "/gallery/3.png" => png(3),
        _ => http("404 Not Found", b""),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["2 not had"]);
    assert_eq!(ended.stdout.matches("may not go").count(), 2);
    for path in ["/gallery/secret/", "/gallery/secret/1.png", "/gallery/2.gif"]
    {
        assert_eq!(service.asked(path), 0, "{path}");
    }
    assert_eq!(place.pictures().len(), 2);
}

#[test]
fn what_robots_may_fetch_has_to_be_said() {
    let service = Service::new(|path, _| match path {
        "/robots.txt" => http("503 Service Unavailable", b""),
        _ => page("<img src=1.png>"),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["robots.txt", "503", "asked 3 times", "try it later"]);
    assert_eq!(service.asked("/gallery/"), 0);
    assert!(!place.to().exists(), "nothing is left");
}

/// What to do depends on what is wrong.
#[test]
fn robots_txt_that_is_somewhere_else_is_not_tried_again() {
    for (to, advice) in [
        ("https://127.0.0.1/robots.txt", "name a gallery that speaks http:"),
        ("http://other.example/", "name the gallery where that leads:"),
        ("/robots.txt", "ask its owner:"),
    ] {
        let service = Service::new(move |_, _| {
            http(&format!("302 Found\r\nLocation: {to}"), b"")
        });
        let place = Place::new();
        let ended = service.scrape(&place);
        ended.refused(1, &["cannot read", "robots.txt", advice]);
        assert!(!ended.stderr.contains("try it later"), "{}", ended.stderr);
    }
}

#[test]
fn a_first_page_that_is_not_for_robots_is_not_read() {
    let service = Service::new(|path, _| match path {
        "/robots.txt" => http("200 OK", b"User-agent: *\nDisallow: /gallery"),
        _ => page("<img src=/1.png>"),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["no robot may read", &service.url, "ask its owner"]);
    assert_eq!(service.asked("/gallery/"), 0);
    assert!(!place.to().exists(), "nothing is left");
}

#[test]
fn a_gallery_without_a_picture_is_named() {
    let service = Service::new(|path, _| match path {
        "/gallery/" => page("<a href=about.html>about</a>"),
        _ => http("404 Not Found", b""),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    // That page is a problem, which is named.
    ended.refused(1, &["1 not had"]);
    let service = Service::new(|path, _| match path {
        "/robots.txt" => http("404 Not Found", b""),
        _ => page("<a href=about.html>about</a>"),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    let words = ["there is no picture", "0 links", "name the first page"];
    ended.refused(1, &words);
    let service = Service::new(|path, _| match path {
        "/robots.txt" => http("200 OK", b"User-agent: *\nDisallow: /*.png"),
        _ => page("<img src=1.png><img src=2.png>"),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["no picture on this host that robots", "2 links are"]);
}

#[test]
fn each_wrong_answer_is_named_and_the_others_are_had() {
    let service = Service::new(|path, before| match (path, number(path)) {
        ("/gallery/", _) => images(0..20),
        (_, Some(0)) => http("404 Not Found", b""),
        (_, Some(1)) => http("200 OK", b"<html>who are you?</html>"),
        (_, Some(2)) => http("200 OK", &[0; 20 << 20]),
        (_, Some(3)) => Some(b"nonsense\r\n\r\n".to_vec()),
        (_, Some(4)) => Some(Vec::new()),
        (_, Some(5)) => http("302 Found\r\nLocation: /gallery/5.png", b""),
        (_, Some(7)) if before < 2 => http("503 Service Unavailable", b""),
        (_, Some(8)) => {
            let whole = picture(8).expect("it is there");
            http("200 OK", &whole[..whole.len() - 100])
        }
        // The promise of a picture that no memory holds.
        (_, Some(9)) => http("200 OK", &bomb()),
        (_, Some(10)) => http("302 Found\r\nLocation: https://x/", b""),
        (_, Some(11)) => http("200 OK", b""),
        (_, Some(n)) => png(n),
        _ => http("404 Not Found", b""),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["10 not had", "run it again", "404 will stay"]);
    let rows = ended.stdout.as_str();
    for (n, why) in [
        (0, "404 Not Found"),
        (1, "no picture"),
        (2, "more than 16777216 bytes"),
        (3, "the connection ended early"),
        (4, "the connection ended early"),
        (5, "too many redirects"),
        (8, "a damaged picture"),
        (9, "a picture that is too large"),
        (10, "https"),
        (11, "no picture"),
    ] {
        let path = format!(" /gallery/{n}.png ");
        let row = rows.lines().find(|row| row.contains(&path));
        let row = row.unwrap_or_else(|| panic!("no row {n}:\n{rows}"));
        assert!(row.contains(why), "{n}: {row}");
    }
    assert_eq!(service.asked("/gallery/7.png"), 3);
    assert_eq!(place.pictures().len(), 10);
    // The second time, of the pictures, only those are asked for.
    let ended = service.scrape(&place);
    ended.refused(1, &["10 not had"]);
    assert_eq!(service.asked("/gallery/12.png"), 1);
    assert_eq!(service.asked("/gallery/0.png"), 2);
}

/// The beginning of a PNG of 4 000 000 000 pixels.
fn bomb() -> Vec<u8> {
    let mut bytes = picture(1).expect("it is there").to_vec();
    bytes[16..20].copy_from_slice(&63_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&63_000_u32.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// The sum of a chunk of a PNG, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// When the site wants nobody for a while, nobody asks: not only the one whom
/// it told so.
#[test]
fn a_site_that_wants_a_rest_has_it() {
    let wants = |told: fn() -> String| {
        Service::new(move |path, before| match (path, number(path)) {
            ("/gallery/", _) => images(1..41),
            (_, Some(1)) if before == 0 => {
                let told = told();
                let head = "429 Too Many Requests\r\nRetry-After";
                http(&format!("{head}: {told}"), b"")
            }
            (_, Some(n)) => {
                // Until then all eight could have asked five times.
                thread::sleep(Duration::from_millis(300));
                png(n)
            }
            _ => http("404 Not Found", b""),
        })
    };
    let in_three_seconds = || {
        let then = SystemTime::now() + Duration::from_secs(4);
        httpdate::fmt_http_date(then) // and no part of a second
    };
    for told in [|| "3".to_owned(), in_three_seconds] {
        let (service, place) = (wants(told), Place::new());
        service.scrape(&place).well();
        assert_eq!(place.pictures().len(), 40);
        let asked = service.asked.lock().expect("nobody panics");
        let first = asked.iter().position(|asked| asked.path.contains("/1."));
        let told = asked[first.expect("it was asked for")].at;
        let rest = Duration::from_millis(2900);
        let early = asked.iter().filter(|asked| asked.at < told + rest);
        // robots.txt, the page, and those who were on their way.
        let early = early.count();
        assert!(early <= 2 + 16, "{early} of {}", asked.len());
    }

    let (service, place) = (wants(|| "3600".to_owned()), Place::new());
    let ended = service.scrape(&place);
    ended.refused(1, &["not had"]);
    for why in ["again in 3600 s", "since the site wants nobody for 35"] {
        assert!(ended.stdout.contains(why), "{}", ended.stdout);
    }
    assert_eq!(service.asked("/gallery/1.png"), 1);
    let asked = service.asked.lock().expect("nobody panics").len();
    assert!(asked <= 2 + 16, "{asked}");
}

#[test]
fn a_site_that_falls_silent_is_left() {
    // For robots.txt and for the page.
    let service = Service::for_some(2, |path, _| match path {
        "/robots.txt" => http("404 Not Found", b""),
        _ => images(0..40),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["40 not had"]);
    let silent = ended.stdout.matches("the site has fallen silent").count();
    assert!(silent > 0, "{}", ended.stdout);
    // Twelve in each process, and three that were on their way.
    let asked = happened(ended.trace.events(), "waits").count();
    assert!((24..=30).contains(&asked), "{asked}: {}", ended.stdout);
}

#[test]
fn a_site_that_nobody_serves_is_named() {
    let nobody = DeadEnd::new().expect("there is a free port");
    let place = Place::new();
    let url = format!("{}/gallery/", nobody.url());
    let ended = place.run(&["--url", &url]).end();
    ended.refused(1, &["robots.txt", "nobody listens there"]);
    assert!(!place.to().exists(), "nothing is left");
}

/// Of what a page leads to not more is kept than somebody would look at.
#[test]
fn links_without_end_come_to_an_end() {
    // 16 MiB, each link as long as a link may be.
    let long = format!("http://x/{}/", "b".repeat(1900));
    let many = (0..1_000_000).map(|n| format!("<a href=a{n}>"));
    let html = many.collect::<String>();
    let links = links::links(html.as_bytes(), &parsed(&long));
    assert_eq!((links.pages.len(), links.more), (links::MOST, true));

    let mut seen = seen::Seen::new(3);
    let urls = ["/1", "/2", "/1", "/3", "/3", "/4", "/5", "/4"];
    let urls = urls.map(|path| parsed(&format!("http://x{path}")));
    let new: Vec<_> = urls.iter().map(|url| seen.add(url)).collect();
    assert_eq!(new, [true, true, false, true, false, false, false, false]);
    assert!(seen.full && seen.count() == 3);

    let service = Service::new(|path, _| match path {
        "/gallery/" => page(&"<img src=1.png>".repeat(links::MOST + 1)),
        "/gallery/1.png" => png(1),
        _ => http("404 Not Found", b""),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["1 not had"]);
    assert!(ended.stdout.contains("more than 5000 links"), "{}", ended.stdout);
    assert_eq!(place.pictures().len(), 1);
}

#[test]
fn pages_without_end_come_to_an_end() {
    let service = Service::new(|path, _| {
        let number = path.rsplit('/').next()?.parse::<usize>().unwrap_or(0);
        match path {
            "/robots.txt" => http("200 OK", b""),
            _ if path.ends_with(".png") => png(1),
            _ => {
                // Each leads to many new ones.
                let links = (1..=50)
                    .map(|n| format!("<a href={}>more</a>", number * 50 + n));
                page(&(links.collect::<String>() + "<img src=x.png>"))
            }
        }
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["1 not had"]);
    assert!(ended.stdout.contains("more than 1000 pages"), "{}", ended.stdout);
    assert_eq!(place.pictures().len(), 1);
}

#[test]
fn a_first_page_that_cannot_be_read_is_named() {
    let service = Service::new(|path, _| match path {
        "/gallery/" => http("404 Not Found", b""),
        _ => http("200 OK", b""),
    });
    let place = Place::new();
    let ended = service.scrape(&place);
    ended.refused(1, &["cannot read", &service.url, "404 Not Found"]);
    assert!(!place.to().exists(), "nothing is left");
}

#[test]
fn what_is_no_gallery_is_refused() {
    for (url, word) in [
        ("", "it does not begin with http://"),
        ("example.com", "it does not begin with http://"),
        ("https://example.com/", "https is not spoken here"),
        ("http://anna:gehe1m@example.com/", "it says who you are"),
        ("http://anna:geh/e1m@example.com/", "its port is no number"),
        ("ftp://anna:gehe1m@example.com/", "it does not begin with http://"),
        ("http://", "it names no host"),
        ("http://[::1/", "invalid IPv6 address"),
        ("http://example.com:99999/", "its port is no number"),
    ] {
        let place = Place::new();
        let ended = place.run(&["--url", url]).end();
        let example = "http://example.com/gallery/";
        ended.refused(2, &["--url", word, "give the first page", example]);
        for secret in ["gehe1m", "geh/e1m"] {
            assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
        }
        // Without the option.
        let ended = place.run(&[&format!("{url}gehe1m")]).end();
        ended.refused(2, &["it belongs to no option"]);
        assert!(!ended.stderr.contains("gehe1m"), "{}", ended.stderr);
    }
    let ended = Run::new(LESSON, &["--url", "http://127.0.0.1/"]).end();
    ended.refused(2, &["--to"]);
    for option in [
        &["--walk"][..],
        &["--step", "price"],
        &["--svg", "x.svg"],
        &["--runs", "3"],
        &["--no-timeline"],
    ] {
        Place::new().run(option).end().refused(2, &["--to", option[0]]);
    }
}

#[test]
fn the_peer_ignores_no_option() {
    if Command::new("python3").arg("--version").output().is_err() {
        return; // the battery says so
    }
    let peer = format!("{}/peer.py", LESSON.folder);
    for option in ["--url=http://127.0.0.1/", "--to=/there/is/none"] {
        let ended = Run::other("python3", &[&peer, option]).end();
        ended.refused(2, &["give both --url and --to"]);
    }
}

#[test]
fn folders_that_are_not_for_pictures_are_refused() {
    let place = Place::new();
    fs::create_dir(place.to()).expect("it can be made");
    fs::write(place.to().join("letter.txt"), "dear").expect("and written to");
    let ended = place.run(&[]).end();
    ended.refused(1, &["something else is in it", "name a folder"]);
    assert_eq!(place.files().len(), 1);
    for (to, why) in [
        ("/proc/pictures", "No such file or directory"),
        ("/there/is/none/such", "there is no \"/there/is/none\" to make it in"),
        ("/dev/null", "Not a directory"),
    ] {
        let ended = Run::new(LESSON, &["--to", to]).end();
        ended.refused(1, &[to, why, "name a folder"]);
    }
}

/// A disk with little room, where one can be had.
#[test]
fn a_full_disk_is_named_and_what_is_there_is_whole() {
    if !may_mount("image-scraper: a full disk") {
        return;
    }
    let place = Place::new();
    let (to, kept) = (place.to(), place.0.path().join("kept"));
    for folder in [&to, &kept] {
        fs::create_dir(folder).expect("it can be made");
    }
    let script = format!(
        "mount -t tmpfs -o size=256k none {to} && {binary} --to {to} \"$@\"; \
         code=$?; cp -a {to}/. {kept}; exit $code",
        to = to.display(),
        kept = kept.display(),
        binary = LESSON.binary
    );
    let args =
        ["--mount", "--propagation", "private", "sh", "-c", &script, "sh"];
    let mut run = Run::other("unshare", &args);
    let trace = run.trace_path();
    run.command.args(["--speed", "20", "--trace"]).arg(trace);
    let ended = run.end();
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    let all = ended.stdout.clone() + &ended.stderr;
    assert!(all.contains("No space left on device"), "{all}");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let known: BTreeSet<_> = all_pictures().into_values().collect();
    let mut found = 0;
    for entry in fs::read_dir(kept).expect("it is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name::is_of_a_picture(&name) {
            let bytes = fs::read(&path).expect("it is a file");
            assert!(known.contains(&bytes), "{name} is no whole picture");
            found += 1;
        }
    }
    assert!(found > 0, "there was room for some");
}

#[test]
fn a_killed_process_loses_what_it_had_in_its_hands_and_no_more() {
    let place = Place::new();
    let run = place.run(&["--speed", "2"]);
    let trace = run.trace_path();
    let ended = run.end_after(|_| {
        let mut worker = None;
        testkit::until("a process has stored some", || {
            let trace = Trace::read(&trace).unwrap_or_default();
            let mut stores = happened(trace.events(), "stores").skip(8);
            worker = stores.next().map(|event| event.pid);
            worker.is_some()
        });
        let worker = Pid::from_raw(worker.expect("it was found"));
        kill(worker, Signal::SIGKILL).expect("it works");
    });
    let lost = ended.stdout.matches("killed by SIGKILL").count();
    assert!((1..=4).contains(&lost), "{lost}: {}", ended.stdout);
    ended.refused(1, &[&format!("{lost} not had"), "run it again"]);
    place.run(&[]).end().well();
    assert_eq!(place.pictures(), all_pictures());
}

#[test]
fn rules_for_robots() {
    let may = |text: &str, path: &str| {
        let url = parsed(&format!("http://x{path}"));
        Robots::read(text.as_bytes()).allow(&url)
    };
    let all = |rules: &str| format!("User-agent: *\n{rules}");
    for (rules, path, expected) in [
        ("", "/a", true),
        ("Disallow:", "/a", true),
        ("Disallow: /", "/a", false),
        ("Disallow: /a", "/a/b", false),
        ("Disallow: /a", "/b/a", true),
        ("Disallow: /a\nAllow: /a/b", "/a/b", true),
        ("Allow: /a/b\nDisallow: /a", "/a/c", false),
        ("Allow: /a\nDisallow: /a", "/a", true),
        ("Disallow: /*.png$", "/a/1.png", false),
        ("Disallow: /*.png$", "/a/1.png?x", true),
        ("Disallow: /*/b*c", "/a/b/d/c", false),
        ("Disallow: /*/b*c", "/a/d/c", true),
        ("Disallow: *b", "/ab", false),
        ("Disallow: /a$", "/a", false),
        ("Disallow: /a$", "/ab", true),
        ("disallow : /a # not there", "/a", false),
        ("Crawl-delay: 5\nDisallow: /a", "/a", false),
        ("\nDisallow: /a", "/a", false),
        ("Disallow: /a\r\nDisallow: /b\r", "/b", false),
        // RFC 9309, 2.2.2.
        ("Disallow: /\u{56fe}/", "/\u{56fe}/a", false),
        ("Disallow: /\u{56fe}/", "/%e5%9b%be/a", false),
        ("Disallow: /%E5%9B%BE/", "/\u{56fe}/a", false),
        ("Disallow: /private/", "/%70rivate/", false),
        ("Disallow: /%70rivate/", "/private/", false),
        ("Disallow: /%7Eanna", "/~anna", false),
        ("Disallow: /a%2fb", "/a%2Fb", false),
        ("Disallow: /a%2Fb", "/a/b", true),
        ("Disallow: /a%", "/a%", false),
        ("Disallow: /a%2", "/a%2", false),
    ] {
        assert_eq!(may(&all(rules), path), expected, "{rules:?} {path}");
    }
    let own = "User-agent: x\nUser-agent: Image-Scraper\nDisallow: /own\n\n\
               User-agent: *\nDisallow: /\n";
    assert!(may(own, "/all") && !may(own, "/own"));
    let marked = format!("\u{feff}{}", all("Disallow: /a"));
    assert!(!may(&marked, "/a"));
    let other = "User-agent: other\nDisallow: /\n";
    assert!(may(other, "/all"));
}

#[test]
fn names_are_those_of_files_in_the_folder() {
    let name =
        |path: &str| name::file_name(&parsed(&format!("http://x{path}")));
    for (path, stem, ending) in [
        ("/1.png", "1", ".png"),
        ("/a/b/photo.JPEG?size=2", "photo", ".jpeg"),
        ("/..%2F..%2Fetc%2Fpasswd", "etc_passwd", ""),
        ("/%2e%2e%2f%2e%2e", "picture", ""),
        ("/.bashrc", "bashrc", ""),
        ("/-rf.png", "rf", ".png"),
        ("/%00%0A%1B.png", "picture", ".png"),
        ("/", "picture", ""),
        ("/图.png", "图", ".png"),
        ("/a.b.c.longest-ending", "a_b_c_longest-ending", ""),
    ] {
        let name = name(path);
        let hash = name
            .strip_prefix(stem)
            .and_then(|name| name.strip_prefix('-')?.strip_suffix(ending));
        let digits = hash.is_some_and(|hash| hash.len() == 8);
        assert!(digits, "{path}: {name}");
    }
    for path in ["/etc/x-00000000", "../x-00000000.png", "/x-00000000"] {
        assert!(!name::is_of_a_picture(path), "{path}");
    }
    assert_ne!(name("/a/1.png"), name("/b/1.png"));
    assert_ne!(name("/1.png?a"), name("/1.png?b"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_address_makes_a_name_in_the_folder(
        path in any::<String>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let encoded: String =
            bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        for path in [path, encoded] {
            let Ok(url) = parsed("http://x/a/").join(&path) else { continue };
            let name = name::file_name(&url);
            assert!((9..=255).contains(&name.len()), "{name:?}");
            assert!(!name.starts_with(['.', '-']), "{name:?}");
            assert!(!name.contains(['/', '\\', '\0']), "{name:?}");
            assert!(!name.contains(char::is_control), "{name:?}");
            assert!(name::is_of_a_picture(&name), "{name:?}");
            assert_eq!(Path::new(&name).components().count(), 1);
            assert_eq!(name::file_name(&url), name);
        }
    }

    #[test]
    fn any_bytes_are_html(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        text in "(<(a|img|script|title|!--|/a)\
                ( (href|src)=)?['\"/>a-z0-9.%# ]{0,8}){0,40}",
    ) {
        let page = parsed("http://host/gallery/");
        for html in [bytes, text.into_bytes()] {
            let found = links::links(&html, &page);
            for url in found.pages.iter().chain(&found.pictures) {
                assert_eq!(url.scheme(), "http");
                assert!(url.fragment().is_none() && url.as_str().len() <= 2000);
            }
        }
    }

    #[test]
    fn any_bytes_are_rules_for_robots(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        rules in "((dis)?allow|user-agent): ?[/*$a-c]{0,12}\n",
        path in "[/a-c?]{0,30}",
    ) {
        let url = parsed("http://host/").join(&format!("/x{path}"));
        let url = url.expect("of plain letters");
        Robots::read(&bytes).allow(&url);
        let text = format!("User-agent: *\n{rules}").repeat(3);
        Robots::read(text.as_bytes()).allow(&url);
    }
}
