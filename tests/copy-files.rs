//! Lesson 13: a copy is the same as its source, or it is not there.

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::{Pid, Uid, mkfifo};
use shared::trace::{Event, Trace};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, FileTimes, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{
    DirBuilderExt, FileExt, MetadataExt, PermissionsExt, symlink,
};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use testkit::{
    Change, Check, Ended, Lesson, Run, Screen, happened, may_mount, noted,
};

const LESSON: Lesson = Lesson {
    package: "copy-files",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_copy-files"),
};

/// The steps that copy what `--from` names.
const WAYS: [&str; 2] = ["serially", "with_a_pool"];

testkit::battery!(LESSON);

#[test]
fn claims_are_proven_and_can_fail() {
    LESSON.prove(&[
        Check {
            step: "serially",
            claim: "files with other bytes",
            proven: |events| same(events, "copier", "bytes"),
            broken: HALF,
        },
        Check {
            step: "serially",
            claim: "other names, links, permissions, times",
            proven: |events| same(events, "copier", "rest"),
            broken: UNDRESSED,
        },
        Check {
            step: "with_a_pool",
            claim: "files with other bytes",
            proven: |events| same(events, "parent", "bytes"),
            broken: HALF,
        },
        Check {
            step: "with_a_pool",
            claim: "other names, links, permissions, times",
            proven: |events| same(events, "parent", "rest"),
            broken: UNDRESSED,
        },
        Check {
            step: "with_a_pool",
            claim: "workers that copied: all of them",
            proven: |events| {
                let cores = available_parallelism().expect("they are known");
                let spans = happened(events, "copies");
                let pids: BTreeSet<_> = spans.map(|span| span.pid).collect();
                let mut said = happened(events, "say");
                let parent = said.next().map(|said| said.pid);
                // Whether they copied at one moment is the scheduler's affair.
                pids.len() == cores.get().max(2)
                    && parent.is_some_and(|parent| !pids.contains(&parent))
            },
            broken: (
                "main.rs",
                "        meeting.come()?; // so that none is left out
        Ok((copy.file_told(number, &worker)?, process::id()))
    };
    let pool = Pool::new(workers, job)?;",
                "        let _ = &meeting;
        Ok((copy.file_told(number, &worker)?, process::id()))
    };
    let pool = Pool::new(1, job)?;",
            ),
        },
        Check {
            step: "more_than_bytes",
            claim: "the name that is no text: there",
            proven: |events| {
                seen(events, "caf\\xE9")[1] == "rw-r--r-- 20 bytes"
            },
            broken: (
                "copy.rs",
                "false => self.to.join(&item.path),",
                "false => self.to.join(&*item.path.to_string_lossy()),",
            ),
        },
        Check {
            step: "more_than_bytes",
            claim: "the file of holes: its blocks, as a part of the source's",
            proven: |events| {
                let on_disk = seen(events, "holes").map(|look| {
                    let kib = look.strip_suffix(" KiB on the disk")?;
                    kib.rsplit(' ').next()?.parse::<u64>().ok()
                });
                let [Some(there), Some(here)] = on_disk else { return false };
                there > 0 && here <= 2 * there
            },
            broken: FILLED_AND_UNDRESSED,
        },
        Check {
            step: "more_than_bytes",
            claim: "permissions: as they were",
            proven: |events| {
                let [program, locked] = ["program", "locked"]
                    .map(|name| seen(events, name)[1].clone());
                program == "rwxr-xr-x 10 bytes" && locked == "folder r-xr-xr-x"
            },
            broken: FILLED_AND_UNDRESSED,
        },
        Check {
            step: "more_than_bytes",
            claim: "links: to where they led",
            proven: |events| {
                [
                    ("link to a file", "link to \"empty\""),
                    ("link to a folder", "link to \"locked\""),
                    ("link to itself", "link to \"link to itself\""),
                    ("link to nowhere", "link to \"/no/such/file\""),
                ]
                .iter()
                .all(|(name, target)| seen(events, name)[1] == *target)
            },
            broken: LINKS_TO_NOWHERE_AND_A_FIFO,
        },
        Check {
            step: "more_than_bytes",
            claim: "the fifo: not copied",
            proven: |events| seen(events, "fifo") == ["fifo", "-"],
            broken: LINKS_TO_NOWHERE_AND_A_FIFO,
        },
        Check {
            step: "worker_killed",
            claim: "written when it was killed: a part",
            proven: |events| {
                noted(events, "parent", "bytes written aside") == 2 << 20
            },
            broken: ("faults.rs", "if bytes == LARGE / 2", "if bytes == LARGE"),
        },
        Check {
            step: "worker_killed",
            claim: "its job: lost, and the signal is named",
            proven: |events| {
                let [(job, _), _] = rounds(events);
                job.contains("lost") && job.contains("killed by SIGKILL")
            },
            broken: (
                "faults.rs",
                "kill_one(&plan, &lost, &parent, &worker, 1)?",
                "kill_one(&plan, &lost, &parent, &worker, 2)?",
            ),
        },
        Check {
            step: "worker_killed",
            claim: "its name then: not in the copy",
            proven: |events| {
                let seen = happened(events, "there is a 001 in the copy");
                seen.map(|seen| &seen.args["value"]).eq([false; 2].iter())
            },
            broken: IN_PLACE,
        },
        Check {
            step: "worker_killed",
            claim: "missing in the copy, or too much",
            proven: the_rest_alone,
            broken: IN_PLACE,
        },
        Check {
            step: "worker_killed",
            claim: "missing in the copy, or too much",
            proven: the_rest_alone,
            broken: LEFT_BEHIND,
        },
        Check {
            step: "worker_killed",
            claim: "files with other bytes in the copy",
            proven: |events| {
                let [(_, files), _] = rounds(events);
                files.len() >= 5 && files.values().all(|size| *size == 10 << 10)
            },
            broken: IN_PLACE,
        },
        Check {
            step: "worker_killed",
            claim: "if it may begin twice: as the source",
            proven: |events| {
                let [_, (job, files)] = rounds(events);
                job == "done"
                    && files.len() == 6
                    && files.get("001") == Some(&(4 << 20))
            },
            broken: (
                "faults.rs",
                "kill_one(&plan, &again, &parent, &worker, 2)?",
                "kill_one(&plan, &again, &parent, &worker, 1)?",
            ),
        },
        Check {
            step: "changed_meanwhile",
            claim: "the one written to: refused",
            proven: |events| outcome(events, "001").contains("changed it"),
            broken: NOBODY_LOOKS,
        },
        Check {
            step: "changed_meanwhile",
            claim: "in the copy: the third alone",
            proven: |events| {
                ["001", "002", "003"].map(|name| outcome(events, name))[..]
                    .iter()
                    .map(|outcome| outcome.ends_with(" bytes"))
                    .eq([false, false, true])
            },
            broken: NOBODY_LOOKS,
        },
        Check {
            step: "changed_meanwhile",
            claim: "the one removed: named",
            proven: |events| {
                let told = outcome(events, "002");
                told.contains("\"002\"") && told.contains("No such file")
            },
            broken: ("faults.rs", "fs::remove_file(from.join(\"002\"))?;", ""),
        },
    ]);
}

