//! The course as a whole: its recipes, its parts, its README.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn top() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize();
    top.expect("the tests stand below the top")
}

fn just(args: &[&str]) -> Output {
    let output = Command::new("just")
        .args(args)
        .current_dir(top())
        .stdin(Stdio::null())
        .output();
    output.expect("just is installed: cargo install --locked just")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The folders of the lessons, by number.
fn lessons() -> Vec<(String, String)> {
    let folders =
        fs::read_dir(top().join("lessons")).expect("there are lessons");
    let mut lessons: Vec<_> = folders
        .map(|folder| {
            let name = folder.expect("they can be read").file_name();
            let name = name.into_string().expect("with names in UTF-8");
            let (number, package) =
                name.split_once('-').expect("of the form NN-package");
            (number.to_owned(), package.to_owned())
        })
        .collect();
    lessons.sort();
    lessons
}

#[test]
fn every_recipe_is_known_here() {
    let recipes = text(&just(&["--summary"]).stdout);
    let mut recipes: Vec<&str> = recipes.split_whitespace().collect();
    recipes.sort_unstable();
    // Tested below or run by continuous integration (bench, check, test,
    // storm), which is too long for the sweep of all.
    let known = [
        "bench", "check", "default", "lesson", "lessons", "peer", "python",
        "site", "storm", "sweep", "test", "walk",
    ];
    assert_eq!(recipes, known);
}

#[test]
fn just_lists_the_lessons() {
    let listed = just(&[]);
    assert!(listed.status.success());
    let listed = text(&listed.stdout);
    let rows = listed.lines().map(str::trim_start);
    let rows =
        rows.filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let packages: Vec<_> =
        rows.filter_map(|row| row.split_whitespace().nth(1)).collect();
    let lessons = lessons();
    assert_eq!(
        packages,
        lessons.iter().map(|lesson| lesson.1.as_str()).collect::<Vec<_>>()
    );
    assert!(!listed.contains('?'), "a lesson has no minutes:\n{listed}");
}

#[test]
fn a_lesson_runs_by_number_and_by_name() {
    for lesson in ["20", "semaphore"] {
        let run =
            just(&["lesson", lesson, "--speed", "50", "--step", "five_inside"]);
        assert!(run.status.success(), "{}", text(&run.stderr));
        assert!(
            text(&run.stdout).contains("2 of 2 claims held"),
            "{}",
            text(&run.stdout)
        );
    }
}

#[test]
fn an_unknown_lesson_is_answered_by_the_list() {
    for recipe in ["lesson", "walk"] {
        for unknown in ["99", "nope", "", "-1"] {
            let run = just(&[recipe, unknown]);
            assert_eq!(run.status.code(), Some(2), "{recipe} {unknown}");
            let said = text(&run.stderr);
            assert!(unknown == "-1" || said.contains("fork"), "{said}");
        }
    }
}

#[test]
fn a_peer_runs_by_number() {
    let run = just(&["peer", "20", "--speed", "50"]);
    let said = text(&run.stdout);
    assert!(run.status.success(), "{}", text(&run.stderr));
    assert!(said.contains("figure\tbetween threads\t"), "{said}");
}

#[test]
fn the_site_is_served() {
    let site = Command::new("just")
        .args(["site", "--listen", "127.0.0.1:0", "--until-eof"])
        .current_dir(top())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut site = site.expect("just is installed");
    let mut url = String::new();
    let output = site.stdout.take().expect("its output is a pipe");
    BufReader::new(output).read_line(&mut url).expect("it says where it is");
    let address = url.trim_end().trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).expect("it listens there");
    let asked = socket.write_all(b"GET /json/8.8.8.8 HTTP/1.0\r\n\r\n");
    asked.expect("it can be asked");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("it answers");
    assert!(answer.contains("\"status\":\"success\""), "{answer}");
    drop(site.stdin.take());
    assert!(site.wait().expect("it ends").success());
}

#[test]
fn what_goes_to_one_file_is_for_one_lesson() {
    for option in ["--svg=x.svg", "--trace", "--perfetto", "--step", "--help"] {
        let run = just(&["lessons", option]);
        assert_eq!(run.status.code(), Some(2), "{option}");
        assert!(text(&run.stderr).contains("just lesson N"), "{option}");
    }
}

#[test]
fn options_reach_the_lesson_whole() {
    let run = just(&["lesson", "fork", "--step", "two words"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run.stderr).contains("'two words'"), "{}", text(&run.stderr));
    let run = just(&["walk", "fork"]);
    assert_eq!(run.status.code(), Some(2), "there is no terminal");
    assert!(text(&run.stderr).contains("--walk"), "{}", text(&run.stderr));
}

