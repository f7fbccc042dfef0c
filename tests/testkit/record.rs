use crate::Lesson;
use crate::check::{Check, events_of};
use shared::lesson::Claim;
use shared::trace::{Event, Phase, Timeline, Trace, svg};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

impl Lesson {
    /// The run of which the pictures in the chapter are; `just pictures`
    /// records it.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn recorded(self) -> Vec<u8> {
        let path = Path::new(self.folder).join("recorded.jsonl");
        fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Whether these lines are traces of this lesson's steps in which all
    /// claims held, are proven, and which the pictures show, all there are.
    ///
    /// # Errors
    /// Why they are not.
    pub fn judge(self, lines: &[u8], checks: &[Check]) -> Result<(), String> {
        let mut runs: Vec<Vec<Event>> = Vec::new();
        for (number, line) in (1..).zip(lines.split_inclusive(|&b| b == b'\n'))
        {
            let event: Event = serde_json::from_slice(line)
                .map_err(|error| format!("line {number}: {error}"))?;
            if event.name == "lesson" || runs.is_empty() {
                runs.push(Vec::new());
            }
            runs.last_mut().ok_or("no run")?.push(event);
        }
        let mut steps = BTreeSet::new();
        for events in runs {
            let step = self.judge_run(events, checks)?;
            if !steps.insert(step.clone()) {
                return Err(format!("{step}: is there twice"));
            }
        }
        let drawn = |step: &&String| {
            Path::new(self.folder).join(step).with_extension("svg").exists()
        };
        let all = self.steps();
        match all.iter().filter(drawn).find(|step| !steps.contains(*step)) {
            Some(step) => Err(format!("{step}: is drawn and not recorded")),
            None if steps.is_empty() => Err("there is nothing in it".into()),
            None => Ok(()),
        }
    }

    /// The name of the step that was run.
    fn judge_run(
        self,
        events: Vec<Event>,
        checks: &[Check],
    ) -> Result<String, String> {
        let text = |event: &Event, key: &str| {
            Some(event.args.get(key)?.as_str()?.to_owned())
        };
        let [lesson, rest @ ..] = &events[..] else {
            return Err("a run without events".to_owned());
        };
        if text(lesson, "package").as_deref() != Some(self.package) {
            return Err(format!("not of this lesson: {lesson:?}"));
        }
        let begins = |event: &&Event| event.name == "step";
        let step = rest.iter().find(begins);
        let step = step.and_then(|event| text(event, "name"));
        let step = step.ok_or("a run of no step")?;
        let why = |why: String| Err(format!("{step}: {why}"));
        if !self.steps().contains(&step) {
            return why("the lesson has no such step".to_owned());
        }
        let ended = events
            .last()
            .is_some_and(|last| last.name == "step" && last.ph == Phase::End);
        if !ended {
            return why("it has no end".to_owned());
        }
        let trace = Trace::of(events.iter().cloned());
        if let Some(damage) = trace.damaged().first() {
            return why(damage.to_string());
        }
        let events = events_of(&trace, &step);
        let claims = Claim::all(&Trace::of(events.clone()));
        if let Some(claim) = claims.iter().find(|claim| !claim.held) {
            return why(format!("did not hold: {claim}"));
        }
        let checks = checks.iter().filter(|check| check.step == step);
        let made: BTreeSet<_> =
            claims.iter().map(|claim| &*claim.text).collect();
        let known: BTreeSet<_> =
            checks.clone().map(|check| check.claim).collect();
        if made != known {
            return why(format!("claimed {made:?} and not {known:?}"));
        }
        for check in checks {
            if !(check.proven)(&events) {
                return why(format!("`{}` is not proven", check.claim));
            }
        }
        self.judge_picture(&trace, &step)?;
        Ok(step)
    }

    /// The picture in the lesson's folder is to be of this run.
    fn judge_picture(self, trace: &Trace, step: &str) -> Result<(), String> {
        let file = Path::new(self.folder).join(step).with_extension("svg");
        let shown = trace.events().iter().skip(1).cloned();
        let timeline = Timeline::of(&Trace::of(shown));
        let drawn = svg::draw(&[(step.to_owned(), timeline)]);
        match fs::read_to_string(&file) {
            Ok(picture) if picture == drawn => Ok(()),
            Ok(_) => Err(format!("{step}: its picture is of another run")),
            Err(error) => Err(format!("{}: {error}", file.display())),
        }
    }
}
