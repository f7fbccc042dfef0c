//! Which lessons fit into the time that there is, from their own minutes.

use shared::catalogue::{Catalogue, Lesson, PARTS, Part, table};

/// What a session should not do without, and why; the rest of the time goes
/// to `WORTH`, and then to whatever fits.
const CORE: [(&str, &str); 15] = [
    ("multitasking", "the words for the rest: in turns, at once"),
    ("fork", "what a process is, and who cleans up"),
    ("isolation", "nothing is shared unless it is asked for"),
    ("queue", "how things get from one process to another"),
    ("lock", "look, then act: the mistake behind the others"),
    ("thread", "what a thread is beside a process"),
    ("race", "why shared memory needs care"),
    ("gil", "what Python's threads can do, and what not"),
    ("deadlock", "what locks cost when there are two"),
    ("thread-pool", "futures: how work is handed out in practice"),
    ("greenlet", "what a coroutine is: a switch by hand"),
    ("spawn", "sleeping costs no thread"),
    ("echo-coroutines", "a thousand clients on a handful of threads"),
    ("async-await", "the same without a stack, as in asyncio"),
    ("hybrid", "when to use which, and all three at once"),
];

/// What comes next where there is time, the most useful one first.
const WORTH: [&str; 4] = ["pool", "semaphore", "monkey-patch", "event"];

/// A stretch of time in which lessons are held.
struct Session {
    title: &'static str,
    parts: &'static [Part],
    minutes: u32,
    /// Nobody listens longer than so many minutes without a break of so many.
    listens: u32,
    rest: u32,
    /// The breaks between parts, from the first one on; then there is `rest`.
    between: &'static [u32],
}

impl Session {
    const fn short(title: &'static str, parts: &'static [Part]) -> Self {
        Self { title, parts, minutes: 90, listens: 60, rest: 5, between: &[] }
    }
}

const SESSIONS: [Session; 4] = [
    Session::short("Session 1 of 3, 90 minutes", part(0)),
    Session::short("Session 2 of 3, 90 minutes", part(1)),
    Session::short("Session 3 of 3, 90 minutes", part(2)),
    Session {
        title: "One day, six hours with breaks",
        parts: &PARTS,
        minutes: 360,
        listens: 60,
        rest: 10,
        between: &[15, 45],
    },
];

const fn part(index: usize) -> &'static [Part] {
    PARTS.split_at(index).1.split_at(1).0
}

/// What happens from one minute to another.
enum Entry<'a> {
    Lesson(&'a Lesson),
    Break,
}

/// A session with its lessons chosen.
struct Plan<'a> {
    session: &'static Session,
    chosen: Vec<&'a Lesson>,
    /// Core lessons for which there is no time.
    missing: Vec<&'a Lesson>,
}

impl<'a> Plan<'a> {
    /// Core lessons first, then what is worth it, then whatever fits.
    fn of(session: &'static Session, catalogue: &'a Catalogue) -> Self {
        let part = |part: &Part| part.of(&catalogue.lessons);
        let lessons: Vec<_> = session.parts.iter().flat_map(part).collect();
        let mut wanted = lessons.clone();
        // Equals stay in the order of the course.
        wanted.sort_by_key(|lesson| rank(lesson));
        let mut plan = Self { session, chosen: vec![], missing: vec![] };
        for lesson in wanted {
            plan.chosen.push(lesson);
            plan.chosen.sort_by_key(|lesson| lesson.number);
            if lesson.minutes().is_none() || plan.end() > session.minutes {
                plan.chosen.retain(|other| other.number != lesson.number);
                plan.missing.extend(core(lesson).map(|_| lesson));
            }
        }
        plan
    }

