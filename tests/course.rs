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
    let folders = folders.map(|folder| folder.expect("they can be read"));
    let mut lessons: Vec<_> = folders
        .filter(|folder| folder.path().is_dir())
        // What Python keeps of a module is no lesson.
        .filter(|folder| folder.file_name() != "__pycache__")
        .map(|folder| {
            let name = folder.file_name();
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
    // Tested below or run by continuous integration (bench, check, lessons,
    // test), but for what takes too long: the sweep of all, and soak and storm
    // for longer than the tests of those names; compare and pictures are
    // tested in their parts, and with a lesson that there is not.
    let known = [
        "bench", "book", "check", "compare", "completions", "default",
        "lesson", "lessons", "peer", "pictures", "plan", "python", "site",
        "soak", "storm", "sweep", "test", "walk",
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
fn a_plan_keeps_to_its_time() {
    let planned = just(&["plan"]);
    assert!(planned.status.success(), "{}", text(&planned.stderr));
    let planned = text(&planned.stdout);
    let sessions: Vec<_> = planned.split("\n\n\n").collect();
    assert_eq!(sessions.len(), 4, "{planned}");
    let mut in_short_ones = 0;
    for (session, limit) in sessions.iter().zip([90, 90, 90, 360]) {
        let mut now = 0;
        let mut held = Vec::new();
        for row in session.lines().skip(3).take_while(|row| !row.is_empty()) {
            assert!(row.chars().count() <= 80, "{row}");
            let cells: Vec<_> = row.split_whitespace().collect();
            let (hour, minute) = cells[0].split_once(':').expect("a time");
            let time = |part: &str| part.parse::<u32>().expect("a number");
            assert_eq!(time(hour) * 60 + time(minute), now, "{session}");
            if cells[1] == "end" {
                continue;
            }
            now += time(cells[1]);
            if cells[2] != "break" {
                held.push((time(cells[2]), cells[3].to_owned()));
            }
        }
        assert!(now > limit * 3 / 4 && now <= limit, "{session}");
        assert!(held.is_sorted(), "{session}");
        let home = session.split("To read at home:").nth(1);
        let home = home.expect("there is a part for home").replace('\n', " ");
        let home: Vec<_> = home.split([',', '.']).map(str::trim).collect();
        let here = lessons().into_iter().filter(|(number, package)| {
            let number = number.parse().expect("a number");
            let held = held.contains(&(number, package.clone()));
            let home = home.contains(&format!("{number} {package}").as_str());
            assert!(!(held && home), "{package} twice:\n{session}");
            held || home
        });
        let here = here.count();
        match limit {
            90 => in_short_ones += here,
            _ => assert_eq!(here, lessons().len(), "{session}"),
        }
    }
    let before = |lesson: &&(String, String)| lesson.0.as_str() < "32";
    assert_eq!(in_short_ones, lessons().iter().filter(before).count());
}

#[test]
fn a_shell_completes_lessons_and_recipes() {
    let completed = |words: &[&str]| {
        let script = format!(
            "eval \"$(just completions)\"
            COMP_WORDS=(just {}); COMP_CWORD={}; COMP_LINE=\"${{COMP_WORDS[*]}}\"
            _complete_course 2>/dev/null
            echo \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len()
        );
        let mut bash = Command::new("bash");
        let output = bash.args(["-c", &script]).current_dir(top()).output();
        text(&output.expect("bash can be run").stdout)
    };
    for recipe in ["lesson", "walk", "peer", "compare", "pictures"] {
        assert_eq!(completed(&[recipe, "joinable"]), "joinable-queue\n");
    }
    assert!(completed(&["wal"]).contains("walk"), "{}", completed(&["wal"]));
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
    for recipe in ["lesson", "walk", "pictures"] {
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
    // A lesson with points, and with no options of its own.
    let help = just(&["lesson", "race", "--help"]);
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
            "-r", "README.md", "LICENSE-MIT", "LICENSE-APACHE", "book.toml",
            "lessons", "tests",
        ])
        .arg(place.path())
        .current_dir(top())
        .status();
    assert!(copied.expect("cp can be run").success());
    place
}

fn check(course: &Path) -> (Option<i32>, String) {
    let output = run_program(course, "course", &["check"]);
    (output.status.code(), text(&output.stderr))
}

/// A program behind the justfile, in another folder.
fn run_program(course: &Path, program: &str, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "shared", "--bin", program])
        .args(["--features", program, "--manifest-path"])
        .arg(top().join("Cargo.toml"))
        .arg("--")
        .args(args)
        .current_dir(course)
        .output();
    output.expect("cargo can be run")
}

