use crate::Lesson;
use crate::run::copy_program;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// A change of a lesson's source: the file below `src`, what stands there
/// once, and what takes its place.
pub type Change = (&'static str, &'static str, &'static str);

/// A lesson with one change in its source, built.
pub(crate) struct Mutant {
    /// Where its program is; goes with the mutant.
    place: TempDir,
}

/// One is built after the other: they share a folder.
static BUILDING: Mutex<()> = Mutex::new(());

impl Mutant {
    /// Builds a copy of `lesson` with `change`, in a workspace of its own
    /// below `target`, with the versions and the lock file of this one.
    pub fn build(lesson: Lesson, change: Change) -> Self {
        let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        let top = Path::new(lesson.folder).join("../..").canonicalize();
        let top = top.expect("a lesson stands two levels below the top");
        let mutants = top.join("target/mutants");
        let place = mutants.join(lesson.package);
        let (file, from, to) = change;
        write(&place.join("Cargo.toml"), &workspace(&top));
        copy(&top.join("Cargo.lock"), &place.join("Cargo.lock"));
        let folder = Path::new(lesson.folder);
        let manifest = read(&folder.join("Cargo.toml"));
        let package =
            manifest.split("\n[dev-dependencies]").next().unwrap_or_default();
        let lints = "\n[lints]\nworkspace = true\n";
        write(&place.join("lesson/Cargo.toml"), &format!("{package}{lints}"));
        for entry in
            fs::read_dir(folder.join("src")).expect("a lesson has a folder src")
        {
            let path = entry.expect("which can be read").path();
            let name = path.file_name().expect("and has names in it");
            let mut text = read(&path);
            if name == file {
                let times = text.matches(from).count();
                assert_eq!(times, 1, "`{from}` stands {times} times in {file}");
                text = text.replace(from, to);
            }
            write(&place.join("lesson/src").join(name), &text);
        }
        let target = mutants.join("target");
        let output = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--offline"])
            .current_dir(&place)
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("RUSTFLAGS")
            .output();
        let output = output.expect("cargo can be run");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{change:?} does not compile:\n{complaint}"
        );
        let binary = target.join("debug").join(lesson.package);
        let mutant =
            Self { place: tempfile::tempdir().expect("there is room") };
        copy_program(binary, mutant.program());
        mutant
    }

    pub fn program(&self) -> PathBuf {
        self.place.path().join("lesson")
    }
}

/// The workspace's own Cargo.toml, with the mutant as its only member.
fn workspace(top: &Path) -> String {
    let manifest = read(&top.join("Cargo.toml"));
    let members = "members = [\"lessons/*\", \"shared\", \"tests\"]";
    assert!(manifest.contains(members), "Cargo.toml has other members now");
    let shared = format!("path = \"{}\"", top.join("shared").display());
    let manifest = manifest.replace("path = \"shared\"", &shared);
    manifest.replace(members, "members = [\"lesson\"]")
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