/// Half of each file.
const HALF: Change = (
    "copy.rs",
    "dress(&copy, &before)?;\n    fs::rename(aside, to)?;",
    "copy.set_len(before.len() / 2)?;
    dress(&copy, &before)?;\n    fs::rename(aside, to)?;",
);

/// What a file is given besides its bytes is left out.
const UNDRESSED: Change = (
    "copy.rs",
    "dress(&copy, &before)?;\n    fs::rename(aside, to)?;",
    "fs::rename(aside, to)?;",
);

const FILLED_AND_UNDRESSED: Change = (
    "copy.rs",
    "dress(&copy, &before)?;\n    fs::rename(aside, to)?;",
    "let mut zeros = io::repeat(0).take(before.len());
    (&copy).seek(SeekFrom::Start(0))?;
    io::copy(&mut zeros, &mut &copy)?;
    fs::rename(aside, to)?;",
);

const LINKS_TO_NOWHERE_AND_A_FIFO: Change = (
    "copy.rs",
    "let from = self.plan.from.join(&link.path);",
    "let from = self.plan.from.join(\"link to nowhere\");
    let _ = nix::unistd::mkfifo(
        &self.to.join(\"fifo\"), nix::sys::stat::Mode::S_IRWXU);",
);

/// Written where the copy is to be, not aside.
const IN_PLACE: Change = (
    "copy.rs",
    "self.unfinished.join(number.to_string())",
    "{ let _ = number; self.at(&self.plan.files[number]) }",
);

/// What a killed worker wrote aside stays there.
const LEFT_BEHIND: Change = (
    "copy.rs",
    "fs::remove_dir_all(&self.unfinished)
            .map_err(cannot(\"remove\", &self.unfinished))?;",
    "",
);

const NOBODY_LOOKS: Change =
    ("copy.rs", "version(&before) == version(&after),", "true,");

/// Whether this of the source and of the copy was read as the same.
fn same(events: &[Event], track: &str, what: &str) -> bool {
    let [source, copy] = ["source", "copy"]
        .map(|tree| noted(events, track, &format!("{what} of the {tree}")));
    source.is_string() && source == copy
}

/// What was seen of it in the source and in the copy.
fn seen(events: &[Event], name: &str) -> [String; 2] {
    let both = noted(events, "copier", &format!("\"{name}\""));
    [0, 1].map(|at| both[at].as_str().unwrap_or_default().to_owned())
}

/// Of both kills what became of the job, and the sizes of the files that are in
/// the copy.
fn rounds(events: &[Event]) -> [(String, BTreeMap<String, u64>); 2] {
    let values =
        |name| happened(events, name).map(|event| &event.args["value"]);
    let mut jobs = values("the job").filter_map(|job| job.as_str());
    let mut copies = values("in the copy").filter_map(|files| files.as_array());
    [(); 2].map(|()| {
        let files = copies.next().into_iter().flatten();
        let files = files.filter_map(|file| {
            let (name, size) = file.as_str()?.rsplit_once(' ')?;
            Some((name.trim_matches('"').to_owned(), size.parse().ok()?))
        });
        (jobs.next().unwrap_or_default().to_owned(), files.collect())
    })
}

/// The five files that were not lost are in the copy, and no others.
fn the_rest_alone(events: &[Event]) -> bool {
    let [(_, files), _] = rounds(events);
    let names = (1..=5).map(|number| format!("small/{number:03}"));
    files.into_keys().eq(names)
}

fn outcome(events: &[Event], name: &str) -> String {
    let told = noted(events, "copier", &format!("the copy of {name}"));
    told.as_str().unwrap_or_default().to_owned()
}

#[test]
fn both_ways_copy_the_same_sample() {
    let ended = Run::new(LESSON, &[]).end().well();
    let hashes = |name| {
        let noted = happened(ended.trace.events(), name);
        noted.map(|event| event.args["value"].to_string()).collect::<Vec<_>>()
    };
    let sources = hashes("hash of the source");
    assert_eq!(sources.len(), WAYS.len());
    assert_eq!(sources[0], sources[1]);
    assert_eq!(sources, hashes("hash of the copy"));
}

#[test]
fn who_writes_meanwhile_is_told_what_helps() {
    let args = ["--step", "changed_meanwhile"];
    let ended = Run::new(LESSON, &args).end().well();
    let outcome = outcome(ended.trace.events(), "001");
    let advice = "; copy it when nobody writes to it: somebody changed it";
    assert!(outcome.contains(advice), "{outcome}");
}

/// A folder with a source in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("there is room"));
        fs::create_dir(place.from()).expect("for a folder");
        place
    }

    fn from(&self) -> PathBuf {
        self.0.path().join("source")
    }

    fn to(&self) -> PathBuf {
        self.0.path().join("target")
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = self.from().join(name);
        let folder = file.parent().expect("it is in a folder");
        fs::create_dir_all(folder).expect("which can be made");
        fs::write(file, text).expect("and written to");
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut run = Run::new(LESSON, args);
        run.command.arg("--from").arg(self.from());
        run.command.arg("--to").arg(self.to());
        run
    }
}

/// All that is to be the same in a copy, by the path below the root; read in
/// another way than the lesson does it.
fn all_of(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let found = fs::metadata(root.join(&folder)).expect("it is there");
        let state = format!("{:o} {:?}", found.mode(), found.modified());
        for entry in fs::read_dir(root.join(&folder)).expect("it is a folder") {
            let entry = entry.expect("which can be read");
            let path = folder.join(entry.file_name());
            let found = entry.metadata().expect("it is there");
            let kind = found.file_type();
            let mut state =
                format!("{:o} {:?}", found.mode(), found.modified());
            if kind.is_dir() {
                folders.push(path);
                continue;
            } else if kind.is_symlink() {
                let target = fs::read_link(entry.path()).expect("it is a link");
                state += &format!(" to {target:?}");
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).expect("it can be read");
                let sum: u64 = (1_u64..)
                    .zip(&bytes)
                    .map(|(at, byte)| at.wrapping_mul(u64::from(*byte)))
                    .fold(0, u64::wrapping_add);
                state += &format!(" {} bytes {sum}", bytes.len());
            } else {
                continue;
            }
            all.insert(path, state);
        }
        all.insert(folder, state);
    }
    all
}

