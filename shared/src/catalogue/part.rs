use super::Lesson;

/// Lessons that belong together: from one number to the next part.
pub struct Part {
    /// `Part I: processes (进程)`.
    pub title: &'static str,
    first: u32,
    last: u32,
}

/// All of them, in order.
pub const PARTS: [Part; 4] = [
    Part { title: "Part I: processes (进程)", first: 1, last: 14 },
    Part { title: "Part II: threads (线程)", first: 15, last: 24 },
    Part { title: "Part III: coroutines (协程)", first: 25, last: 31 },
    Part { title: "Whole programs", first: 32, last: u32::MAX },
];

impl Part {
    /// Its lessons, out of all.
    pub fn of<'a>(&self, lessons: &'a [Lesson]) -> Vec<&'a Lesson> {
        lessons.iter().filter(|lesson| self.has(lesson)).collect()
    }

    /// Whether this lesson is one of them.
    pub fn has(&self, lesson: &Lesson) -> bool {
        (self.first..=self.last).contains(&lesson.number)
    }
}