    /// What there is, with the minute at which it begins and how long it is.
    fn entries(&self) -> Vec<(u32, u32, Entry<'a>)> {
        let mut entries = Vec::new();
        let (mut now, mut listened) = (0, 0);
        let mut between = self.session.between.iter();
        for (index, part) in self.session.parts.iter().enumerate() {
            let inside = self.chosen.iter().filter(|lesson| part.has(lesson));
            for (nth, lesson) in inside.enumerate() {
                let minutes = lesson.minutes().unwrap_or_default();
                let tired = listened + minutes > self.session.listens;
                let rest = match between.as_slice() {
                    [rest, ..] if nth == 0 && index > 0 => {
                        between.next();
                        *rest
                    }
                    _ if tired && listened > 0 => self.session.rest,
                    _ => 0,
                };
                if rest > 0 {
                    entries.push((now, rest, Entry::Break));
                    now += rest;
                    listened = 0;
                }
                entries.push((now, minutes, Entry::Lesson(lesson)));
                now += minutes;
                listened += minutes;
            }
        }
        entries
    }

    /// The minute at which the last of it has ended.
    fn end(&self) -> u32 {
        let entries = self.entries();
        entries.last().map_or(0, |(begins, minutes, _)| begins + minutes)
    }

    fn text(&self, catalogue: &Catalogue) -> String {
        let header = ["from", "min", "", "lesson", "core, because"];
        let mut table = table(header);
        for (begins, minutes, entry) in self.entries() {
            let (number, name, why) = match entry {
                Entry::Lesson(lesson) => (
                    lesson.number.to_string(),
                    lesson.package.as_str(),
                    core(lesson).unwrap_or_default(),
                ),
                Entry::Break => (String::new(), "break", ""),
            };
            let minutes = minutes.to_string();
            table.add_row([&clock(begins), &minutes, &number, name, why]);
        }
        let end = self.end();
        let left = self.session.minutes - end;
        let left = match left {
            0 => String::new(),
            left => format!("{left} min left for questions"),
        };
        table.add_row([&clock(end), "", "", "end", &left]);
        let parts = self.session.parts.iter();
        let titles: Vec<_> = parts.clone().map(|part| part.title).collect();
        let home = parts.flat_map(|part| part.of(&catalogue.lessons));
        let home = home.filter(|lesson| {
            self.chosen.iter().all(|chosen| chosen.number != lesson.number)
        });
        let home: Vec<_> = home
            .map(|lesson| format!("{} {}", lesson.number, lesson.package))
            .collect();
        let home = match home.as_slice() {
            [] => "nothing".to_owned(),
            home => home.join(", "),
        };
        let heading = match titles.as_slice() {
            [title] => format!("{}. {title}", self.session.title),
            _ => format!("{}. All parts", self.session.title),
        };
        let lines = textwrap::Options::new(80)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let home = textwrap::fill(&format!("To read at home: {home}."), lines);
        format!("{heading}\n\n{}\n\n{home}", table.trim_fmt())
    }
}

/// All sessions, as tables.
pub fn text(catalogue: &Catalogue) -> String {
    let plans = SESSIONS.iter().map(|session| Plan::of(session, catalogue));
    let texts: Vec<_> = plans.map(|plan| plan.text(catalogue)).collect();
    texts.join("\n\n\n")
}

/// Lessons of the plans that do not exist, and core lessons for which a session
/// has no time.
pub fn faults(catalogue: &Catalogue) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, _) in CORE {
        if catalogue.find(name).is_none() {
            faults.push(format!("plan: there is no core lesson `{name}`"));
        }
    }
    for name in WORTH.iter().filter(|name| catalogue.find(name).is_none()) {
        faults.push(format!("plan: there is no lesson `{name}`"));
    }
    for session in &SESSIONS {
        for lesson in Plan::of(session, catalogue).missing {
            let (title, name) = (session.title, &lesson.package);
            faults.push(format!(
                "plan: {title}: no time for core lesson `{name}`"
            ));
        }
    }
    faults
}

/// Why a lesson is core, if it is.
fn core(lesson: &Lesson) -> Option<&'static str> {
    let mut core = CORE.iter();
    core.find(|(name, _)| *name == lesson.package).map(|(_, why)| *why)
}

/// The lower, the sooner.
fn rank(lesson: &Lesson) -> usize {
    if core(lesson).is_some() {
        return 0;
    }
    let worth = WORTH.iter().position(|name| *name == lesson.package);
    worth.map_or(usize::MAX, |place| 1 + place)
}

fn clock(minutes: u32) -> String {
    format!("{}:{:02}", minutes / 60, minutes % 60)
}
