use super::voice::Voice;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::UnicodeWidthStr;

/// The widest bar, in columns.
const WIDEST: usize = 30;

/// How far something is that takes its time: a bar on a terminal, nothing
/// elsewhere. It is gone when this is dropped.
///
/// Made by [`Stage::progress`](super::Stage::progress). It has no thread of its
/// own, so that forks stay possible.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(what: &str, total: u64, voice: Voice) -> Self {
        let target = match voice.can_draw() {
            true => ProgressDrawTarget::stdout(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        // A margin, the message, and what stands behind the bar.
        let most = total.to_string().len();
        let taken = 2 + what.width() + 2 + most + " of ".len() + most;
        let room = voice.terminal.width.saturating_sub(taken + 1);
        let room = room.clamp(1, WIDEST);
        let template = format!("  {{msg}} {{bar:{room}}} {{pos}} of {{len}}");
        let style = ProgressStyle::with_template(&template)
            .expect("the template is well formed");
        let chars = if voice.terminal.unicode { "██░" } else { "##." };
        bar.set_style(style.progress_chars(chars));
        bar.set_message(what.to_owned());
        Self { bar }
    }

    /// That much more is done.
    pub fn advance(&self, by: u64) {
        self.bar.inc(by);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
