//! Lesson 22: never more at work than there are workers, and each job once.

use testkit::Lesson;

const LESSON: Lesson = Lesson {
    package: "thread-pool",
    folder: env!("CARGO_MANIFEST_DIR"),
    binary: env!("CARGO_BIN_EXE_thread-pool"),
};

testkit::battery!(LESSON);
