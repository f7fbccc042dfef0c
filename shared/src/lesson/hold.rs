//! Points of a lesson at which somebody can be held.

use super::folder::Folder;
use crate::trace::Trace;
use nix::errno::Errno;
use nix::sys::termios::{FlushArg, tcflush};
use nix::unistd::read;
use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};
use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::stdin;

/// Who is to be held where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    /// A track's name; whoever comes there if there is none.
    who: Option<String>,
    point: String,
}

impl Display for Hold {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.who {
            Some(who) => write!(f, "{who}: {}", self.point),
            None => f.write_str(&self.point),
        }
    }
}

impl Hold {
    /// `has read`, or `anna: has read`; a name may have a colon, as the
    /// addresses have that tracks are named after.
    pub fn of(text: &str) -> Self {
        let (who, point) = match text.rsplit_once(':') {
            Some((who, point)) => (Some(who.trim().to_owned()), point),
            None => (None, text),
        };
        Self { who, point: point.trim().to_owned() }
    }

    /// Whether it holds `who` at this point.
    pub fn is_for(&self, who: &str, point: &str) -> bool {
        let one = self.who.as_ref().is_none_or(|one| one == who);
        one && self.point == point
    }
}

/// All that are to be held in a run.
pub(super) struct Holds {
    holds: Vec<Hold>,
    /// That of the run.
    folder: Folder,
}

impl Holds {
    pub fn of(texts: &[String], folder: Folder) -> Self {
        let holds = texts.iter().map(|text| Hold::of(text)).collect();
        Self { holds, folder }
    }

    pub fn is_empty(&self) -> bool {
        self.holds.is_empty()
    }

    pub fn are_for(&self, who: &str, point: &str) -> bool {
        self.holds.iter().any(|hold| hold.is_for(who, point))
    }

    /// Those that held nobody in this run.
    pub fn unmet(&self, trace: &Trace) -> Vec<String> {
        let met = |hold: &Hold| {
            let mut events = trace.events().iter();
            events.any(|event| hold.is_for(&event.track, &event.name))
        };
        let unmet = self.holds.iter().filter(|hold| !met(hold));
        unmet.map(Hold::to_string).collect()
    }

    /// Tells that somebody is held, and waits until a line has been typed, or
    /// nobody can type one. It is read byte by byte: the next line is for
    /// whoever is held next, maybe another process.
    pub fn until_enter(&self, tell: impl FnOnce()) {
        let _held = self.begin();
        tell();
        let mut byte = [0];
        loop {
            match read(stdin(), &mut byte) {
                Ok(1) if byte != *b"\n" => {}
                Err(Errno::EINTR) => {}
                _ => return,
            }
        }
    }

    /// A file that is locked, shared by all who are held, as long as this one
    /// is. What was typed while nobody was held was meant for something else,
    /// a question of walk mode perhaps.
    fn begin(&self) -> Option<File> {
        let path = self.folder.path().join("held");
        let file = File::options().create(true).append(true).open(path).ok()?;
        if file.try_lock().is_ok() {
            let _ = tcflush(stdin(), FlushArg::TCIFLUSH);
        }
        file.lock_shared().ok()?;
        Some(file)
    }
}

/// Takes a hold at one of these points; else says which there are.
pub(super) fn parser(
    points: &[String],
) -> impl Fn(&str) -> Result<String, String> + Clone + Send + Sync + 'static {
    let points = points.to_vec();
    move |text| match points.contains(&Hold::of(text).point) {
        true => Ok(text.to_owned()),
        false if points.is_empty() => {
            Err("this lesson has no points to hold at".to_owned())
        }
        false => Err(format!("the points are {}", points.join(", "))),
    }
}

/// The points that these texts name by `.point("...")`, each once.
pub(super) fn points<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut points: Vec<String> = Vec::new();
    for text in texts {
        let mut rest = text;
        let mut before: [&str; 3] = [""; 3];
        for token in tokenize(text, FrontmatterAllowed::No) {
            let (word, after) = rest.split_at(token.len as usize);
            rest = after;
            if let TokenKind::Whitespace | TokenKind::LineComment { .. } =
                token.kind
            {
                continue;
            }
            if before == [".", "point", "("] && word.starts_with('"') {
                let point = word.trim_matches('"').to_owned();
                if !points.contains(&point) {
                    points.push(point);
                }
            }
            before = [before[1], before[2], word];
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_for_one_or_for_all() {
        let all = Hold::of("has read");
        assert!(
            all.is_for("anna", "has read") && all.is_for("ben", "has read")
        );
        assert!(!all.is_for("anna", "has written"));
        let one = Hold::of("buyer 3: has looked");
        assert!(one.is_for("buyer 3", "has looked"));
        assert!(!one.is_for("buyer 4", "has looked"));
        assert!(Hold::of("127.0.0.1:80: asks").is_for("127.0.0.1:80", "asks"));
    }

    #[test]
    fn points_are_those_that_the_source_names() {
        let text = "anna.point(\"has read\");\n// x.point(\"no\")\n\
                    say(\".point(\\\"no\\\")\"); ben.point(\"has read\"); \
                    ben.point(\n    \"writes\",\n)";
        assert_eq!(points([text].into_iter()), ["has read", "writes"]);
        let known = parser(&points([text].into_iter()));
        assert_eq!(known("ben: writes"), Ok("ben: writes".to_owned()));
        let complaint = known("sleeps").expect_err("there is none");
        assert_eq!(complaint, "the points are has read, writes");
    }
}