#[test]
fn the_book_leads_nowhere_in_vain() {
    let course = copy_of_the_course();
    let book = |args: &[&str]| {
        let output = run_program(course.path(), "book", args);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let check = ["--check", "target/book"];
    let (code, _, said) = book(&check);
    assert_eq!(code, Some(1), "there is none yet");
    assert!(said.contains("`just book` makes it"), "{said}");
    let (code, made, said) = book(&[]);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(made.starts_with("./target/book/index.html: "), "{made}");
    assert!(made.ends_with(" pages, 0 faults\n"), "{made}");
    // All that makes a chapter is in it.
    let top = course.path().join("target/book");
    let read = |page: &str| {
        fs::read_to_string(top.join(page)).expect("there is such a page")
    };
    let contents = read("toc.html");
    for (number, package) in lessons() {
        let page = format!("{number}-{package}/index.html");
        assert!(contents.contains(&format!("href=\"{page}\"")), "{page}");
        assert!(read(&page).contains("id=\"for-the-teacher\""), "{page}");
    }
    // A step's code stands in its chapter as the source has it.
    let lock = read("12-lock/index.html");
    assert!(lock.contains("id=\"nobody_locks\""), "{lock}");
    assert!(lock.contains("fn nobody_locks(stage: &amp;Stage)"), "{lock}");
    let lock = read("12-lock/src/main.rs.html");
    assert!(lock.contains("fn nobody_locks"), "{lock}");
    assert!(read("searchindex.js").contains("last tickets"));
    type Doctor = fn(&Path);
    let faults: [(&str, Doctor); 4] = [
        ("one_at_a_time.svg`, which is not there", |book| {
            remove(book, "12-lock/one_at_a_time.svg");
        }),
        ("GLOSSARY.html: links to `20-semaphore/index.html`", |book| {
            remove(book, "20-semaphore/index.html");
        }),
        ("links to `#why`: there is no such part", |book| {
            change(book, "21-event/index.html", "id=\"why\"", "id=\"how\"");
        }),
        ("needs the network for https://example.org/x.png", |book| {
            let far = "<img src=\"https://example.org/x.png\"></main>";
            change(book, "22-thread-pool/index.html", "</main>", far);
        }),
    ];
    for (_, doctor) in faults {
        doctor(&top);
    }
    let (code, _, said) = book(&check);
    assert_eq!(code, Some(1));
    for (fault, _) in faults {
        assert!(said.contains(fault), "`{fault}` is not in: {said}");
    }
}

#[test]
fn nothing_is_missing() {
    let course = copy_of_the_course();
    assert_eq!(check(course.path()), (Some(0), String::new()));
}

#[test]
fn each_kind_of_fault_is_found() {
    type Doctor = fn(&Path);
    let faults: &[(&str, Doctor)] = &[
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
        ("the chapter has no `What is always true` in", |top| {
            let name = "lessons/02-fork/README.md";
            change(top, name, "What is always true", "What I saw too");
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
        ("the step `left_to_luck` has no /// comment", |top| {
            change(
                top,
                "lessons/17-race/src/outcomes.rs",
                "200 runs\n/// would pass a test?",
                "200 runs\n// would pass a test?",
            );
        }),
        ("the step `by_hand` has 2 right choices, not one", |top| {
            let (wrong, right) = ("/// - [ ] ", "/// - [x] ");
            change(top, "lessons/17-race/src/by_hand.rs", wrong, right);
        }),
        ("the step `by_hand` has choices and no question", |top| {
            let (asks, tells) = ("What can come out?", "See what comes.");
            change(top, "lessons/17-race/src/by_hand.rs", asks, tells);
        }),
        ("has 1 choices, not 2 to 4", |top| {
            let name = "lessons/17-race/src/by_hand.rs";
            let path = top.join(name);
            let text = fs::read_to_string(&path).expect("it is there");
            let wrong = |line: &&str| !line.starts_with("/// - [ ]");
            let lines: Vec<_> = text.lines().filter(wrong).collect();
            fs::write(path, lines.join("\n")).expect("it can be written");
        }),
        ("the step `by_hand`: wider than 70:", |top| {
            let wide = format!("/// - [ ] {}", "wide ".repeat(20));
            let name = "lessons/17-race/src/by_hand.rs";
            change(top, name, "/// - [ ] ", &wide);
        }),
        ("src/main.rs has no `lesson![...]`", |top| {
            let name = "lessons/02-fork/src/main.rs";
            change(top, name, "lesson![", "lessons![");
        }),
        ("its Cargo.toml does not name tests/fork.rs", |top| {
            let name = "lessons/02-fork/Cargo.toml";
            change(top, name, "tests/fork.rs", "tests/spoon.rs");
        }),
        ("the package has another name than the folder", |top| {
            let name = "lessons/02-fork/Cargo.toml";
            change(top, name, "name = \"fork\"", "name = \"spoon\"");
        }),
        ("plan: there is no lesson `semaphore`", |top| {
            let lessons = top.join("lessons");
            let renamed = fs::rename(
                lessons.join("20-semaphore"),
                lessons.join("20-seats"),
            );
            renamed.expect("it can be renamed");
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
        ("no time for core lesson `lock`", |top| {
            let name = "lessons/12-lock/README.md";
            change(top, name, "20 minutes;", "50 minutes;");
        }),
        ("there is no core lesson `isolation`", |top| {
            let lessons = top.join("lessons");
            let renamed = fs::rename(
                lessons.join("05-isolation"),
                lessons.join("05-apart"),
            );
            renamed.expect("it can be renamed");
        }),
        ("there is no lessons/GLOSSARY.md", |top| {
            remove(top, "lessons/GLOSSARY.md");
        }),
        ("12-lock: 琐 is not in lessons/GLOSSARY.md", |top| {
            change(top, "lessons/12-lock/README.md", "(锁)", "(琐)");
        }),
        ("the chapter of lesson 19 has no 锁死", |top| {
            change(top, "lessons/GLOSSARY.md", "| 死锁 |", "| 锁死 |");
        }),
        ("`[12](12-look/README.md)`, which is no link to a", |top| {
            let (from, to) = ("[12](12-lock/", "[12](12-look/");
            change(top, "lessons/GLOSSARY.md", from, to);
        }),
        ("`atomic number` comes after `zebra`", |top| {
            let name = "lessons/GLOSSARY.md";
            change(top, name, "| asynchronous |", "| zebra |");
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