/// Everything that one can find in a folder.
fn a_bit_of_everything(place: &Place) {
    let at = |name: &str| place.from().join(name);
    place.write("plain", "text\n");
    place.write("empty", "");
    place.write("two\nlines \u{1b}[31m", "a name that would be red\n");
    place.write(".unfinished-1", "the name that the copy would use\n");
    place.write(".unfinished-2/0", "and the next\n");
    place.write(&"n".repeat(255), "long\n");
    place.write(&format!("{}end", "d/".repeat(300)), "deep\n");
    let no_text = place.from().join(OsStr::from_bytes(b"\xFF\xFE caf\xE9"));
    fs::create_dir(&no_text).expect("it can be made");
    fs::write(no_text.join(OsStr::from_bytes(b"\x80")), "x")
        .expect("also in it");

    let large: Vec<u8> =
        (0..5_000_003_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    place.write("large", &large);
    let holes = File::create(at("holes")).expect("it can be made");
    holes.write_all_at(b"begin", 0).expect("and written to");
    holes.write_all_at(&large[..70_000], 9_000_001).expect("anywhere");
    holes.set_len(50_000_000).expect("and end in a hole");
    let all_hole = File::create(at("a hole")).expect("it can be made");
    all_hole.set_len(20_000_000).expect("and be nothing else");

    fs::hard_link(at("plain"), at("plain, too")).expect("it can be linked");
    for (target, link) in [
        ("plain", "link"),
        ("../source/d", "link to a folder"),
        ("no/such\nfile", "dangling"),
        ("loop", "loop"),
        ("/", "to the root"),
    ] {
        symlink(target, at(link)).expect("it can be linked");
    }
    symlink(OsStr::from_bytes(b"\xE9"), at("to no text")).expect("also so");
    mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("it can be made");
    UnixListener::bind(at("socket")).expect("it can be made");

    let long_ago = SystemTime::UNIX_EPOCH + Duration::new(1, 1);
    let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 30);
    DirBuilder::new().mode(0o700).create(at("sticky")).expect("it can be made");
    place.write("locked/by all", "not even by its owner\n");
    for (name, mode, time) in [
        ("plain", 0o644, long_ago),
        ("large", 0o600, early),
        ("empty", 0o6755, long_ago),
        ("locked/by all", 0o444, long_ago),
        ("locked", 0o555, long_ago),
        ("sticky", 0o1777, early),
        ("", 0o750, early),
    ] {
        let file = File::open(at(name)).expect("it can be opened");
        let times = FileTimes::new().set_modified(time);
        file.set_times(times).expect("it is ours");
        file.set_permissions(Permissions::from_mode(mode)).expect("it is ours");
    }
}