#[test]
fn all_lessons_end_in_one_table() {
    let run = just(&["lessons", "--speed", "50"]);
    let said = text(&run.stdout);
    assert!(run.status.success(), "{said}{}", text(&run.stderr));
    let table =
        said.rsplit("claims held  seconds").next().expect("there is a table");
    let rows: Vec<_> =
        table.lines().filter(|row| row.contains(" of ")).collect();
    assert_eq!(rows.len(), lessons().len(), "{table}");
    for row in rows {
        let cells: Vec<_> = row.split_whitespace().collect();
        let ["of", all] = cells[3..5] else { panic!("{row}") };
        assert!(cells[2] == all && all != "0", "{row}");
    }
    assert!(
        said.trim_end()
            .lines()
            .last()
            .is_some_and(|last| last.contains(" 0 failed"))
    );
    let wrong = just(&["lessons", "--speed", "0"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn the_readme_names_the_commands_that_are_run() {
    let readme =
        fs::read_to_string(top().join("README.md")).expect("there is a README");
    assert!(
        readme.contains("\n$ cargo install --locked just && just lessons\n")
    );
    assert!(readme.contains("\n$ cargo install --locked just && just test\n"));
    let options = readme
        .split("## Options of every lesson")
        .nth(1)
        .expect("a part about options");
    let help = just(&["lesson", "fork", "--help"]);
    let help = text(&help.stdout);
    let options = options.lines().filter_map(|row| row.strip_prefix("| `--"));
    let mut known = 0;
    for option in options {
        let name =
            option.split(['`', ' ']).next().expect("a row has an option");
        assert!(help.contains(&format!("--{name}")), "--{name}");
        known += 1;
    }
    let in_help =
        help.lines().filter(|line| line.trim_start().starts_with("--")).count();
    assert_eq!(known, in_help, "{help}");
}

/// A copy of what `course check` reads.
fn copy_of_the_course() -> TempDir {
    let place = tempfile::tempdir().expect("a temporary folder can be made");
    let copied = Command::new("cp")
        .args([
            "-r", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "lessons",
            "tests",
        ])
        .arg(place.path())
        .current_dir(top())
        .status();
    assert!(copied.expect("cp can be run").success());
    place
}

fn check(course: &Path) -> (Option<i32>, String) {
    let manifest = top().join("Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "shared", "--features", "course"])
        .args(["--bin", "course", "--manifest-path"])
        .arg(manifest)
        .args(["--", "check"])
        .current_dir(course)
        .output();
    let output = output.expect("cargo can be run");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn nothing_is_missing() {
    let course = copy_of_the_course();
    assert_eq!(check(course.path()), (Some(0), String::new()));
}

#[test]
fn each_kind_of_fault_is_found() {
    type Doctor = fn(&Path);
    let faults: [(&str, Doctor); 14] = [
        ("has no peer.py", |top| remove(top, "lessons/02-fork/peer.py")),
        ("has no README.md", |top| {
            remove(top, "lessons/25-greenlet/README.md")
        }),
        ("has no test tests/fork.rs", |top| remove(top, "tests/fork.rs")),
        ("have the same number", |top| {
            let lessons = top.join("lessons");
            let renamed = fs::rename(
                lessons.join("25-greenlet"),
                lessons.join("20-greenlet"),
            );
            renamed.expect("it can be renamed");
        }),
        ("the chapter's headings are not", |top| {
            change(top, "lessons/02-fork/README.md", "## Predict", "## Guess");
        }),
        ("the chapter's title is not", |top| {
            change(
                top,
                "lessons/02-fork/README.md",
                "# Fork: one",
                "# Fork: two",
            );
        }),
        ("does not begin with the lesson's question", |top| {
            change(
                top,
                "lessons/02-fork/README.md",
                "Who is who afterwards",
                "Who is it",
            );
        }),
        ("does not begin with `N minutes`", |top| {
            change(
                top,
                "lessons/02-fork/README.md",
                "20 minutes;",
                "Twenty minutes;",
            );
        }),
        ("which is not there", |top| {
            change(
                top,
                "lessons/02-fork/README.md",
                "](peer.py)",
                "](pear.py)",
            );
        }),
        ("the step `adopted` has no /// comment", |top| {
            change(
                top,
                "lessons/02-fork/src/ending.rs",
                "/// A parent ends before its child.",
                "// A parent ends before its child.",
            );
        }),
        ("two steps are called `adopted`", |top| {
            let (one, two) =
                ("ending::adopted,", "ending::adopted, limit::adopted,");
            change(top, "lessons/02-fork/src/main.rs", one, two);
        }),
        ("more than 140: move a part of it", |top| {
            let long = "mod child;\n".to_owned() + &"\n".repeat(140);
            change(top, "lessons/02-fork/src/main.rs", "mod child;\n", &long);
        }),
        ("src/limit.rs:1 is no line of 80 columns", |top| {
            let name = "lessons/02-fork/src/limit.rs";
            change(top, name, "//! ", &format!("//! {} ", "long".repeat(20)));
        }),
        ("README.md has no row", |top| {
            change(top, "README.md", "| 25 |", "| 26 |")
        }),
    ];
    for (fault, doctor) in faults {
        let course = copy_of_the_course();
        doctor(course.path());
        let (code, said) = check(course.path());
        assert_eq!(code, Some(1), "{fault}");
        assert!(said.contains(fault), "`{fault}` is not in: {said}");
    }
}

fn remove(top: &Path, file: &str) {
    fs::remove_file(top.join(file)).expect("the file was there");
}

fn change(top: &Path, file: &str, from: &str, to: &str) {
    let path = top.join(file);
    let text = fs::read_to_string(&path).expect("the file is there");
    assert!(text.contains(from), "{file} has no `{from}`");
    fs::write(path, text.replacen(from, to, 1)).expect("it can be written");
}
