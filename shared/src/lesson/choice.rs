//! What a class can choose from before a step runs.

use anstyle::{AnsiColor, Style};

/// A possible answer to the question of a step, as its `///` comment lists it:
/// `- [x] five` is the right one, `- [ ] twenty` is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it says.
    pub text: String,
    /// Whether the run will show it.
    pub right: bool,
}

impl Choice {
    /// Nothing if the line lists none.
    pub(super) fn of(line: &str) -> Option<Self> {
        let right = line.starts_with("- [x] ");
        let text = line.strip_prefix("- [x] ");
        let text = text.or_else(|| line.strip_prefix("- [ ] "))?;
        Some(Self { text: text.trim().to_owned(), right })
    }
}

/// The choices, a line each, each with the key that chooses it.
pub(super) fn listed(
    choices: &[Choice],
    chosen: Option<usize>,
) -> Vec<(Style, String)> {
    let lines = choices.iter().enumerate().map(|(index, choice)| {
        let (style, sign) = match chosen == Some(index) {
            true => (Style::new().bold(), '>'),
            false => (Style::new(), ' '),
        };
        (style, format!("{sign} {}  {}", index + 1, choice.text))
    });
    lines.collect()
}

/// What is said of the choice when the step has run; nothing where there was
/// none to make.
pub(super) fn verdict(
    choices: &[Choice],
    chosen: Option<usize>,
) -> Option<(Style, String)> {
    let right = choices.iter().position(|choice| choice.right)?;
    let answer = format!("{}, {}", right + 1, choices[right].text);
    let (colour, text) = match chosen {
        None => (AnsiColor::Cyan, format!("the answer: {answer}")),
        Some(chosen) if chosen == right => {
            (AnsiColor::Green, format!("well predicted: {answer}"))
        }
        Some(chosen) => {
            let said = &choices[chosen].text;
            (
                AnsiColor::Yellow,
                format!("predicted: {said}; but it is {answer}"),
            )
        }
    };
    Some((colour.on_default().bold(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_a_comment_is_read() {
        let choice = |line| Choice::of(line).map(|one| (one.text, one.right));
        assert_eq!(choice("- [x] five"), Some(("five".to_owned(), true)));
        assert_eq!(choice("- [ ] twenty "), Some(("twenty".to_owned(), false)));
        assert_eq!(choice("- five"), None);
        assert_eq!(choice("[x] five"), None);
    }

    #[test]
    fn the_verdict_names_the_right_one() {
        let choices = ["- [ ] five", "- [x] twenty"]
            .map(|line| Choice::of(line).expect("it lists one"));
        let said = |chosen| verdict(&choices, chosen).map(|(_, text)| text);
        let said = |chosen| said(chosen).unwrap_or_default();
        assert_eq!(said(None), "the answer: 2, twenty");
        assert_eq!(said(Some(1)), "well predicted: 2, twenty");
        assert_eq!(said(Some(0)), "predicted: five; but it is 2, twenty");
        assert_eq!(verdict(&[], None), None);
    }
}
