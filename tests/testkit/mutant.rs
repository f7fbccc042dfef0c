use crate::Lesson;
use crate::run::copy_program;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// A change of a lesson's source: the file, below `src` or a `*.json` beside it,
/// what stands there once, and what takes its place.
pub type Change = (&'static str, &'static str, &'static str);

/// A lesson with one change in its source, built.
pub(crate) struct Mutant {
    /// Where its program is; goes with the mutant.
    place: TempDir,
}

/// They share a folder.
static BUILDING: Mutex<()> = Mutex::new(());

impl Mutant {
    /// Builds a copy of `lesson` with `change`.
    pub fn build(lesson: Lesson, change: Change) -> Self {
        let mut built = Self::build_all(lesson, &[change]);
        built.pop().expect("one was asked for")
    }

    /// Builds a copy of `lesson` with each of `changes`, all at once, in a
    /// workspace of their own below `target`, with the versions and the lock
    /// file of this one.
    pub fn build_all(lesson: Lesson, changes: &[Change]) -> Vec<Self> {
        let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        let top = Path::new(lesson.folder).join("../..").canonicalize();
        let top = top.expect("a lesson stands two levels below the top");
        let mutants = top.join("target/mutants");
        let place = mutants.join(lesson.package);
        write(&place.join("Cargo.toml"), &workspace(&top, changes.len()));
        copy(&top.join("Cargo.lock"), &place.join("Cargo.lock"));
        for (number, change) in changes.iter().enumerate() {
            write_member(lesson, *change, number, &place);
        }
        let target = mutants.join("target");
        let output = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--offline", "--workspace", "--bins"])
            .current_dir(&place)
            .env("CARGO_TARGET_DIR", &target)
            // They are many, run once, and nobody looks into them.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            .output();
        let output = output.expect("cargo can be run");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{changes:?} do not compile:\n{complaint}"
        );
        let programs = (0..changes.len()).map(|number| {
            let place = tempfile::tempdir().expect("there is room");
            let mutant = Self { place };
            let name = member(lesson, number);
            copy_program(target.join("debug").join(name), mutant.program());
            mutant
        });
        programs.collect()
    }

    pub fn program(&self) -> PathBuf {
        self.place.path().join("lesson")
    }
}

/// The name of the package with this change.
fn member(lesson: Lesson, number: usize) -> String {
    format!("{}-{number}", lesson.package)
}

/// Writes the package of `lesson` with `change` below `place`.
fn write_member(lesson: Lesson, change: Change, number: usize, place: &Path) {
    let (file, from, to) = change;
    let folder = Path::new(lesson.folder);
    let manifest = read(&folder.join("Cargo.toml"));
    let package =
        manifest.split("\n[dev-dependencies]").next().unwrap_or_default();
    let name = |name: &str| format!("[package]\nname = \"{name}\"\n");
    let (old, new) = (name(lesson.package), name(&member(lesson, number)));
    assert!(package.contains(&old), "Cargo.toml has another form now");
    let package = package.replace(&old, &new);
    let lints = "\n[lints]\nworkspace = true\n";
    let place = place.join(number.to_string());
    write(&place.join("Cargo.toml"), &format!("{package}{lints}"));
    // With the source what it includes.
    let data = |path: &PathBuf| path.extension().is_some_and(|it| it == "json");
    let data = files(folder).into_iter().filter(data);
    let all: Vec<_> =
        files(&folder.join("src")).into_iter().chain(data).collect();
    let is_it = |path: &&PathBuf| path.ends_with(file);
    let found = all.iter().filter(is_it).count();
    assert_eq!(found, 1, "{file} is no file of the lesson");
    for path in all {
        let mut text = read(&path);
        if path.ends_with(file) {
            let times = text.matches(from).count();
            assert_eq!(times, 1, "`{from}` stands {times} times in {file}");
            text = text.replace(from, to);
        }
        let below = path.strip_prefix(folder).expect("it is in the folder");
        write(&place.join(below), &text);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a lesson has this folder");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    paths.filter(|path| path.is_file()).collect()
}

/// The workspace's own Cargo.toml, with so many mutants as its only members.
fn workspace(top: &Path, number: usize) -> String {
    let manifest = read(&top.join("Cargo.toml"));
    let members = "members = [\"lessons/*\", \"shared\", \"tests\"]";
    assert!(manifest.contains(members), "Cargo.toml has other members now");
    let shared = format!("path = \"{}\"", top.join("shared").display());
    let manifest = manifest.replace("path = \"shared\"", &shared);
    let names = (0..number).map(|number| format!("\"{number}\""));
    let names = names.collect::<Vec<_>>().join(", ");
    manifest.replace(members, &format!("members = [{names}]"))
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) {
    // A file that did not change keeps its time, and cargo what it has built.
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    let folder = path.parent().expect("it stands in a folder");
    fs::create_dir_all(folder).expect("which can be made");
    fs::write(path, text).expect("and written to");
}

fn copy(from: &PathBuf, to: &Path) {
    write(to, &read(from));
}