#[test]
fn a_tree_of_ones_own_is_copied_with_everything() {
    let place = Place::new();
    a_bit_of_everything(&place);
    let version = || {
        let found = place.from().metadata().expect("it is there");
        (all_of(&place.from()), found.ctime(), found.ctime_nsec())
    };
    let before = version();
    let ended = place.run(&[]).end().well();
    assert_eq!(before, version(), "the source is only read");
    for way in WAYS {
        let copy = place.to().join(way);
        assert_eq!(all_of(&copy), before.0, "{way}");
        let blocks = |name| {
            let [there, here] = [place.from(), copy.clone()]
                .map(|tree| tree.join(name).metadata().expect("it is there"));
            (there.blocks(), here.blocks())
        };
        for name in ["holes", "a hole"] {
            let (there, here) = blocks(name);
            assert!(here <= 2 * there + 8, "{way}: {name}: {here} of {there}");
        }
        let ino = |name| copy.join(name).metadata().expect("it is there").ino();
        assert_ne!(ino("plain"), ino("plain, too"), "a file each");
        for (name, kind) in [("fifo", "fifo"), ("socket", "socket")] {
            assert!(
                !fs::exists(copy.join(name)).expect("the copy can be read")
            );
            let told = format!("not copied: \"{name}\", a {kind}");
            assert_eq!(
                ended.stdout.matches(&told).count(),
                2,
                "{}",
                ended.stdout
            );
        }
    }
    let names = names(&place.to());
    assert_eq!(names, WAYS);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let names = entries.map(|entry| {
        let name = entry.expect("and what is in it").file_name();
        name.to_string_lossy().into_owned()
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn steps_with_a_sample_of_their_own_say_so() {
    let place = Place::new();
    let steps = LESSON.steps().into_iter();
    for step in steps.filter(|step| !WAYS.contains(&step.as_str())) {
        let ended = place.run(&["--step", &step]).end().well();
        for words in ["it has a sample of its own", "nothing to claim"] {
            assert!(ended.stdout.contains(words), "{step}: {}", ended.stdout);
        }
    }
    assert_eq!(names(place.0.path()), ["source"]);
}

#[test]
fn few_files_and_none() {
    for files in 0..=2 {
        let place = Place::new();
        for number in 0..files {
            place.write(&number.to_string(), "x");
        }
        fs::create_dir(place.to()).expect("an empty one will do");
        for way in WAYS {
            let mut run = Run::new(LESSON, &["--step", way]);
            let to = place.to().join(way);
            run.command.arg("--from").arg(place.from()).arg("--to").arg(&to);
            run.end().well();
            assert_eq!(all_of(&to.join(way)), all_of(&place.from()));
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_sample() {
    let copied = |seed| {
        let args = ["--step", "serially", "--seed", seed];
        let ended = Run::new(LESSON, &args).end().well();
        let mut said = happened(ended.trace.events(), "say");
        let text = said.find_map(|said| said.args["text"].as_str());
        let text = text.expect("it says what it has copied").to_owned();
        text.split(" in ").next().unwrap_or_default().to_owned()
    };
    let first = copied("1");
    assert_eq!(copied("1"), first);
    assert_ne!(copied("2"), first);
}

#[test]
fn bad_sources_and_targets_are_named_and_left_alone() {
    let place = Place::new();
    place.write("file", "text");
    place.write("folder/file", "text");
    let top = place.0.path().display().to_string();
    fs::create_dir_all(format!("{top}/full/of")).expect("it can be made");
    symlink("source/folder", format!("{top}/link")).expect("also a link");
    symlink("nowhere", format!("{top}/dangling")).expect("also so");
    let before = all_of(place.0.path());
    let refused = |from: &str, to: &str, words: &[&str]| {
        for way in WAYS {
            let (from, to) = (format!("{top}/{from}"), format!("{top}/{to}"));
            let args = ["--from", &from, "--to", &to, "--step", way];
            Run::new(LESSON, &args).end().refused(1, words);
            assert_eq!(all_of(place.0.path()), before, "{from} {to}");
        }
    };
    refused("missing", "new", &["missing", "No such file", "name a folder"]);
    refused("source/file", "new", &["source/file", "Not a directory"]);
    let inside = ["name a folder that is missing", "it is in the source"];
    for to in [
        "source", "source/new", "source/folder/new", "source/folder/../new",
        "full/../source/new", "link", "link/new",
    ] {
        refused("source", to, &inside);
    }
    // Also by what leads to the source itself.
    refused("link", "source/folder/new", &inside);
    refused("source", "full", &["full", "\"of\" is in it already"]);
    refused("source", "link/file", &["it is in the source"]);
    refused("full", "source/file", &["source/file", "Not a directory"]);
    refused("source", "no/new", &["no/new", "No such file"]);
    refused("source", "dangling", &["dangling", "File exists"]);
    refused("source/folder", "source", &["\"file\" is in it already"]);
    for lonely in [["--from", "x"], ["--to", "x"]] {
        Run::new(LESSON, &lonely).end().refused(2, &["--from", "--to"]);
    }
}

#[test]
fn a_second_copy_to_the_same_place_is_refused() {
    let place = Place::new();
    place.write("file", "text");
    place.run(&["--step", "serially"]).end().well();
    let before = all_of(&place.to());
    let ended = place.run(&[]).end();
    ended.refused(1, &["target", "\"serially\" is in it already"]);
    assert_eq!(all_of(&place.to()), before);
}

#[test]
fn a_step_that_is_run_again_begins_anew() {
    let place = Place::new();
    place.write("locked/file", "text");
    let mode = Permissions::from_mode(0o555);
    fs::set_permissions(place.from().join("locked"), mode).expect("it is ours");
    let [from, to] =
        [place.from(), place.to()].map(|path| path.display().to_string());
    let keys = [
        ("Enter: begin", "\r"),
        ("Enter: run", "\r"),
        ("r: run again", "r"),
        ("r: run again", "q"),
    ];
    let args = ["--walk", "--step", "serially", "--from", &from, "--to", &to];
    // So high that the code fills one screen.
    let screen = Screen::on(LESSON, (200, 80), &args, &keys);
    assert_eq!(screen.code, Some(0), "{}", screen.text());
    assert_eq!(all_of(&place.to().join("serially")), all_of(&place.from()));
}

/// A copy by somebody whom permissions bind.
fn copied_by_nobody(place: &Place, way: &str) -> Ended {
    let mode = Permissions::from_mode(0o777);
    fs::set_permissions(place.0.path(), mode).expect("it is ours");
    let (from, to) = (place.from(), place.to());
    let [from, to] = [&from, &to].map(|path| path.as_os_str());
    let [step, way] = ["--step", way].map(OsStr::new);
    let [from_is, to_is] = ["--from", "--to"].map(OsStr::new);
    by_nobody(&[step, way, from_is, from, to_is, to])
}

fn by_nobody(args: &[&OsStr]) -> Ended {
    let open = tempfile::tempdir().expect("there is room");
    let binary = open.path().join("lesson");
    testkit::copy_program(LESSON.binary, &binary);
    let mode = Permissions::from_mode(0o777);
    fs::set_permissions(open.path(), mode).expect("it is ours");
    let mut run = Run::other(&binary.display().to_string(), &["--speed=20"]);
    run.command.args(args).env("TMPDIR", open.path()).current_dir("/");
    if Uid::effective().is_root() {
        run.command.uid(65_534).gid(65_534);
    }
    let ended = run.end();
    assert_eq!(names(open.path()), ["lesson"]);
    ended
}

#[test]
fn what_may_not_be_read_is_named() {
    for name in ["two", "folder"] {
        let place = Place::new();
        for file in ["one", "two", "three", "folder/four"] {
            place.write(file, "text");
        }
        let secret = place.from().join(name);
        let mode = |mode| {
            let mode = Permissions::from_mode(mode);
            fs::set_permissions(&secret, mode).expect("it is ours");
        };
        mode(0o000);
        for way in WAYS {
            let ended = copied_by_nobody(&place, way);
            ended.refused(
                1,
                &[&secret.display().to_string(), "Permission denied"],
            );
            assert_eq!(names(place.0.path()), ["source"], "nothing is kept");
        }
        mode(0o700);
    }
}

#[test]
fn who_is_not_root_copies_what_nobody_may_write_to() {
    let place = Place::new();
    place.write("locked/inner/file", "text");
    place.write("program", "text");
    for (name, mode) in
        [("locked/inner", 0o555), ("locked", 0o555), ("program", 0o4755)]
    {
        let mode = Permissions::from_mode(mode);
        fs::set_permissions(place.from().join(name), mode).expect("it is ours");
    }
    for way in WAYS {
        let ended = copied_by_nobody(&place, way);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        let mode = |name: &str| {
            let found = place.to().join(way).join(name).metadata();
            found.expect("it is there").mode() & 0o7777
        };
        assert_eq!(mode("locked/inner"), 0o555);
        // It would run as somebody else.
        let root = Uid::effective().is_root();
        assert_eq!(mode("program"), if root { 0o755 } else { 0o4755 });
        fs::remove_dir_all(place.to()).expect("it can be removed");
    }
    let ended = by_nobody(&[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

#[test]
fn a_path_that_would_be_too_long_is_named() {
    let place = Place::new();
    let mut deep = place.from();
    while deep.as_os_str().len() < 3_800 {
        deep.push("d".repeat(100));
    }
    fs::create_dir_all(&deep).expect("so long a path is allowed");
    let to = place.0.path().join("t".repeat(250));
    for way in WAYS {
        let mut run = Run::new(LESSON, &["--step", way]);
        run.command.arg("--from").arg(place.from()).arg("--to").arg(&to);
        run.end().refused(1, &["cannot make the folder", "File name too long"]);
        assert_eq!(names(place.0.path()), ["source"], "nothing is kept");
    }
}

#[test]
fn a_file_that_may_not_be_so_large_is_named() {
    let place = Place::new();
    place.write("small", "text");
    place.write("too large", vec![7; 3 << 20]);
    for way in WAYS {
        let mut run = place.run(&["--step", way]);
        let limit = || {
            #[expect(unsafe_code, reason = "the limit is to be an error")]
            // SAFETY: to ignore a signal needs no handler.
            unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }?;
            Ok(setrlimit(Resource::RLIMIT_FSIZE, 2 << 20, 2 << 20)?)
        };
        // SAFETY: between fork and exec only signal(2) and setrlimit(2) are
        // called.
        #[expect(unsafe_code, reason = "only the lesson is to have the limit")]
        unsafe {
            run.command.pre_exec(limit)
        };
        let ended = run.end();
        ended.refused(1, &["too large\"", "File too large", "make room"]);
        assert_eq!(names(place.0.path()), ["source"], "nothing is kept");
    }
}

#[test]
fn no_space_is_named() {
    if !may_mount("copy-files: no space") {
        return;
    }
    let place = Place::new();
    place.write("small", "text");
    place.write("too large", vec![7; 3 << 20]);
    fs::create_dir(place.to()).expect("it can be made");
    for way in WAYS {
        let script = format!(
            "mount -t tmpfs -o size=2m none {to} && \
             {} --speed 20 --step {way} --from {} --to {to}; \
             code=$?; ls -A {to}; exit $code",
            LESSON.binary,
            place.from().display(),
            to = place.to().display(),
        );
        let args = ["--mount", "--propagation", "private", "sh", "-c", &script];
        let ended = Run::other("unshare", &args).end();
        ended.refused(1, &["No space left on device", "make room"]);
        // A worker may have filled the disk before the other has its room.
        let named = |name: &str| ended.stderr.contains(&format!("{name}\""));
        let small_too = way == WAYS[1] && named("small");
        assert!(named("too large") || small_too, "{}", ended.stderr);
        let last = ended.stdout.lines().last().unwrap_or_default();
        assert!(!last.contains(way), "left in the target: {last}");
    }
}

/// Who is done something to in the middle of a copy.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Run(Signal),
    Lesson,
    Worker,
}

#[test]
fn what_is_broken_off_is_not_kept() {
    let place = Place::new();
    for number in 0..1500 {
        place.write(&format!("{}/{number}", number % 10), vec![7; 20_000]);
    }
    let victims = [
        (Victim::Run(Signal::SIGINT), WAYS[0], 130),
        (Victim::Run(Signal::SIGTERM), WAYS[1], 143),
        (Victim::Lesson, WAYS[0], 1),
        (Victim::Worker, WAYS[1], 1),
    ];
    for (victim, way, code) in victims {
        // Whoever is quicker than the signal has a whole copy; then again.
        let mut tries = 0;
        loop {
            tries += 1;
            assert!(tries <= 20, "{victim:?}: always too late");
            let ended = break_off(&place, victim, way);
            if ended.code != 0 {
                assert_eq!(ended.code, code, "{victim:?}: {}", ended.stderr);
                break;
            }
            assert_eq!(all_of(&place.to().join(way)), all_of(&place.from()));
            fs::remove_dir_all(place.to()).expect("it can be removed");
        }
        assert_eq!(names(place.0.path()), ["source"], "{victim:?}");
    }
}

fn break_off(place: &Place, victim: Victim, way: &str) -> Ended {
    let run = place.run(&["--step", way]);
    let trace = run.trace_path();
    run.end_after(|child| {
        let mut pids = (0, 0);
        testkit::until("a file is copied", || {
            let trace = Trace::read(&trace).unwrap_or_default();
            let copier = happened(trace.events(), "copies").next();
            let lesson = trace.events().first();
            let Some((lesson, copier)) = lesson.zip(copier) else {
                return false;
            };
            pids = (lesson.pid, copier.pid);
            true
        });
        let (pid, signal) = match victim {
            Victim::Run(signal) => (child.id() as i32, signal),
            Victim::Lesson => (pids.0, Signal::SIGKILL),
            Victim::Worker => (pids.1, Signal::SIGKILL),
        };
        // It may just have ended.
        let _ = kill(Pid::from_raw(pid), signal);
    })
}
